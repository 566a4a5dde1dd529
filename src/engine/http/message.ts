import { SlipwayError } from '../../protocol/errors.ts';

type Fields = Readonly<Record<string, unknown>>;

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
  text(name: string): string | undefined;
  requiredText(name: string): string;
  /** An int64 that a JavaScript number holds exactly. A fraction is cut off, as MLflow does. */
  integer(name: string): number | undefined;
  requiredInteger(name: string): number;
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

/** Wraps fields that were parsed from JSON or a query. */
export function createMessage(fields: Fields, place = ''): Message {
  const where = (name: string) => (place === '' ? name : `${place}.${name}`);
  const find = (name: string): unknown => fields[name] ?? fields[camelCase(name)] ?? undefined;
  const required = <Value>(name: string, value: Value | undefined): Value => {
    if (value === undefined || value === '') throw missingParameter(where(name));
    return value;
  };
  const message: Message = {
    fields,
    has: (name) => find(name) !== undefined,
    text(name) {
      const value = find(name);
      if (value === undefined || typeof value === 'string') return value;
      throw wrongType(where(name), value);
    },
    requiredText: (name) => required(name, message.text(name)),
    integer: (name) => readInteger(find(name), where(name)),
    requiredInteger: (name) => required(name, message.integer(name)),
    double: (name) => readDouble(find(name), where(name)),
    requiredDouble: (name) => required(name, message.double(name)),
    flag(name) {
      const value = find(name);
      if (value === undefined || typeof value === 'boolean') return value;
      const word = typeof value === 'string' ? value.toLowerCase() : value;
      if (word === 'true') return true;
      if (word === 'false') return false;
      throw wrongType(where(name), value);
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
        if (isFields(item)) return createMessage(item, `${where(name)}[${index}]`);
        throw wrongType(where(name), value);
      });
    },
    message(name) {
      const value = find(name);
      if (value === undefined) return undefined;
      if (isFields(value)) return createMessage(value, where(name));
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
  return new SlipwayError('invalidParameter', {
    detail: `Missing value for required parameter '${name}'. See the API docs for more information about request parameters.`,
  });
}

function wrongType(name: string, value: unknown): SlipwayError {
  return new SlipwayError('invalidParameter', {
    detail: `Invalid value ${JSON.stringify(value)} for parameter '${name}' supplied: Hint: Value was of type '${pythonType(value)}'. See the API docs for more information about request parameters.`,
  });
}

/** MLflow's messages name types as Python does. */
function pythonType(value: unknown): string {
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return Array.isArray(value) ? 'list' : 'dict';
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
