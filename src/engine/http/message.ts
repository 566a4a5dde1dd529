import type { SlipwayError } from '../../protocol/errors.ts';
import { invalid } from '../tracking/limits.ts';
import type { Int64 } from '../tracking/types.ts';
import { parseJsonBodyExactly } from './bodyJson.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The JSON that a message was read from. */
export interface MessageSource {
  readonly text: string;
  /** Its content with those integers as bigints that lose digits as JavaScript numbers. */
  exact(): unknown;
}

/** The source of a message and of those inside it. It is parsed exactly once, and only when somebody asks. */
export function createSource(text: string): MessageSource {
  let exact: unknown;
  return {
    text,
    exact() {
      exact ??= parseJsonBodyExactly(text);
      return exact;
    },
  };
}

/**
 * The parameters of one call in the MLflow dialect, whether they came in the query, the path or a JSON body.
 *
 * Fields are named in snake_case; camelCase in the input is understood too. A field that is absent or null reads as
 * `undefined`. In a query everything is text, so numbers and booleans are accepted as text as well. The `required…`
 * readers throw `invalidParameter` in MLflow's words when the field is absent (or, for text, empty); every reader
 * throws it when the value has another type.
 */
export interface Message {
  /** The fields as they came, for a reader that must be fast; prefer the typed readers. */
  readonly fields: Fields;
  has(name: string): boolean;
  /** A field that may be any JSON; absent and null are `undefined`. */
  value(name: string): unknown;
  text(name: string): string | undefined;
  requiredText(name: string): string;
  /** An int64 that a JavaScript number holds exactly. A fraction is cut off, as MLflow does. */
  integer(name: string): number | undefined;
  requiredInteger(name: string): number;
  /** An int64 with all its digits. A fraction is cut off. */
  int64(name: string): Int64 | undefined;
  requiredInt64(name: string): Int64;
  /** The fields with those integers as bigints that lose digits as JavaScript numbers; slow, as the JSON is read anew once. */
  exactFields(): Fields;
  /** A double; the texts "NaN", "Infinity" and "-Infinity" are numbers too. */
  double(name: string): number | undefined;
  requiredDouble(name: string): number;
  flag(name: string): boolean | undefined;
  /** An enum by name or by its number (`numbers[name]`); an unknown one reads as absent, as protobuf does. */
  choice<Name extends string>(name: string, numbers: Readonly<Record<Name, number>>): Name | undefined;
  /** A list of texts; one text alone counts as a list of one. Absent: empty. */
  texts(name: string): readonly string[];
  /** A list of messages. Absent: empty. */
  messages(name: string): readonly Message[];
  message(name: string): Message | undefined;
}

/**
 * Wraps fields that were parsed from JSON or a query. `place` is what errors call a message inside another. From the
 * source come all digits of large integers, and how errors quote numbers; a query has none.
 */
export function createMessage(fields: Fields, place = '', source: MessageSource | null = null): Message {
  const where = (name: string) => (place === '' ? name : `${place}.${name}`);
  const find = (name: string): unknown => {
    const other = camelCase(name);
    if (other !== name && fields[name] !== undefined && fields[other] !== undefined) {
      throw invalid(`Request specifies both '${name}' and '${other}'; provide only one of them.`);
    }
    return fields[name] ?? fields[other] ?? undefined;
  };
  const required = <Value>(name: string, value: Value | undefined): Value => {
    if (value === undefined || value === '') throw missingParameter(where(name));
    return value;
  };
  const message: Message = {
    fields,
    has: (name) => find(name) !== undefined,
    value: find,
    text(name) {
      const value = find(name);
      if (value === undefined || typeof value === 'string') return value;
      throw wrongType(where(name), value, literalOf(name, value, source?.text ?? ''));
    },
    requiredText: (name) => required(name, message.text(name)),
    integer: (name) => readInteger(find(name), where(name)),
    requiredInteger: (name) => required(name, message.integer(name)),
    int64(name) {
      const value = find(name);
      if (!isInexact(value)) return readInt64(value, where(name));
      const exact = message.exactFields();
      return readInt64(exact[name] ?? exact[camelCase(name)], where(name));
    },
    requiredInt64: (name) => required(name, message.int64(name)),
    exactFields: () => (source === null ? fields : fieldsAt(source.exact(), place)),
    double: (name) => readDouble(find(name), where(name)),
    requiredDouble: (name) => required(name, message.double(name)),
    flag(name) {
      const value = find(name);
      if (value === undefined || typeof value === 'boolean') return value;
      const word = typeof value === 'string' ? value.toLowerCase() : value;
      if (word === 'true') return true;
      if (word === 'false') return false;
      if (typeof word !== 'string') throw wrongType(where(name), value);
      throw invalid(`Invalid boolean value: ${value}, must be 'true' or 'false'.`);
    },
    choice(name, numbers) {
      const value = find(name);
      for (const known in numbers) {
        if (value === known || value === numbers[known] || value === String(numbers[known])) return known;
      }
      return undefined;
    },
    texts(name) {
      const value = find(name);
      if (value === undefined) return [];
      const values: readonly unknown[] = Array.isArray(value) ? value : [value];
      return values.map((item) => {
        if (typeof item === 'string') return item;
        throw wrongType(where(name), value);
      });
    },
    messages(name) {
      const value = find(name);
      if (value === undefined) return [];
      if (!Array.isArray(value)) throw wrongType(where(name), value);
      return value.map((item, index) => {
        if (isFields(item)) return createMessage(item, `${where(name)}[${index}]`, source);
        throw wrongType(where(name), value);
      });
    },
    message(name) {
      const value = find(name);
      if (value === undefined) return undefined;
      if (isFields(value)) return createMessage(value, where(name), source);
      throw wrongType(where(name), value);
    },
  };
  return message;
}

/** Reads an int64 from a number or its text; `undefined` and null read as absent. */
export function readInteger(value: unknown, name: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  const read = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof read !== 'number' || !Number.isFinite(read)) throw wrongType(name, value);
  const whole = Math.trunc(read);
  if (!Number.isSafeInteger(whole)) throw wrongType(name, value);
  // A negative fraction is cut to -0, which SQLite would keep apart from 0.
  return whole === 0 ? 0 : whole;
}

/** Whether a parsed number may have lost digits. */
export function isInexact(value: unknown): boolean {
  return typeof value === 'number' && !Number.isSafeInteger(Math.trunc(value));
}

/** Reads an int64 from a number, a bigint, a boolean or a text; `undefined` and null read as absent. */
export function readInt64(value: unknown, name: string): Int64 | undefined {
  if (value === undefined || value === null) return undefined;
  const whole = wholeNumber(typeof value === 'boolean' ? Number(value) : value);
  if (whole === null || BigInt.asIntN(64, whole) !== whole) {
    throw typeof value === 'bigint' ? wrongType(name, Number(value), String(value)) : wrongType(name, value);
  }
  const number = Number(whole);
  return Number.isSafeInteger(number) ? number : whole;
}

function wholeNumber(value: unknown): bigint | null {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? BigInt(Math.trunc(value)) : null;
  if (typeof value !== 'string' || value.trim() === '') return null;
  const digits = /^\s*\+?(-?\d+)\s*$/.exec(value)?.[1];
  return digits === undefined ? wholeNumber(Number(value)) : BigInt(digits);
}

/** The message at a place such as `metrics[3]` inside a parsed body. */
function fieldsAt(body: unknown, place: string): Fields {
  const names = place.split(/[.[\]]+/).filter((name) => name !== '');
  const found = names.reduce<unknown>(
    (fields, name) => (typeof fields === 'object' && fields !== null ? Reflect.get(fields, name) : undefined),
    body,
  );
  return isFields(found) ? found : {};
}

/** Reads a double from a number, a boolean or a text, in the spellings of protobuf's JSON and of Python. */
export function readDouble(value: unknown, name: string): number | undefined {
  if (typeof value === 'number') return value;
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'string') {
    const word = value.trim().toLowerCase();
    if (word === 'nan') return Number.NaN;
    if (/^[+-]?inf(inity)?$/.test(word))
      return word.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    if (word !== '' && !Number.isNaN(Number(word))) return Number(word);
  }
  throw wrongType(name, value);
}

/** Whether a parsed JSON value is an object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function missingParameter(name: string): SlipwayError {
  return invalid(
    `Missing value for required parameter '${name}'. See the API docs for more information about request parameters.`,
  );
}

/** That a value has not the type or range that it should have; `literal` is how it was written. */
export function wrongType(name: string, value: unknown, literal = JSON.stringify(value)): SlipwayError {
  return invalid(
    `Invalid value ${literal} for parameter '${name}' supplied:  Hint: Value was of type '${pythonType(value, literal)}'. See the API docs for more information about request parameters.`,
  );
}

/** A number as the JSON has it: `9.0` is 9 once it is parsed. */
function literalOf(name: string, value: unknown, source: string): string | undefined {
  if (typeof value !== 'number') return undefined;
  for (const key of [`"${name}"`, `"${camelCase(name)}"`]) {
    for (let at = source.indexOf(key); at >= 0; at = source.indexOf(key, at + 1)) {
      const literal = /^\s*:\s*(-?\d[\d.eE+-]*)/.exec(
        source.slice(at + key.length, at + key.length + 100),
      )?.[1];
      if (literal !== undefined && Number(literal) === value) return literal;
    }
  }
  return undefined;
}

/** MLflow's messages name types as Python does. */
function pythonType(value: unknown, literal: string): string {
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return /^-?\d+$/.test(literal) ? 'int' : 'float';
  return Array.isArray(value) ? 'list' : 'dict';
}

/** The names that our code asks for, in camelCase: made once, as each message is asked for several. */
const camelNames = new Map<string, string>();

function camelCase(name: string): string {
  const known = camelNames.get(name);
  if (known !== undefined) return known;
  const made = name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  camelNames.set(name, made);
  return made;
}
