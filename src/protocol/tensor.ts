/** An input or output of a served model, in the words of the Open Inference Protocol. */
export interface TensorDescription {
  readonly name: string;
  /** BOOL, INT64, FP32, BYTES, ... */
  readonly datatype: string;
  /** -1 stands for a size that may vary. */
  readonly shape: readonly number[];
}
