import { isUtf8 } from 'node:buffer';
import { type NumberDatatype, numberArrays, numbersIn } from '../protocol/numberData.ts';
import { type Datatype, missingText, type Tensor, type TensorData } from './datatypes.ts';
import { badRequest } from './problem.ts';
import { elementCount } from './tensorJson.ts';

/**
 * Tensors as bytes, as the binary tensor extension of the Open Inference Protocol lays them
 * (https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md): little-endian,
 * row by row, without gaps. A BOOL is one byte, 0 or 1. An element of BYTES is its length, four bytes, and its content.
 * The machines that this runs on are little-endian themselves, so numbers need no turning.
 */

/** Bytes of an element; null of BYTES, whose elements have lengths of their own. */
export function elementBytes(datatype: Datatype): number | null {
  return datatype === 'BYTES' ? null : numberArrays[datatype].BYTES_PER_ELEMENT;
}

/**
 * Reads a tensor of a known shape from its bytes. Numbers share the memory of large bytes that are aligned.
 *
 * @param field what to call it in an error, such as `Input "x"`.
 * @throws RequestProblem 400 when the bytes are too few, too many, or no elements of the datatype.
 */
export function readBinaryTensor(
  field: string,
  datatype: Datatype,
  shape: readonly number[],
  bytes: Uint8Array,
): Tensor {
  const count = elementCount(shape);
  if (datatype === 'BYTES') return { datatype, shape, data: readStrings(field, shape, count, bytes) };
  const size = numberArrays[datatype].BYTES_PER_ELEMENT;
  if (bytes.length !== count * size) {
    throw badRequest(
      `${field}: shape [${shape.join(', ')}] of ${datatype} takes ${count * size} bytes, but there are ${bytes.length}.`,
    );
  }
  if (datatype === 'BOOL') checkTruths(field, bytes);
  return { datatype, shape, data: readNumbers(datatype, bytes) };
}

/** The bytes of a tensor; those of numbers share its memory. A text that is missing is empty: bytes have no null. */
export function writeBinaryTensor({ data }: Tensor): Uint8Array {
  return Array.isArray(data)
    ? writeStrings(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** The bytes lie so in their memory that numbers can be read where they are. */
function isAligned(bytes: Uint8Array, size: number): boolean {
  return bytes.byteOffset % size === 0;
}

/** A small part of a large memory would keep all of it alive for as long as the tensor lives. */
function fillsItsMemory(bytes: Uint8Array): boolean {
  return bytes.byteLength * 2 >= bytes.buffer.byteLength;
}

function readNumbers(datatype: NumberDatatype, bytes: Uint8Array): TensorData {
  const size = numberArrays[datatype].BYTES_PER_ELEMENT;
  const own = isAligned(bytes, size) && fillsItsMemory(bytes) ? bytes : new Uint8Array(bytes);
  return numbersIn(datatype, own.buffer, own.byteOffset, own.byteLength / size);
}

function checkTruths(field: string, bytes: Uint8Array): void {
  const wrong = bytes.findIndex((byte) => byte > 1);
  if (wrong >= 0) {
    throw badRequest(`${field}, element ${wrong}: expected the byte 0 or 1 (BOOL), got ${bytes[wrong]}.`);
  }
}

const lengthBytes = 4;

function readStrings(field: string, shape: readonly number[], count: number, bytes: Uint8Array): string[] {
  // Ahead of the first string, so that a shape cannot ask for more memory than the body gives reason for.
  if (count * lengthBytes > bytes.length) {
    throw badRequest(
      `${field}: shape [${shape.join(', ')}] of BYTES takes at least ${count * lengthBytes} bytes, but there are ${bytes.length}.`,
    );
  }
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const strings: string[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + lengthBytes > source.length) throw cutOff(field, index, count);
    const length = source.readUInt32LE(at);
    at += lengthBytes;
    if (at + length > source.length) throw cutOff(field, index, count);
    strings.push(readString(field, index, source.subarray(at, at + length)));
    at += length;
  }
  if (at !== source.length) {
    throw badRequest(`${field}: ${source.length - at} bytes are left after its ${count} elements.`);
  }
  return strings;
}

/**
 * One element of BYTES.
 *
 * @throws RequestProblem 400 when it is no text that the runtime can take.
 */
export function readString(field: string, index: number, content: Uint8Array): string {
  if (!isUtf8(content)) {
    throw badRequest(
      `${field}, element ${index}: expected text in UTF-8 (BYTES), got bytes that are none; models take no other bytes here.`,
    );
  }
  if (content.includes(0)) {
    throw badRequest(
      `${field}, element ${index}: a NUL character is not understood in BYTES, the runtime would cut the text off there.`,
    );
  }
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('utf8');
}

function cutOff(field: string, index: number, count: number): Error {
  return badRequest(`${field}: its bytes end within element ${index} of ${count}.`);
}

function writeStrings(elements: readonly string[]): Uint8Array {
  const strings = elements.map((text) => (text === missingText ? '' : text));
  const lengths = strings.map((text) => Buffer.byteLength(text));
  const bytes = Buffer.alloc(lengths.reduce((sum, length) => sum + lengthBytes + length, 0));
  let at = 0;
  for (const [index, text] of strings.entries()) {
    at = bytes.writeUInt32LE(lengths[index] ?? 0, at);
    at += bytes.write(text, at);
  }
  return bytes;
}
