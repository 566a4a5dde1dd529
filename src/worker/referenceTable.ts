import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, DuckDBTypeId } from '@duckdb/node-api';
import { SlipwayError } from '../protocol/errors.ts';
import { type ColumnValues, createColumnCollector } from './columnValues.ts';

/** A data file, opened for reading column by column. */
export interface ReferenceTable {
  readonly rowCount: number;
  readonly columns: readonly ReferenceColumn[];
  read(column: ReferenceColumn): Promise<ColumnValues>;
  close(): void;
}

export interface ReferenceColumn {
  readonly name: string;
  readonly kind: ColumnKind;
}

/** As what a column is stored; anything that is neither a number nor true or false is read as text. */
export type ColumnKind = 'number' | 'truth' | 'text';

/** What pandas reads as missing in a CSV file by default, so that both see the same values. */
const missingMarkers = [
  ...['', '#N/A', '#N/A N/A', '#NA', '-1.#IND', '-1.#QNAN', '-NaN', '-nan', '1.#IND', '1.#QNAN', '<NA>'],
  ...['N/A', 'NA', 'NULL', 'NaN', 'None', 'n/a', 'nan', 'null'],
];

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

/** pandas keeps a frame's index in a column of this name. */
const indexColumn = /^__index_level_\d+__$/;

/**
 * Opens a CSV file with a header, or a Parquet file, with DuckDB. Nothing is downloaded: extensions are neither
 * installed nor loaded. At most 1 GB of memory is used, beyond that the temporary folder.
 *
 * @throws SlipwayError `dataUnreadable`.
 */
export async function openReferenceTable(file: string): Promise<ReferenceTable> {
  // DuckDB would take a folder for all the files in it.
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
    throw new SlipwayError('dataUnreadable', { path: file, detail: 'there is no such file' });
  }
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    memory_limit: '1GB',
    temp_directory: join(tmpdir(), `slipway-worker-${process.pid}`),
    preserve_insertion_order: 'false',
    threads: '2',
  });
  const connection = await instance.connect();
  const close = () => {
    connection.closeSync();
    instance.closeSync();
  };
  try {
    const table = await loadTable(connection, file);
    return { ...table, read: (column) => readColumn(connection, column), close };
  } catch (error) {
    close();
    const detail = error instanceof Error ? error.message : String(error);
    throw new SlipwayError('dataUnreadable', { path: file, detail: firstLine(detail) }, { cause: error });
  }
}

async function loadTable(
  connection: DuckDBConnection,
  file: string,
): Promise<Pick<ReferenceTable, 'rowCount' | 'columns'>> {
  if (isParquet(file)) {
    await connection.run(
      `CREATE VIEW reference AS SELECT * FROM read_parquet(${literal(globEscaped(file))})`,
    );
  } else {
    // A CSV file is parsed once, into DuckDB's own columns; all of it decides the types, so none fails half way.
    await connection.run(
      `CREATE TEMP TABLE reference AS SELECT * FROM read_csv(${literal(globEscaped(file))},
         header = true, compression = ${literal(/\.gz$/i.test(file) ? 'gzip' : 'auto')}, sample_size = -1, nullstr = [${missingMarkers.map(literal).join(', ')}])`,
    );
  }
  const described = await connection.run('SELECT * FROM reference LIMIT 0');
  const stored = described
    .columnNames()
    .map((name, index) => ({ name, kind: kindOf(described.columnTypeId(index)) }))
    .filter(({ name }) => !indexColumn.test(name));
  const columns = isParquet(file) ? stored : await withNumbersFound(connection, stored);
  const counted = await connection.runAndReadAll('SELECT count(*)::DOUBLE FROM reference');
  return { columns, rowCount: Number(counted.value(0, 0)) };
}

/** DuckDB takes a CSV column for text when it holds an infinity; one whose values all are numbers is one of numbers. */
async function withNumbersFound(
  connection: DuckDBConnection,
  columns: readonly ReferenceColumn[],
): Promise<readonly ReferenceColumn[]> {
  const texts = columns.filter(({ kind }) => kind === 'text');
  if (texts.length === 0) return columns;
  const allNumbers = texts
    .map(({ name }) => identifier(name))
    .map((name) => `count(${name}) > 0 AND count(${name}) = count(TRY_CAST(${name} AS DOUBLE))`);
  const found = await connection.runAndReadAll(`SELECT ${allNumbers.join(', ')} FROM reference`);
  const numbers = new Set(texts.filter((_, index) => found.value(index, 0) === true));
  return columns.map((column) => (numbers.has(column) ? { name: column.name, kind: 'number' } : column));
}

async function readColumn(connection: DuckDBConnection, column: ReferenceColumn): Promise<ColumnValues> {
  const collector = createColumnCollector();
  if (column.kind === 'number') {
    const result = await connection.stream(`SELECT ${identifier(column.name)}::DOUBLE FROM reference`);
    for await (const chunk of result) {
      chunk.visitColumnValues(0, (value) => {
        if (typeof value === 'number') collector.addNumber(value);
        else collector.addMissing();
      });
    }
    return collector.values();
  }
  const result = await connection.stream(
    `SELECT ${identifier(column.name)}::VARCHAR, count(*)::DOUBLE FROM reference GROUP BY 1`,
  );
  for await (const chunk of result) {
    for (const [value, rows] of chunk.getRows()) {
      if (typeof value !== 'string') collector.addMissing(Number(rows));
      else if (column.kind === 'truth') collector.addTruth(value === 'true', Number(rows));
      else collector.addText(value, Number(rows));
    }
  }
  return collector.values();
}

function kindOf(type: DuckDBTypeId): ColumnKind {
  if (numberTypes.has(type)) return 'number';
  return type === DuckDBTypeId.BOOLEAN ? 'truth' : 'text';
}

function isParquet(file: string): boolean {
  return /\.(parquet|pq)$/i.test(file);
}

/** The path as a pattern that matches it alone: DuckDB takes every path for a pattern. */
function globEscaped(file: string): string {
  return file.replace(/[*?[]/g, '[$&]');
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
