import { fromHalfBits } from './halfPrecision.ts';
import { numbersIn } from './numberData.ts';
import { shortestFloat } from './shortestFloat.ts';

/**
 * Tensors as an inference log keeps them: their own bytes, which costs those who answer far less than JSON text. The
 * tensors of a request lie one after the other, each as
 *
 *     kind u32 · rank u32 · sizes u32 × rank · elements
 *
 * with gaps before the elements and the next tensor, so that both begin at a multiple of eight bytes. `kind` is the
 * place in `packedKinds`. Numbers are little-endian, row by row, FP16 as bits, BOOL one byte. An element of BYTES is its
 * length, u32, and its UTF-8; no value has the length `missingLength` and nothing behind it. `ABSENT` and `HIDDEN` have
 * no elements.
 */

/** `ABSENT`: an optional input that the client left out. `HIDDEN`: a tensor whose values are not kept. */
export const packedKinds = [
  ...['ABSENT', 'HIDDEN', 'BOOL', 'INT8', 'INT16', 'INT32', 'INT64', 'UINT8', 'UINT16', 'UINT32', 'UINT64'],
  ...['FP16', 'FP32', 'FP64', 'BYTES'],
] as const;
export type PackedKind = (typeof packedKinds)[number];

/** The length of an element of BYTES that is no value. No text is so long. */
export const missingLength = 0xffff_ffff;

/** Tensors begin at multiples of so many bytes, and so do their elements. */
export const packedAlignment = 8;

/** An element as JSON knows it, and integers of 64 bits as they are. NaN is null, infinities are texts. */
export type LoggedElement = number | bigint | string | boolean | null;

export interface PackedTensor {
  readonly kind: PackedKind;
  readonly shape: readonly number[];
  /** The elements from `from` on, each `step` behind the one before, at most `count`. */
  elements(from: number, step: number, count: number): LoggedElement[];
}

/** Takes the tensors of a request apart. @throws RangeError when the bytes are none. */
export function readPackedTensors(packed: Uint8Array): readonly PackedTensor[] {
  // The views of numbers need them where they belong in memory.
  const bytes = packed.byteOffset % packedAlignment === 0 ? packed : new Uint8Array(packed);
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tensors: PackedTensor[] = [];
  let at = 0;
  while (at < bytes.length) {
    const kind = packedKinds[words.getUint32(at, true)];
    if (kind === undefined) throw new RangeError('There is no such kind of tensor.');
    const rank = words.getUint32(at + 4, true);
    const shape = Array.from({ length: rank }, (_, axis) => words.getUint32(at + 8 + 4 * axis, true));
    const begin = aligned(at + 8 + 4 * rank);
    const count = shape.reduce((all, size) => all * size, 1);
    const { data, length } = readElements(kind, bytes, begin, count);
    tensors.push({ kind, shape, elements: (from, step, most) => some(kind, data, from, step, most) });
    at = aligned(begin + length);
  }
  return tensors;
}

function aligned(place: number): number {
  return Math.ceil(place / packedAlignment) * packedAlignment;
}

type Elements = ArrayLike<number | bigint | string | null>;

function readElements(
  kind: PackedKind,
  bytes: Uint8Array,
  begin: number,
  count: number,
): { readonly data: Elements; readonly length: number } {
  if (kind === 'ABSENT' || kind === 'HIDDEN') return { data: [], length: 0 };
  if (kind === 'BYTES') return readTexts(bytes, begin, count);
  const data = numbersIn(kind, bytes.buffer, bytes.byteOffset + begin, count);
  return { data, length: data.byteLength };
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function readTexts(bytes: Uint8Array, begin: number, count: number) {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data: (string | null)[] = [];
  let at = begin;
  for (let index = 0; index < count; index++) {
    const length = words.getUint32(at, true);
    const end = at + 4 + (length === missingLength ? 0 : length);
    data.push(length === missingLength ? null : decoder.decode(bytes.subarray(at + 4, end)));
    at = end;
  }
  return { data, length: at - begin };
}

function some(kind: PackedKind, data: Elements, from: number, step: number, most: number): LoggedElement[] {
  const elements: LoggedElement[] = [];
  for (let at = from; at < data.length && elements.length < most; at += step) {
    elements.push(element(kind, data[at] ?? null));
  }
  return elements;
}

/** FP32 values have the fewest digits that FP32 tells apart, such as 8.6. */
function element(kind: PackedKind, value: number | bigint | string | null): LoggedElement {
  if (typeof value !== 'number') return value;
  if (kind === 'BOOL') return value !== 0;
  const number = kind === 'FP16' ? fromHalfBits(value) : kind === 'FP32' ? shortestFloat(value) : value;
  if (Number.isFinite(number)) return number;
  if (Number.isNaN(number)) return null;
  return number > 0 ? 'Infinity' : '-Infinity';
}
