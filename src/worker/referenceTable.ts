import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';
import { detail } from '../protocol/errorDetails.ts';
import { SlipwayError } from '../protocol/errors.ts';
import { type ColumnValues, createColumnCollector } from './columnValues.ts';
import { openDataFiles } from './duckdb/dataFiles.ts';
import { readingFailure } from './duckdb/failures.ts';
import {
  identifier,
  isNumberType,
  literal,
  missingMarkers,
  pathLiteral,
  singleNumber,
} from './duckdb/sql.ts';

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

/** pandas keeps a frame's index in a column of this name. */
const indexColumn = /^__index_level_\d+__$/;

/**
 * Opens a CSV file with a header, or a Parquet file, with DuckDB.
 *
 * @throws SlipwayError `dataUnreadable`.
 */
export async function openReferenceTable(file: string): Promise<ReferenceTable> {
  // DuckDB would take a folder for all the files in it.
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
    throw new SlipwayError('dataUnreadable', { path: file, detail: detail('noSuchFile') });
  }
  const { connection, close } = await openDataFiles(join(tmpdir(), `slipway-worker-${process.pid}`), false);
  try {
    const table = await loadTable(connection, file);
    return { ...table, read: (column) => readColumn(connection, column), close };
  } catch (error) {
    close();
    throw readingFailure(error, file);
  }
}

async function loadTable(
  connection: DuckDBConnection,
  file: string,
): Promise<Pick<ReferenceTable, 'rowCount' | 'columns'>> {
  if (isParquet(file)) {
    await connection.run(`CREATE VIEW reference AS SELECT * FROM read_parquet(${pathLiteral(file)})`);
  } else {
    // A CSV file is parsed once, into DuckDB's own columns; all of it decides the types, so none fails half way.
    await connection.run(
      `CREATE TEMP TABLE reference AS SELECT * FROM read_csv(${pathLiteral(file)},
         header = true, compression = ${literal(/\.gz$/i.test(file) ? 'gzip' : 'auto')}, sample_size = -1, nullstr = [${missingMarkers.map(literal).join(', ')}])`,
    );
  }
  const described = await connection.run('SELECT * FROM reference LIMIT 0');
  const stored = described
    .columnNames()
    .map((name, index) => ({ name, kind: kindOf(described.columnType(index)) }))
    .filter(({ name }) => !indexColumn.test(name));
  const columns = isParquet(file) ? stored : await withNumbersFound(connection, stored);
  return { columns, rowCount: await singleNumber(connection, 'SELECT count(*)::DOUBLE FROM reference') };
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

function kindOf(type: DuckDBType): ColumnKind {
  if (isNumberType(type)) return 'number';
  return type.typeId === DuckDBTypeId.BOOLEAN ? 'truth' : 'text';
}

function isParquet(file: string): boolean {
  return /\.(parquet|pq)$/i.test(file);
}
