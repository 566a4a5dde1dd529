import { doubleOf, floatOf, integersOf, visitFields, type WireField } from '../tracker/protobuf.ts';

/** As much of a `TensorProto` (TensorFlow, `tensor.proto`) as summaries need. */
export interface Tensor {
  /** Lengths of its dimensions; none of a scalar. */
  readonly shape: readonly number[];
  /** Of a numeric tensor: its first value; null when it has none. */
  readonly firstNumber: number | null;
  /** Of a tensor of strings: their bytes, which lie in the message. */
  readonly strings: readonly Uint8Array[];
  /** Whether it holds strings. */
  readonly isText: boolean;
}

/** Numbers of `DataType` in TensorFlow's `types.proto`. */
const textType = 7;

type ReadNumber = (view: DataView) => number;

/** How the first number of `tensor_content` is read, and how many bytes it takes, by data type. */
const contentNumbers: Readonly<Record<number, readonly [bytes: number, ReadNumber]>> = {
  1: [4, (view) => view.getFloat32(0, true)],
  2: [8, (view) => view.getFloat64(0, true)],
  3: [4, (view) => view.getInt32(0, true)],
  4: [1, (view) => view.getUint8(0)],
  5: [2, (view) => view.getInt16(0, true)],
  6: [1, (view) => view.getInt8(0)],
  9: [8, (view) => Number(view.getBigInt64(0, true))],
  10: [1, (view) => view.getUint8(0)],
  14: [2, (view) => bfloat16(view.getUint16(0, true))],
  17: [2, (view) => view.getUint16(0, true)],
  19: [2, (view) => float16(view.getUint16(0, true))],
  22: [4, (view) => view.getUint32(0, true)],
  23: [8, (view) => Number(view.getBigUint64(0, true))],
};
const halfType = 19;

/** @throws Error when the bytes are no tensor. */
export function readTensor(message: Uint8Array): Tensor {
  let dataType = 0;
  let shape: readonly number[] = [];
  let number: number | null = null;
  let halfBits: number | null = null;
  let content: Uint8Array | null = null;
  const strings: Uint8Array[] = [];
  visitFields(message, (field) => {
    if (field.number === 1) dataType = field.integer;
    else if (field.number === 2) shape = readShape(field.content);
    else if (field.number === 4) content = field.content;
    else if (field.number === 8) strings.push(field.content);
    else if (field.number === 13) halfBits ??= integersOf(field)[0] ?? null;
    else number ??= firstValue(field);
  });
  if (halfBits !== null) number = dataType === halfType ? float16(halfBits) : bfloat16(halfBits);
  if (content !== null) number ??= firstOfContent(dataType, content);
  return { shape, firstNumber: number, strings, isText: dataType === textType };
}

/** The first value of a repeated field of numbers; null of other fields. */
function firstValue(field: WireField): number | null {
  switch (field.number) {
    case 5:
      return field.content.length < 4 ? null : floatOf({ ...field, content: field.content.subarray(0, 4) });
    case 6:
      return field.content.length < 8 ? null : doubleOf({ ...field, content: field.content.subarray(0, 8) });
    case 7:
    case 10:
    case 11:
    case 16:
    case 17:
      return integersOf(field)[0] ?? null;
    default:
      return null;
  }
}

function firstOfContent(dataType: number, content: Uint8Array): number | null {
  const [bytes, read] = contentNumbers[dataType] ?? [0, null];
  if (read === null || content.length < bytes) return null;
  return read(new DataView(content.buffer, content.byteOffset, bytes));
}

function readShape(message: Uint8Array): readonly number[] {
  const lengths: number[] = [];
  visitFields(message, (field) => {
    if (field.number !== 2) return;
    let length = 0;
    visitFields(field.content, (part) => {
      if (part.number === 1) length = part.integer;
    });
    lengths.push(length);
  });
  return lengths;
}

/** IEEE 754 binary16. */
function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The upper half of a binary32. */
function bfloat16(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint16(0, bits);
  return view.getFloat32(0);
}
