import type { Datatype } from '../../inference/datatypes.ts';
import type { TensorSpecification } from '../../inference/model.ts';
import type { LoadedVersion } from '../modelRepository.ts';
import { classOutputs, valueOutput } from './tensorflowResults.ts';

/** TensorFlow's names of the datatypes (tensorflow/core/framework/types.proto). */
const dataTypes: Readonly<Record<Datatype, string>> = {
  BOOL: 'DT_BOOL',
  INT8: 'DT_INT8',
  INT16: 'DT_INT16',
  INT32: 'DT_INT32',
  INT64: 'DT_INT64',
  UINT8: 'DT_UINT8',
  UINT16: 'DT_UINT16',
  UINT32: 'DT_UINT32',
  UINT64: 'DT_UINT64',
  FP16: 'DT_HALF',
  FP32: 'DT_FLOAT',
  FP64: 'DT_DOUBLE',
  BYTES: 'DT_STRING',
};

/** The signature that a request without a `signature_name` asks. */
export const defaultSignature = 'serving_default';

interface Signature {
  readonly inputs: object;
  readonly outputs: object;
  readonly method_name: string;
  readonly defaults: object;
}

/**
 * The signatures of a version by name: `serving_default` for `:predict`, `classification` for `:classify` and
 * `regression` for `:regress` where the model answers those.
 */
export function signatures({ predictor }: LoadedVersion): ReadonlyMap<string, Signature> {
  const inputs = tensorInfos(predictor.inputs);
  const signature = (method: string, outputs: object): Signature => ({
    inputs,
    outputs,
    method_name: `tensorflow/serving/${method}`,
    defaults: {},
  });
  const known = new Map([[defaultSignature, signature('predict', tensorInfos(predictor.outputs))]]);
  const classes = classOutputs(predictor.outputs);
  if (classes) {
    const scores = predictor.outputs[classes.scores ?? -1];
    const outputs = {
      ...(classes.scores === null
        ? {}
        : { scores: tensorInfo('scores', scores?.datatype ?? 'FP32', [-1, -1]) }),
      classes: tensorInfo('classes', 'BYTES', [-1, -1]),
    };
    known.set('classification', signature('classify', outputs));
  }
  const value = valueOutput(predictor.outputs);
  if (value !== null) {
    const outputs = { outputs: tensorInfo('outputs', predictor.outputs[value]?.datatype ?? 'FP32', [-1, 1]) };
    known.set('regression', signature('regress', outputs));
  }
  return known;
}

/** The answer of `/metadata`, as protobuf writes a `GetModelMetadataResponse` in JSON. */
export function metadataAnswer(version: LoadedVersion): string {
  return JSON.stringify({
    model_spec: { name: version.name, signature_name: '', version: String(version.version) },
    metadata: { signature_def: { signature_def: Object.fromEntries(signatures(version)) } },
  });
}

function tensorInfos(tensors: readonly TensorSpecification[]): object {
  return Object.fromEntries(
    tensors.map(({ name, datatype, shape }) => [name, tensorInfo(name, datatype, shape)]),
  );
}

/** A `TensorInfo`; its name is that of a tensor in a graph, which ends in the number of the operation's output. */
function tensorInfo(name: string, datatype: Datatype, shape: readonly number[] | null): object {
  const dim = (shape ?? []).map((size) => ({ size: String(size), name: '' }));
  return {
    dtype: dataTypes[datatype],
    tensor_shape: { dim, unknown_rank: shape === null },
    name: `${name}:0`,
  };
}
