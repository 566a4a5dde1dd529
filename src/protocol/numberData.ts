/** Numbers in memory. FP16 lies as bits in a `Uint16Array`, BOOL as 0 and 1. */
export type NumberData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

interface NumberArray {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): NumberData;
  new (memory: ArrayBufferLike, begin: number, length: number): NumberData;
}

/** How the numbers of each datatype of the Open Inference Protocol lie in memory. */
export const numberArrays = {
  BOOL: Uint8Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  FP16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const satisfies Record<string, NumberArray>;
export type NumberDatatype = keyof typeof numberArrays;

/** The numbers that lie in a memory. @param begin in bytes; must be a multiple of the size of a number. */
export function numbersIn(
  datatype: NumberDatatype,
  memory: ArrayBufferLike,
  begin: number,
  length: number,
): NumberData {
  const Numbers: NumberArray = numberArrays[datatype];
  return new Numbers(memory, begin, length);
}

/** Copies all numbers of `from` to `to`, which has the same type, from the place `at` on. */
export function copyNumbers(from: NumberData, to: NumberData, at: number): void {
  if (to instanceof BigInt64Array || to instanceof BigUint64Array) {
    if (from instanceof BigInt64Array || from instanceof BigUint64Array) to.set(from, at);
  } else if (!(from instanceof BigInt64Array || from instanceof BigUint64Array)) to.set(from, at);
}
