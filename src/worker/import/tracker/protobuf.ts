/**
 * Reads messages in the protobuf wire format (https://protobuf.dev/programming-guides/encoding/) field by field, without
 * a schema.
 */

/** One field of a message. The object is used again for the next field: take out what you need. */
export interface WireField {
  readonly number: number;
  /** Of a varint field: its value as a signed 64-bit integer, rounded beyond 2^53. Else 0. */
  readonly integer: number;
  /** Of a length-delimited or fixed-size field: its bytes, which lie in the message. Else empty. */
  readonly content: Uint8Array;
  readonly isVarint: boolean;
}

type Changing<Type> = { -readonly [Key in keyof Type]: Type[Key] };

const varintType = 0;
const fixed64Type = 1;
const lengthDelimitedType = 2;
const fixed32Type = 5;
const nothing = new Uint8Array(0);
const decoder = new TextDecoder();

/** Calls `visit` with each field, in the order of the bytes. @throws Error when the bytes are no protobuf message. */
export function visitFields(message: Uint8Array, visit: (field: WireField) => void): void {
  const field: Changing<WireField> = { number: 0, integer: 0, content: nothing, isVarint: false };
  const position = { at: 0 };
  while (position.at < message.length) {
    const tag = readVarint(message, position);
    const type = tag & 7;
    field.number = Math.floor(tag / 8);
    field.isVarint = type === varintType;
    field.integer = 0;
    field.content = nothing;
    if (type === varintType) {
      field.integer = readVarint(message, position);
    } else {
      const length = lengthOf(type, message, position);
      const end = position.at + length;
      if (length < 0 || end > message.length) throw new Error('a message is cut off');
      field.content = message.subarray(position.at, end);
      position.at = end;
    }
    visit(field);
  }
}

function lengthOf(type: number, message: Uint8Array, position: { at: number }): number {
  if (type === lengthDelimitedType) return readVarint(message, position);
  if (type === fixed64Type) return 8;
  if (type === fixed32Type) return 4;
  throw new Error('it is no protobuf message');
}

/** A signed 64-bit integer; put together from halves, because bit operations have 32 bits. */
function readVarint(message: Uint8Array, position: { at: number }): number {
  let low = 0;
  let high = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = message[position.at++];
    if (byte === undefined) throw new Error('a message is cut off');
    const bits = byte & 0x7f;
    if (shift < 28) low |= bits << shift;
    else if (shift === 28) {
      low |= bits << 28;
      high |= bits >>> 4;
    } else high |= bits << (shift - 32);
    if (byte < 0x80) return (high | 0) * 0x1_0000_0000 + (low >>> 0);
  }
  throw new Error('it is no protobuf message');
}

/** The text of a string field. */
export function textOf(field: WireField): string {
  return decoder.decode(field.content);
}

/** The number of a `double` field. */
export function doubleOf(field: WireField): number {
  return viewOf(field.content, 8).getFloat64(0, true);
}

/** The number of a `float` field. */
export function floatOf(field: WireField): number {
  return viewOf(field.content, 4).getFloat32(0, true);
}

/** The integers of a repeated field, packed or not. */
export function integersOf(field: WireField): readonly number[] {
  if (field.isVarint) return [field.integer];
  const position = { at: 0 };
  const integers: number[] = [];
  while (position.at < field.content.length) integers.push(readVarint(field.content, position));
  return integers;
}

function viewOf(content: Uint8Array, length: number): DataView {
  if (content.length !== length) throw new Error('a number has another size than its type');
  return new DataView(content.buffer, content.byteOffset, length);
}

/** The text in a field of a message; empty when it is not there. */
export function readTextField(message: Uint8Array, number: number): string {
  let text = '';
  visitFields(message, (field) => {
    if (field.number === number && !field.isVarint) text = textOf(field);
  });
  return text;
}
