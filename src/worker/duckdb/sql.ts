import { type DuckDBConnection, type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';
import { type DataFormat, isGzipName } from '../../protocol/scoring.ts';

/** A text as SQL. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name as SQL. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The path as a pattern that matches it alone: DuckDB takes every path for a pattern. */
export function pathLiteral(file: string): string {
  return literal(file.replace(/[*?[]/g, '[$&]'));
}

/**
 * How `COPY` writes a file: one whose name ends as gzip's do is compressed.
 *
 * @param parquet what else holds for a Parquet file.
 */
export function copyOptions(format: DataFormat, output: string, parquet: string): string {
  const compression = isGzipName(output) ? 'gzip' : 'none';
  switch (format) {
    case 'parquet':
      return `FORMAT parquet, ${parquet}`;
    case 'csv':
      return `FORMAT csv, HEADER, COMPRESSION ${compression}`;
    case 'tsv':
      return `FORMAT csv, HEADER, DELIMITER '\t', COMPRESSION ${compression}`;
    case 'jsonl':
      return `FORMAT json, COMPRESSION ${compression}`;
  }
}

/** The one value of a query that gives one. */
export async function singleNumber(connection: DuckDBConnection, query: string): Promise<number> {
  const result = await connection.runAndReadAll(query);
  return Number(result.value(0, 0));
}

/** What pandas reads as missing in a CSV file by default, so that both see the same values. */
export const missingMarkers = [
  ...['', '#N/A', '#N/A N/A', '#NA', '-1.#IND', '-1.#QNAN', '-NaN', '-nan', '1.#IND', '1.#QNAN', '<NA>'],
  ...['N/A', 'NA', 'NULL', 'NaN', 'None', 'n/a', 'nan', 'null'],
];

/** SQL for whether a text stands for a missing number. */
export function isMissingMarker(text: string): string {
  return `trim(${text}) IN (${missingMarkers.map(literal).join(', ')})`;
}

const numberTypes: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.UHUGEINT,
  DuckDBTypeId.FLOAT,
  DuckDBTypeId.DOUBLE,
  DuckDBTypeId.DECIMAL,
]);

/** Whether a column of this type holds numbers. */
export function isNumberType({ typeId }: DuckDBType): boolean {
  return numberTypes.has(typeId);
}
