import { WireReader, wireTypes } from './wireReader.ts';
import { WireWriter } from './wireWriter.ts';

/**
 * Messages of protobuf (proto3), described by their fields. It takes the place of a compiler of `.proto` files: the few
 * messages of the inference protocol stay readable, 64-bit integers exact, and bytes are not copied.
 */

/** A field of a message. */
export interface Field<Value> {
  readonly number: number;
  /** The value while the message has none. */
  initial(): Value;
  /** @returns the value after what stands there, `before` being that of the same field earlier in the message. */
  read(reader: WireReader, wireType: number, before: Value): Value;
  write(writer: WireWriter, value: Value): void;
}

/** A kind of message. */
export interface Message<Value> {
  /** @throws Error when the bytes are no such message. */
  decode(bytes: Buffer): Value;
  /** What is left out has no value. */
  encode(value: Partial<Value>): Buffer;
  writeTo(writer: WireWriter, value: Partial<Value>): void;
}

type Fields = Readonly<Record<string, Field<unknown>>>;

type ValueOf<Described extends Fields> = {
  readonly [Name in keyof Described]: Described[Name] extends Field<infer Value> ? Value : never;
};

/** What a kind of message holds. */
export type Decoded<Kind> = Kind extends Message<infer Value> ? Value : never;

/** A kind of message of these fields, whose names are those of the protocol. */
export function message<Described extends Fields>(fields: Described): Message<ValueOf<Described>> {
  const entries = Object.entries<Field<unknown>>(fields);
  const byNumber = new Map(entries.map(([name, field]) => [field.number, { name, field }]));
  const writeTo = (writer: WireWriter, value: Readonly<Record<string, unknown>>) => {
    for (const [name, field] of entries) {
      const member = value[name];
      if (member !== undefined) field.write(writer, member);
    }
  };
  return {
    decode(bytes) {
      const value: Record<string, unknown> = {};
      for (const [name, field] of entries) value[name] = field.initial();
      const reader = new WireReader(bytes);
      while (!reader.done) {
        const tag = reader.uint32();
        const known = byNumber.get(tag >>> 3);
        if (known) value[known.name] = known.field.read(reader, tag & 7, value[known.name]);
        else reader.skip(tag & 7);
      }
      // Each member was made by the field of its name, which the compiler cannot follow through the loop.
      return value as ValueOf<Described>;
    },
    encode(value) {
      const writer = new WireWriter();
      writeTo(writer, value);
      return writer.finish();
    },
    writeTo,
  };
}

/** How a single value lies in a message. */
export interface Scalar<Value> {
  readonly wireType: number;
  readonly nothing: Value;
  read(reader: WireReader): Value;
  write(writer: WireWriter, value: Value): void;
}

function scalar<Value>(
  wireType: number,
  nothing: Value,
  read: (reader: WireReader) => Value,
  write: (writer: WireWriter, value: Value) => void,
): Scalar<Value> {
  return { wireType, nothing, read, write };
}

const { varint, fixed32, fixed64, lengthDelimited } = wireTypes;

export const text = scalar(
  lengthDelimited,
  '',
  (from) => from.text(),
  (to, value) => to.text(value),
);
export const bytes = scalar<Uint8Array>(
  lengthDelimited,
  new Uint8Array(0),
  (from) => from.bytes(),
  (to, value) => to.bytes(value),
);
export const bool = scalar<boolean>(
  varint,
  false,
  (from) => from.bool(),
  (to, value) => to.varint(value ? 1 : 0),
);
export const int32 = scalar(
  varint,
  0,
  (from) => from.int32(),
  (to, value) => to.signed(value),
);
export const uint32 = scalar(
  varint,
  0,
  (from) => from.uint32(),
  (to, value) => to.varint(value),
);
export const int64 = scalar(
  varint,
  0n,
  (from) => from.int64(),
  (to, value) => to.signed(value),
);
export const uint64 = scalar(
  varint,
  0n,
  (from) => from.uint64(),
  (to, value) => to.signed(value),
);
/** An integer of 64 bits where a number is exact enough; NaN where it is not. */
export const int64Number = scalar(
  varint,
  0,
  (from) => from.int64Number(),
  (to, value) => to.signed(value),
);
export const float = scalar(
  fixed32,
  0,
  (from) => from.float(),
  (to, value) => to.float(value),
);
export const double = scalar(
  fixed64,
  0,
  (from) => from.double(),
  (to, value) => to.double(value),
);

/** A field with one value, which is nothing of its kind when it is not there. */
export function one<Value>(number: number, kind: Scalar<Value>): Field<Value> {
  return {
    number,
    initial: () => kind.nothing,
    read: (reader, wireType) => readOne(reader, wireType, kind),
    write(writer, value) {
      if (value === kind.nothing) return;
      writer.tag(number, kind.wireType);
      kind.write(writer, value);
    },
  };
}

/** A field of which it is known whether it is there: a member of a choice. */
export function maybe<Value>(number: number, kind: Scalar<Value>): Field<Value | undefined> {
  return {
    number,
    initial: () => undefined,
    read: (reader, wireType) => readOne(reader, wireType, kind),
    write(writer, value) {
      if (value === undefined) return;
      writer.tag(number, kind.wireType);
      kind.write(writer, value);
    },
  };
}

/** More texts, bytes or messages in one field cost far more memory than they take in the request. */
const mostElements = 65_536;
const mostNumbers = 16_777_216;

function add<Value>(values: readonly Value[], value: Value, most: number): void {
  if (values.length >= most) throw new Error(`a field has more than ${most} elements`);
  // The list is the one that `initial` made, which nobody else has while the message is read.
  (values as Value[]).push(value);
}

/** A repeated field; numbers lie packed. */
export function many<Value>(number: number, kind: Scalar<Value>): Field<readonly Value[]> {
  const packed = kind.wireType !== lengthDelimited;
  const most = packed ? mostNumbers : mostElements;
  return {
    number,
    initial: () => [],
    read(reader, wireType, values) {
      if (!packed || wireType !== lengthDelimited) add(values, readOne(reader, wireType, kind), most);
      else {
        const inside = new WireReader(reader.bytes());
        while (!inside.done) add(values, kind.read(inside), most);
      }
      return values;
    },
    write(writer, values) {
      if (values.length === 0) return;
      if (packed) {
        writer.nested(number, () => {
          for (const value of values) kind.write(writer, value);
        });
        return;
      }
      for (const value of values) {
        writer.tag(number, kind.wireType);
        kind.write(writer, value);
      }
    },
  };
}

function readOne<Value>(reader: WireReader, wireType: number, kind: Scalar<Value>): Value {
  if (wireType !== kind.wireType) throw new Error('a field of the message has the wrong kind');
  return kind.read(reader);
}

function readMessage<Value>(reader: WireReader, wireType: number, kind: Message<Value>): Value {
  if (wireType !== lengthDelimited) throw new Error('a field of the message has the wrong kind');
  return kind.decode(reader.bytes());
}

/** A message in a field; null when it is not there. One to write may leave members out. */
export function inner<Value>(number: number, kind: Message<Value>): Field<Value | null> {
  return {
    number,
    initial: () => null,
    read: (reader, wireType) => readMessage(reader, wireType, kind),
    write(writer, value) {
      if (value) writer.nested(number, () => kind.writeTo(writer, value));
    },
  };
}

/** Messages in a repeated field. */
export function inners<Value>(number: number, kind: Message<Value>): Field<readonly Value[]> {
  return {
    number,
    initial: () => [],
    read(reader, wireType, values) {
      add(values, readMessage(reader, wireType, kind), mostElements);
      return values;
    },
    write(writer, values) {
      for (const value of values) writer.nested(number, () => kind.writeTo(writer, value));
    },
  };
}

/** A map from texts to messages, entry by entry: of equal keys the last one counts. */
export function entries<Value>(number: number, kind: Message<Value>) {
  return inners(number, message({ key: one(1, text), value: inner(2, kind) }));
}
