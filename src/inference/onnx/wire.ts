/**
 * Just enough of the protobuf wire format to look into an ONNX file and to leave fields out of it, without a schema
 * and without decoding weights (https://protobuf.dev/programming-guides/encoding/).
 */

/** One field of a message, as it lies in the bytes. */
export interface WireField {
  readonly number: number;
  /** Of a varint field: its value. */
  readonly value: bigint;
  /** Of a length-delimited field: what it holds. */
  readonly content: Uint8Array;
  /** The whole field, tag included, as it can be copied elsewhere. */
  readonly bytes: Uint8Array;
}

const varintType = 0;
const fixed64Type = 1;
const lengthDelimitedType = 2;
const fixed32Type = 5;
const nothing = new Uint8Array(0);

/** The fields of a message, in the order of the bytes. @throws Error when the bytes are no protobuf message. */
export function* readFields(message: Uint8Array): Generator<WireField> {
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw new Error('it is cut off or no protobuf message');
  };
  while (at < message.length) {
    const start = at;
    const tag = Number(varint());
    const type = tag & 7;
    let value = 0n;
    let content: Uint8Array = nothing;
    if (type === varintType) value = varint();
    else if (type === lengthDelimitedType) {
      const length = Number(varint());
      content = message.subarray(at, at + length);
      at += length;
    } else if (type === fixed64Type) at += 8;
    else if (type === fixed32Type) at += 4;
    else throw new Error('it is no protobuf message');
    if (at > message.length || at <= start) throw new Error('it is cut off');
    yield { number: tag >>> 3, value, content, bytes: message.subarray(start, at) };
  }
}

/** Numbers of a repeated integer field, packed or not. */
export function readIntegers(field: WireField): readonly bigint[] {
  if (field.content.length === 0) return [field.value];
  const values: bigint[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of field.content) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte >= 0x80) continue;
    values.push(BigInt.asIntN(64, value));
    value = 0n;
    shift = 0n;
  }
  return values;
}

const decoder = new TextDecoder();

/** The text of a string field. */
export function readText(field: WireField): string {
  return decoder.decode(field.content);
}

/** A field that holds a message or a string. */
export function writeField(number: number, content: Uint8Array | string): Uint8Array {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return joinBytes([varintBytes(number * 8 + lengthDelimitedType), varintBytes(bytes.length), bytes]);
}

/** A field that holds a number that is not negative. */
export function writeInteger(number: number, value: number): Uint8Array {
  return joinBytes([varintBytes(number * 8 + varintType), varintBytes(value)]);
}

/** Messages are joined by joining the bytes of their fields. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function varintBytes(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
