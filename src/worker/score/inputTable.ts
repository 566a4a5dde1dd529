import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type DuckDBConnection, type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';
import { detail } from '../../protocol/errorDetails.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import { type DataFormat, isGzipName } from '../../protocol/scoring.ts';
import { readingFailure } from '../duckdb/failures.ts';
import { isNumberType, literal, pathLiteral, singleNumber } from '../duckdb/sql.ts';
import { readCsvHeader } from './csvHeader.ts';

/** A file of rows that can be read as often as needed, always in the same order. */
export interface InputTable {
  readonly format: DataFormat;
  /** What stands in SQL after FROM; nothing but the scan of one file, so that it can be joined by position. */
  readonly relation: string;
  readonly columns: readonly InputColumn[];
  readonly rowCount: number;
}

export interface InputColumn {
  readonly name: string;
  /** As DuckDB reads it: text of CSV files and JSON of JSON lines, so that nothing of them is lost on the way. */
  readonly type: DuckDBType;
  readonly kind: ColumnKind;
}

/** `text` may spell anything; `json` is one value of JSON; the others are of Parquet. */
export type ColumnKind = 'text' | 'json' | 'number' | 'truth' | 'other';

/** Rows of up to a megabyte; far longer ones are read, too, with more memory. */
const ordinaryRowBytes = 1_000_000;
const longestRowBytes = 200_000_000;

/**
 * Opens a file and counts its rows.
 *
 * @param folder where a copy may be put of a file that cannot be read as it is.
 * @throws SlipwayError `dataUnreadable`.
 */
export async function openInputTable(
  connection: DuckDBConnection,
  file: string,
  format: DataFormat,
  folder: string,
): Promise<InputTable> {
  const gzip = format !== 'parquet' && isGzipName(file);
  try {
    switch (format) {
      case 'parquet':
        return await describe(connection, format, `read_parquet(${pathLiteral(file)})`);
      case 'csv':
      case 'tsv':
        return await openCsv(connection, file, format, gzip);
      case 'jsonl':
        return await openJsonLines(connection, file, gzip, folder);
    }
  } catch (error) {
    throw readingFailure(error, file);
  }
}

async function describe(
  connection: DuckDBConnection,
  format: DataFormat,
  relation: string,
): Promise<InputTable> {
  const described = await connection.run(`SELECT * FROM ${relation} LIMIT 0`);
  const columns = described.columnNames().map((name, index) => {
    const type = described.columnType(index);
    return {
      name,
      type,
      kind: format === 'parquet' ? kindOf(type) : format === 'jsonl' ? 'json' : 'text',
    } as const;
  });
  const rowCount = await singleNumber(connection, `SELECT count(*)::DOUBLE FROM ${relation}`);
  return { format, relation, columns, rowCount };
}

async function openCsv(
  connection: DuckDBConnection,
  file: string,
  format: 'csv' | 'tsv',
  gzip: boolean,
): Promise<InputTable> {
  const { names, separator, newLine } = await readCsvHeader(file, gzip, format === 'tsv' ? '\t' : null);
  checkNames(file, names);
  const columns = names.map((name) => `${literal(name)}: 'VARCHAR'`).join(', ');
  // Nothing is guessed: a guess from the first rows may be wrong for the others, and may take rows for comments.
  const relation = (rowBytes: number, bufferBytes: number) =>
    `read_csv(${pathLiteral(file)}, auto_detect = false, header = true, columns = {${columns}},
       delim = ${literal(separator)}, quote = '"', escape = '"', new_line = ${literal(escaped(newLine))},
       nullstr = '', allow_quoted_nulls = false, compression = '${gzip ? 'gzip' : 'none'}',
       max_line_size = ${rowBytes}, buffer_size = ${bufferBytes})`;
  try {
    return await describe(connection, format, relation(ordinaryRowBytes * 2, ordinaryRowBytes * 32));
  } catch (error) {
    // Where a row is longer than the buffer, DuckDB may miss its closing quote.
    if (!/Maximum line size|unterminated quote/i.test(String(error))) throw error;
    return await describe(connection, format, relation(longestRowBytes, longestRowBytes + 2 ** 20));
  }
}

/** DuckDB takes the line end as it is written in a program. */
function escaped(newLine: string): string {
  return newLine.replace('\r', '\\r').replace('\n', '\\n');
}

async function openJsonLines(
  connection: DuckDBConnection,
  file: string,
  gzip: boolean,
  folder: string,
): Promise<InputTable> {
  // DuckDB refuses a byte order mark in JSON.
  const marked = await beginsWithMark(file, gzip);
  const source = marked ? await copyWithoutMark(file, gzip, folder) : file;
  const compression = gzip && !marked ? 'gzip' : 'uncompressed';
  const reader = (rowBytes: number, more: string) =>
    `read_json(${pathLiteral(source)}, format = 'newline_delimited', records = true, compression = '${compression}',
       maximum_object_size = ${rowBytes}, ${more})`;
  const openWith = async (rowBytes: number) => {
    const everything = reader(rowBytes, 'sample_size = -1, maximum_depth = 1');
    const names = (await connection.run(`SELECT * FROM ${everything} LIMIT 0`)).columnNames();
    checkNames(file, names);
    const columns = names.map((name) => `${literal(name)}: 'JSON'`).join(', ');
    return await describe(connection, 'jsonl', reader(rowBytes, `columns = {${columns}}`));
  };
  const lines = await singleNumber(
    connection,
    `SELECT count(*)::DOUBLE FROM (${anyLine(source, compression)})`,
  );
  // No line, no name of a column: DuckDB would refuse it.
  if (lines === 0) return { format: 'jsonl', relation: '(SELECT 1)', columns: [], rowCount: 0 };
  try {
    return await openWith(ordinaryRowBytes * 16);
  } catch (error) {
    if (!/maximum_object_size/i.test(String(error))) throw error;
    return await openWith(longestRowBytes / 2);
  }
}

function anyLine(file: string, compression: string): string {
  return `SELECT 1 FROM read_json_objects(${pathLiteral(file)}, format = 'newline_delimited',
    compression = '${compression}', maximum_object_size = ${longestRowBytes / 2}) LIMIT 1`;
}

/** DuckDB tells names apart without their case, as SQL does. */
function checkNames(file: string, names: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const same = seen.get(name.toLowerCase());
    if (same !== undefined) {
      const problem =
        same === name
          ? detail('columnTwice', { column: name })
          : detail('columnsDifferInCase', { column: same, other: name });
      throw new SlipwayError('dataUnreadable', { path: file, detail: problem });
    }
    seen.set(name.toLowerCase(), name);
  }
}

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

async function beginsWithMark(file: string, gzip: boolean): Promise<boolean> {
  if (!gzip) {
    const handle = await open(file);
    try {
      const { buffer } = await handle.read(Buffer.alloc(3), 0, 3, 0);
      return buffer.equals(byteOrderMark);
    } finally {
      await handle.close();
    }
  }
  const bytes = createReadStream(file);
  for await (const chunk of bytes.pipe(createGunzip())) {
    bytes.destroy();
    return Buffer.isBuffer(chunk) && chunk.subarray(0, 3).equals(byteOrderMark);
  }
  return false;
}

async function copyWithoutMark(file: string, gzip: boolean, folder: string): Promise<string> {
  const copy = join(folder, 'input.jsonl');
  let first = true;
  const cut = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, first ? chunk.subarray(byteOrderMark.length) : chunk);
      first = false;
    },
  });
  const target = createWriteStream(copy);
  await (gzip
    ? pipeline(createReadStream(file), createGunzip(), cut, target)
    : pipeline(createReadStream(file), cut, target));
  return copy;
}

function kindOf(type: DuckDBType): ColumnKind {
  if (isNumberType(type)) return 'number';
  if (type.typeId === DuckDBTypeId.BOOLEAN) return 'truth';
  return type.typeId === DuckDBTypeId.VARCHAR ? 'text' : 'other';
}
