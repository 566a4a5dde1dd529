import { type Detail, detail } from '../protocol/errorDetails.ts';
import { fromHalfBits, toHalfBits } from '../protocol/halfPrecision.ts';
import type { NumberData, NumberDatatype } from '../protocol/numberData.ts';
import { roomFor } from './tensorMemory.ts';

/** The datatypes of the Open Inference Protocol that the runtime can take and give. */
export type Datatype = NumberDatatype | 'BYTES';

/** Elements of a tensor, row by row. */
export type TensorData = NumberData | string[];

export interface Tensor {
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: TensorData;
  /** The client left this optional input out; its data stands for nothing. */
  readonly absent?: true;
}

/**
 * Stands for no value in BYTES, where a model tells no value from an empty text (`TensorSpecification.nullable`). No
 * text that a client sends holds this character.
 */
export const missingText = '\0';

/** The runtime's names of the datatypes. */
export const runtimeTypes = {
  BOOL: 'bool',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
} as const satisfies Record<Datatype, string>;

/** The datatype that the runtime calls `type`; null when there is none in the protocol. */
export function datatypeOf(type: string): Datatype | null {
  for (const datatype of datatypes) if (runtimeTypes[datatype] === type) return datatype;
  return null;
}

const datatypes = Object.keys(runtimeTypes).filter((name): name is Datatype => name in runtimeTypes);

/** Room for `length` elements, which may lie in a memory with others. */
export function allocate(datatype: Datatype, length: number): TensorData {
  return datatype === 'BYTES' ? new Array<string>(length).fill('') : roomFor(datatype, length);
}

/** The rows of a request: those of its first input; 1 where that is a scalar. */
export function rowCount(feeds: readonly Tensor[]): number {
  return feeds[0]?.shape[0] ?? 1;
}

/** A slice of the elements that shares their memory where it can. */
export function sliceData(data: TensorData, from: number, to: number): TensorData {
  return Array.isArray(data) ? data.slice(from, to) : data.subarray(from, to);
}

/** Writes an element as it came from JSON; false when the datatype cannot hold it. */
export type ElementWriter = (data: TensorData, index: number, value: unknown) => boolean;

const integerRanges = {
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  INT32: [-2_147_483_648, 2_147_483_647],
  UINT8: [0, 255],
  UINT16: [0, 65_535],
  UINT32: [0, 4_294_967_295],
} as const;

/**
 * How elements of a datatype are read from JSON.
 *
 * - FP16, FP32, FP64: a number; null and "NaN" are NaN, "Infinity" and "-Infinity" are infinite. A finite number that
 *   FP32 cannot hold becomes infinite, as in numpy.
 * - INT64, UINT64: an integer up to 2^53, or any integer in range as a string of digits, because JSON numbers beyond
 *   2^53 lose digits on the way.
 * - other integers: an integer in range. BOOL: true or false.
 * - BYTES: a string without NUL, at which the runtime would cut it off; null where it is a value.
 *
 * @param nullable see `TensorSpecification`.
 */
export function elementWriter(datatype: Datatype, nullable = false): ElementWriter {
  switch (datatype) {
    case 'FP32':
    case 'FP64':
      return (data, index, value) => {
        const number = typeof value === 'number' ? value : specialNumber(value);
        if (number === undefined) return false;
        data[index] = number;
        return true;
      };
    case 'FP16':
      return (data, index, value) => {
        const number = typeof value === 'number' ? value : specialNumber(value);
        if (number === undefined) return false;
        data[index] = toHalfBits(number);
        return true;
      };
    case 'BOOL':
      return (data, index, value) => {
        if (typeof value !== 'boolean') return false;
        data[index] = value ? 1 : 0;
        return true;
      };
    case 'BYTES':
      return (data, index, value) => {
        if (nullable && value === null) {
          data[index] = missingText;
          return true;
        }
        if (typeof value !== 'string' || value.includes('\0')) return false;
        data[index] = value;
        return true;
      };
    case 'INT64':
    case 'UINT64':
      return (data, index, value) => {
        const integer = longInteger(datatype, value);
        if (integer === null) return false;
        data[index] = integer;
        return true;
      };
    default: {
      const [lowest, highest] = integerRanges[datatype];
      return (data, index, value) => {
        if (typeof value !== 'number' || !Number.isInteger(value)) return false;
        if (value < lowest || value > highest) return false;
        data[index] = value;
        return true;
      };
    }
  }
}

/**
 * Writes values as they came from JSON one after the other, from the place `at` on.
 *
 * @returns how many were written before one that the datatype cannot hold.
 */
export function writeElements(
  datatype: Datatype,
  data: TensorData,
  at: number,
  values: readonly unknown[],
  nullable = false,
): number {
  // Most of what is ever sent: a loop of its own is ten times as fast.
  if (data instanceof Float32Array || data instanceof Float64Array) return writeFloats(data, at, values);
  const write = elementWriter(datatype, nullable);
  for (let index = 0; index < values.length; index++) {
    if (!write(data, at + index, values[index])) return index;
  }
  return values.length;
}

function writeFloats(data: Float32Array | Float64Array, at: number, values: readonly unknown[]): number {
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    const number = typeof value === 'number' ? value : specialNumber(value);
    if (number === undefined) return index;
    data[at + index] = number;
  }
  return values.length;
}

function specialNumber(value: unknown): number | undefined {
  if (value === null || value === 'NaN') return Number.NaN;
  if (value === 'Infinity') return Number.POSITIVE_INFINITY;
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY;
  return undefined;
}

function longInteger(datatype: 'INT64' | 'UINT64', value: unknown): bigint | null {
  const safe = typeof value === 'number' && Number.isSafeInteger(value);
  const digits = typeof value === 'string' && /^-?\d{1,20}$/.test(value);
  if (!safe && !digits) return null;
  const integer = BigInt(value);
  const kept = datatype === 'INT64' ? BigInt.asIntN(64, integer) : BigInt.asUintN(64, integer);
  return kept === integer ? integer : null;
}

/** What a datatype takes. */
export function expectation(datatype: Datatype): Detail {
  switch (datatype) {
    case 'FP16':
    case 'FP32':
    case 'FP64':
      return detail('aNumber', { datatype });
    case 'BOOL':
      return detail('trueOrFalse');
    case 'BYTES':
      return detail('textWithoutNul');
    case 'INT64':
      return detail('largeInteger');
    case 'UINT64':
      return detail('largeNaturalNumber');
    default: {
      const [least, most] = integerRanges[datatype];
      return detail('integerBetween', { least, most, datatype });
    }
  }
}

/** In words: a value as it came from JSON, shortened. */
export function given(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/**
 * Whether the language writes the elements just as `elementJson` does: it is far faster for whole lists, but knows
 * no 64-bit integers, no half precision, and neither NaN, infinities nor a negative zero.
 */
export function isPlainJson({ datatype, data }: Tensor): boolean {
  if (Array.isArray(data)) return !data.includes(missingText);
  if (data instanceof Float32Array || data instanceof Float64Array) {
    return data.every((value) => Number.isFinite(value) && !Object.is(value, -0));
  }
  return datatype !== 'BOOL' && datatype !== 'FP16' && datatype !== 'INT64' && datatype !== 'UINT64';
}

/** An element as JSON text: NaN is null, infinities are strings, 64-bit integers keep all digits. */
export function elementJson(datatype: Datatype, value: string | number | bigint): string {
  if (typeof value === 'string') return value === missingText ? 'null' : JSON.stringify(value);
  if (typeof value === 'bigint') return value.toString();
  if (datatype === 'BOOL') return value ? 'true' : 'false';
  const number = datatype === 'FP16' ? fromHalfBits(value) : value;
  if (Number.isFinite(number)) return Object.is(number, -0) ? '-0.0' : String(number);
  if (Number.isNaN(number)) return 'null';
  return number > 0 ? '"Infinity"' : '"-Infinity"';
}
