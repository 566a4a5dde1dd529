import {
  DuckDBArrayType,
  type DuckDBConnection,
  DuckDBListType,
  DuckDBStructType,
  type DuckDBType,
  DuckDBTypeId,
} from '@duckdb/node-api';
import type { DataFormat } from '../../protocol/scoring.ts';
import { identifier, isMissingMarker, literal } from '../duckdb/sql.ts';
import type { InputColumn, InputTable } from './inputTable.ts';

/** SQL for a column of the output. */
export interface OutputColumn {
  readonly name: string;
  readonly value: string;
}

/**
 * The columns of the input as the output has them. Within a format nothing changes: text stays as it is spelled, and
 * JSON as it is. Text and JSON that go to another format get the types that all of their values have.
 *
 * @param source the name that the input has in the query.
 */
export async function inputAsOutput(
  connection: DuckDBConnection,
  table: InputTable,
  output: DataFormat,
  source: string,
): Promise<readonly OutputColumn[]> {
  const column = (name: string) => `${source}.${identifier(name)}`;
  if (familyOf(table.format) === familyOf(output)) {
    return table.columns.map(({ name }) => ({ name, value: column(name) }));
  }
  if (table.format === 'parquet') {
    return table.columns.map(({ name, type }) => ({ name, value: asWritten(column(name), type, output) }));
  }
  const types = await foundTypes(connection, table);
  return table.columns.map(({ name, kind }, index) => {
    const type = types[index] ?? 'VARCHAR';
    if (kind === 'json' && type === 'JSON') return { name, value: `CAST(${column(name)} AS VARCHAR)` };
    const text = kind === 'json' ? `(${column(name)} ->> '$')` : column(name);
    const given = type === 'VARCHAR' ? text : `CASE WHEN ${isMissingMarker(text)} THEN NULL ELSE ${text} END`;
    const value = type === 'VARCHAR' ? text : `CAST(${given} AS ${type})`;
    return { name, value: output === 'jsonl' && type === 'DOUBLE' ? finiteJson(value) : value };
  });
}

/** A value of Parquet or of a model in a format: JSON has neither NaN nor numbers of 32 bits. */
export function asWritten(value: string, type: DuckDBType, output: DataFormat): string {
  return output === 'jsonl' && holdsFloats(type) ? jsonValue(value, type) : value;
}

function familyOf(format: DataFormat): 'text' | 'json' | 'parquet' {
  if (format === 'jsonl') return 'json';
  return format === 'parquet' ? 'parquet' : 'text';
}

function holdsFloats(type: DuckDBType): boolean {
  if (type instanceof DuckDBListType || type instanceof DuckDBArrayType) return holdsFloats(type.valueType);
  if (type instanceof DuckDBStructType) return type.entryTypes.some(holdsFloats);
  return type.typeId === DuckDBTypeId.FLOAT || type.typeId === DuckDBTypeId.DOUBLE;
}

function jsonValue(value: string, type: DuckDBType): string {
  if (type instanceof DuckDBListType) {
    return `list_transform(${value}, lambda x: ${jsonValue('x', type.valueType)})`;
  }
  if (type instanceof DuckDBArrayType) {
    const list = `CAST(${value} AS ${type.valueType.toString()}[])`;
    return `list_transform(${list}, lambda x: ${jsonValue('x', type.valueType)})`;
  }
  if (type instanceof DuckDBStructType) {
    const members = type.entryNames.map((name, index) => {
      const member = type.entryTypes[index];
      const read = `(${value}).${identifier(name)}`;
      return `${identifier(name)} := ${member ? jsonValue(read, member) : read}`;
    });
    return `CASE WHEN ${value} IS NOT NULL THEN struct_pack(${members.join(', ')}) END`;
  }
  const isFloat = type.typeId === DuckDBTypeId.FLOAT || type.typeId === DuckDBTypeId.DOUBLE;
  return isFloat ? finiteJson(value) : value;
}

/** A number as JSON, with the fewest digits that its type tells apart: NaN is null, infinities are strings. */
function finiteJson(value: string): string {
  return `CASE WHEN isfinite(${value}) THEN CAST(CAST(${value} AS VARCHAR) AS JSON)
    WHEN isinf(${value}) THEN to_json(CASE WHEN ${value} > 0 THEN 'Infinity' ELSE '-Infinity' END) END`;
}

/** SQL types that hold every value of a column of text or JSON, found in one pass over the file. */
async function foundTypes(connection: DuckDBConnection, table: InputTable): Promise<readonly string[]> {
  if (table.columns.length === 0) return [];
  if (table.columns.length === 0) return [];
  const looks = table.columns.map((column) =>
    column.kind === 'json' ? jsonLooks(column) : textLooks(column),
  );
  const width = textTypes.length;
  const result = await connection.runAndReadAll(`SELECT ${looks.flat().join(', ')} FROM ${table.relation}`);
  return table.columns.map(({ kind }, index) => {
    const types = kind === 'json' ? jsonTypes : textTypes;
    const found = types.findIndex((_, look) => result.value(index * width + look, 0) === true);
    return types[found] ?? (kind === 'json' ? 'JSON' : 'VARCHAR');
  });
}

const textTypes = ['BOOLEAN', 'BIGINT', 'DOUBLE', 'DATE', 'TIMESTAMP'] as const;
const jsonTypes = ['BOOLEAN', 'BIGINT', 'DOUBLE', 'VARCHAR', 'JSON'] as const;

/** Of each of `textTypes`, SQL for whether all values have it; all are false of a column without any value. */
function textLooks({ name }: InputColumn): readonly string[] {
  const text = identifier(name);
  const all = (condition: string) =>
    `coalesce(bool_and(CASE WHEN ${text} IS NULL OR ${isMissingMarker(text)} THEN NULL ELSE ${condition} END), false)`;
  // What begins with a zero, or has more digits than a number of 64 bits, is a name and no number.
  const isInteger = `(regexp_full_match(${text}, '-?(0|[1-9]\\d*)') AND TRY_CAST(${text} AS BIGINT) IS NOT NULL)`;
  const isDecimal = `regexp_full_match(${text}, '[+-]?((0|[1-9]\\d*)(\\.\\d*)?|\\.\\d+)([eE][+-]?\\d+)?|[+-]?(inf|Infinity)')`;
  const isLongInteger = `regexp_full_match(${text}, '[+-]?\\d{16,}')`;
  return [
    all(`lower(${text}) IN ('true', 'false')`),
    all(isInteger),
    all(`(${isDecimal} AND NOT ${isLongInteger} AND TRY_CAST(${text} AS DOUBLE) IS NOT NULL)`),
    all(`(regexp_full_match(${text}, '\\d{4}-\\d\\d-\\d\\d') AND TRY_CAST(${text} AS DATE) IS NOT NULL)`),
    all(
      `(regexp_full_match(${text}, '\\d{4}-\\d\\d-\\d\\d[ T]\\d\\d:\\d\\d(:\\d\\d(\\.\\d{1,6})?)?') AND TRY_CAST(${text} AS TIMESTAMP) IS NOT NULL)`,
    ),
  ];
}

/** Of each of `jsonTypes`, SQL for whether all values have it. */
function jsonLooks({ name }: InputColumn): readonly string[] {
  const value = identifier(name);
  const all = (condition: string) =>
    `coalesce(bool_and(CASE WHEN json_type(${value}) <> 'NULL' THEN ${condition} END), false)`;
  const type = `json_type(${value})`;
  // Integers beyond 64 bits come as DOUBLE and would lose digits; JSON keeps them.
  const isLongInteger = `regexp_full_match(CAST(${value} AS VARCHAR), '-?\\d{16,}')`;
  return [
    all(`${type} = 'BOOLEAN'`),
    all(`(${type} IN ('BIGINT', 'UBIGINT') AND TRY_CAST(CAST(${value} AS VARCHAR) AS BIGINT) IS NOT NULL)`),
    all(`(${type} IN ('BIGINT', 'UBIGINT', 'DOUBLE') AND NOT ${isLongInteger})`),
    // Their text, where they differ.
    all(`${type} NOT IN ('ARRAY', 'OBJECT')`),
    'true',
  ];
}

/** The columns as a list for SELECT. */
export function selectList(columns: readonly OutputColumn[]): string {
  return columns.map(({ name, value }) => `${value} AS ${identifier(name)}`).join(', ');
}

/** Pairs of a name and a text as a struct of SQL. */
export function textPairs(pairs: Readonly<Record<string, string>>): string {
  const members = Object.entries(pairs).map(([name, text]) => `${literal(name)}: ${literal(text)}`);
  return `{${members.join(', ')}}`;
}
