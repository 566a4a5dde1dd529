import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBType,
  type DuckDBValue,
  FLOAT,
  INTEGER,
  LIST,
  listValue,
  SMALLINT,
  TINYINT,
  UBIGINT,
  UINTEGER,
  USMALLINT,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api';
import { type Datatype, missingText, type Tensor } from '../../inference/datatypes.ts';
import type { OutputSpecification } from '../../inference/model.ts';
import { type Detail, detail, worded } from '../../protocol/errorDetails.ts';
import { fromHalfBits } from '../../protocol/halfPrecision.ts';

/** An output of a model that predictions cannot be taken from. */
export class UnfitOutput extends Error {
  readonly detail: Detail;

  constructor(said: Detail) {
    super(String(worded(said)));
    this.name = 'UnfitOutput';
    this.detail = said;
  }
}

/** A column of predictions. */
export interface PredictionColumn {
  readonly name: string;
  readonly type: DuckDBType;
  /** The output that it comes from. */
  readonly output: number;
  /** Its place in a row of that output, and how many elements such a row has; null when it holds the whole row. */
  readonly place: { readonly offset: number; readonly width: number } | null;
}

/** A row of more numbers becomes one list, not so many columns. */
const mostColumns = 1024;

const columnTypes = {
  BOOL: BOOLEAN,
  INT8: TINYINT,
  INT16: SMALLINT,
  INT32: INTEGER,
  INT64: BIGINT,
  UINT8: UTINYINT,
  UINT16: USMALLINT,
  UINT32: UINTEGER,
  UINT64: UBIGINT,
  FP16: FLOAT,
  FP32: FLOAT,
  FP64: DOUBLE,
  BYTES: VARCHAR,
} as const satisfies Record<Datatype, DuckDBType>;

/**
 * The columns that hold a model's outputs: one for an output with one element a row; one for each class, called
 * `<output>_<label>`, for scores by class; one for each element, called `<output>_<number>`, for rows of a known width;
 * else one of lists.
 *
 * @param taken names of the input's columns; a prediction of the same name is called `<name>_prediction`.
 */
export function predictionColumns(
  outputs: readonly OutputSpecification[],
  taken: readonly string[],
): readonly PredictionColumn[] {
  const names = new Set(taken.map((name) => name.toLowerCase()));
  const free = (wanted: string): string => {
    let name = wanted;
    for (let number = 1; names.has(name.toLowerCase()); number++) {
      name = number === 1 ? `${wanted}_prediction` : `${wanted}_prediction_${number}`;
    }
    names.add(name.toLowerCase());
    return name;
  };
  return outputs.flatMap(({ name: given, datatype, shape, labels }, output): PredictionColumn[] => {
    const name = given === '' ? 'prediction' : given;
    const type = columnTypes[datatype];
    if (labels) {
      return labels.map((label, offset) => ({
        name: free(`${name}_${label}`),
        type,
        output,
        place: { offset, width: labels.length },
      }));
    }
    const width = shape === null ? 1 : shape.slice(1).reduce((size, next) => size * next, 1);
    if (width === 1) return [{ name: free(name), type, output, place: { offset: 0, width } }];
    if (shape?.length === 2 && width > 1 && width <= mostColumns) {
      return Array.from({ length: width }, (_, offset) => ({
        name: free(`${name}_${offset}`),
        type,
        output,
        place: { offset, width },
      }));
    }
    const depth = shape === null ? 1 : shape.length - 1;
    const nested = Array.from({ length: depth }).reduce<DuckDBType>((element) => LIST(element), type);
    return [{ name: free(name), type: nested, output, place: null }];
  });
}

/**
 * The values of a column in a tensor of its output.
 *
 * @throws UnfitOutput when the tensor has not one row for each, or its rows do not fit the column.
 */
export function columnValues(
  { name, place }: PredictionColumn,
  tensor: Tensor,
  rows: number,
): readonly DuckDBValue[] {
  const [count = 1, ...row] = tensor.shape;
  if (tensor.shape.length === 0 || count !== rows) {
    throw new UnfitOutput(
      tensor.shape.length === 0
        ? detail('outputOneValue', { name, rows })
        : detail('outputRows', { given: count, name, rows }),
    );
  }
  const width = row.reduce((size, next) => size * next, 1);
  const element = elementReader(tensor);
  if (place === null) return Array.from({ length: rows }, (_, at) => nested(element, row, at * width, width));
  if (place.width !== width) throw new UnfitOutput(detail('outputWidth', { width, name }));
  return Array.from({ length: rows }, (_, at) => element(at * width + place.offset));
}

/**
 * The outputs with what the file does not say of their shapes, as a run shows it: the rank, and that a row is one
 * element. Other sizes that may vary stay so.
 */
export function settledOutputs(
  outputs: readonly OutputSpecification[],
  shapes: readonly (readonly number[])[],
): readonly OutputSpecification[] {
  return outputs.map((output, index) => {
    const shown = shapes[index];
    const isKnown = output.shape?.slice(1).every((size) => size !== -1) === true;
    if (!shown || isKnown || output.labels) return output;
    const rest = shown.slice(1);
    return { ...output, shape: [-1, ...(rest.every((size) => size === 1) ? rest : rest.map(() => -1))] };
  });
}

function elementReader({ datatype, data }: Tensor): (index: number) => DuckDBValue {
  switch (datatype) {
    case 'BOOL':
      return (index) => data[index] !== 0;
    case 'FP16':
      return (index) => fromHalfBits(Number(data[index]));
    case 'BYTES':
      return (index) => (data[index] === missingText ? null : (data[index] ?? null));
    default:
      return (index) => data[index] ?? null;
  }
}

function nested(
  element: (index: number) => DuckDBValue,
  shape: readonly number[],
  from: number,
  count: number,
): DuckDBValue {
  const [size = 0, ...rest] = shape;
  if (shape.length === 0) return element(from);
  const each = size === 0 ? 0 : count / size;
  return listValue(Array.from({ length: size }, (_, at) => nested(element, rest, from + at * each, each)));
}
