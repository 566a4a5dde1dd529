import type { ColumnLayout } from '../../inference/columns.ts';
import { type Datatype, expectation } from '../../inference/datatypes.ts';
import type { TensorSpecification } from '../../inference/model.ts';
import { type Detail, detail } from '../../protocol/errorDetails.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import { identifier, isMissingMarker } from '../duckdb/sql.ts';
import type { InputColumn, InputTable } from './inputTable.ts';

/** How rows of a file become inputs of a model. */
export interface ModelColumns {
  /**
   * What to select of the file: first the number of the column whose value does not fit (null where all do), then
   * the value of each place of the layout.
   */
  readonly selection: string;
  /** Of each place the column that it is read from; null where an optional one is not there. */
  readonly sources: readonly (InputColumn | null)[];
  /** What the place takes. */
  expectation(place: number): Detail;
}

/**
 * Finds the columns of a model in a file: by name where the model names them, else by their order. Other columns are
 * left alone.
 *
 * @throws SlipwayError `scoreInputUnsuitable` when columns are missing or cannot hold what the model takes.
 */
export function findModelColumns(
  { columns }: Pick<InputTable, 'columns'>,
  path: string,
  layout: ColumnLayout | null,
  inputs: readonly TensorSpecification[],
): ModelColumns {
  if (layout === null) {
    throw unsuitable(path, detail('inputsNotColumns', { inputs: inputs.map(describeInput) }));
  }
  const sources = layout.named
    ? namedColumns(columns, path, layout, inputs)
    : orderedColumns(columns, path, layout);
  const takers = layout.places.map(({ input }) => inputs[input]);
  const values = sources.map((column, place) => {
    const taker = takers[place];
    if (!column || !taker) return { value: 'NULL', problem: 'false' };
    const { datatype, nullable = false } = taker;
    if (column.kind === 'other' && datatype !== 'BYTES') {
      const holds = column.type.toString();
      throw unsuitable(
        path,
        detail('columnHolds', { column: column.name, type: holds, expected: expectation(datatype) }),
      );
    }
    return columnValue(column, datatype, nullable);
  });
  const problems = values.map(({ problem }, place) => `WHEN ${problem} THEN ${place}`);
  return {
    selection: `CASE ${problems.join(' ')} END, ${values.map(({ value }) => value).join(', ')}`,
    sources,
    expectation: (place) => expectation(takers[place]?.datatype ?? 'FP32'),
  };
}

function describeInput({ name, shape }: TensorSpecification): Detail {
  const sizes = shape?.map((size) => (size === -1 ? detail('anySize') : size));
  return detail('inputOfShape', { name, shape: sizes ?? detail('unknownShape') });
}

function namedColumns(
  columns: readonly InputColumn[],
  path: string,
  { places }: ColumnLayout,
  inputs: readonly TensorSpecification[],
): readonly (InputColumn | null)[] {
  const byName = new Map(columns.map((column) => [column.name, column]));
  const missing = places.flatMap(({ name, input }) =>
    byName.has(name ?? '') || inputs[input]?.optional ? [] : [`"${name}"`],
  );
  if (missing.length > 0) {
    const [column = ''] = missing;
    const there = listed(columns);
    const problem =
      missing.length === 1
        ? detail('columnMissing', { column, there })
        : detail('columnsMissing', { columns: missing, there });
    throw unsuitable(path, problem);
  }
  return places.map(({ name }) => byName.get(name ?? '') ?? null);
}

function orderedColumns(
  columns: readonly InputColumn[],
  path: string,
  { places }: ColumnLayout,
): readonly InputColumn[] {
  if (columns.length === places.length) return columns;
  throw unsuitable(
    path,
    detail('columnCount', { expected: places.length, found: columns.length, there: listed(columns) }),
  );
}

function listed(columns: readonly InputColumn[]): string {
  const names = columns.slice(0, 50).map(({ name }) => name);
  return columns.length > 50 ? `${names.join(', ')}, … (${columns.length})` : names.join(', ');
}

function unsuitable(path: string, problem: Detail): SlipwayError {
  return new SlipwayError('scoreInputUnsuitable', { path, detail: problem });
}

const integerTypes = {
  INT8: 'TINYINT',
  INT16: 'SMALLINT',
  INT32: 'INTEGER',
  INT64: 'BIGINT',
  UINT8: 'UTINYINT',
  UINT16: 'USMALLINT',
  UINT32: 'UINTEGER',
  UINT64: 'UBIGINT',
} as const;

interface ColumnValue {
  readonly value: string;
  /** SQL for whether the model cannot take the value. */
  readonly problem: string;
}

/** SQL that turns a column into values for a datatype. Missing numbers are null, which floats take for NaN. */
function columnValue(column: InputColumn, datatype: Datatype, nullable: boolean): ColumnValue {
  const stored = identifier(column.name);
  const isText = column.kind === 'text' || column.kind === 'json';
  // The text of a JSON value: that of a string without its quotes, null of null.
  const source = column.kind === 'json' ? `(${stored} ->> '$')` : stored;
  switch (datatype) {
    case 'FP16':
    case 'FP32':
    case 'FP64': {
      // A number that is too large for the model becomes infinite, as in numpy; so it comes as a double.
      if (!isText) return { value: `CAST(${stored} AS DOUBLE)`, problem: 'false' };
      const given = `CASE WHEN ${isMissingMarker(source)} THEN NULL ELSE ${source} END`;
      const value = `TRY_CAST(${given} AS DOUBLE)`;
      return { value, problem: `${value} IS NULL AND (${given}) IS NOT NULL` };
    }
    case 'BOOL': {
      const value =
        column.kind === 'number'
          ? `CASE ${stored} WHEN 0 THEN false WHEN 1 THEN true END`
          : `TRY_CAST(${source} AS BOOLEAN)`;
      return { value, problem: `(${value}) IS NULL` };
    }
    case 'BYTES': {
      const value = `CAST(${source} AS VARCHAR)`;
      // At a NUL, the runtime would cut the text off.
      const cutOff = `coalesce(contains(${value}, chr(0)), false)`;
      return { value, problem: nullable ? cutOff : `(${value} IS NULL OR ${cutOff})` };
    }
    default: {
      const type = integerTypes[datatype];
      // DuckDB would round what is no integer.
      const whole = isText
        ? `CASE WHEN regexp_full_match(${source}, '\\s*[+-]?\\d+(\\.0*)?\\s*') THEN TRY_CAST(${source} AS ${type}) END`
        : `CASE WHEN ${stored} = trunc(${stored}) THEN TRY_CAST(${stored} AS ${type}) END`;
      const value = column.kind === 'truth' ? `CAST(${stored} AS ${type})` : whole;
      return { value, problem: `(${value}) IS NULL` };
    }
  }
}
