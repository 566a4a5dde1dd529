import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { SlipwayError } from '../../protocol/errors.ts';

/** An empty database in memory, whose tables are data files. */
export interface DataFiles {
  readonly connection: DuckDBConnection;
  /** For results that come chunk by chunk: the next query of a connection ends them without a word. */
  readonly streams: DuckDBConnection;
  close(): void;
}

/**
 * Opens DuckDB for reading and writing files of any length: rows keep their order, at most 1 GB of memory is used, and
 * beyond that files in `temporaryFolder`. Nothing is downloaded: extensions are neither installed nor loaded.
 */
export async function openDataFiles(temporaryFolder: string): Promise<DataFiles> {
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    memory_limit: '1GB',
    temp_directory: temporaryFolder,
    preserve_insertion_order: 'true',
    // With more, results that come chunk by chunk lose the order of a CSV file (1.5), as the test of long files shows.
    threads: '1',
  });
  const [connection, streams] = [await instance.connect(), await instance.connect()];
  return {
    connection,
    streams,
    close() {
      connection.closeSync();
      streams.closeSync();
      instance.closeSync();
    },
  };
}

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

/** The one value of a query that gives one. */
export async function singleNumber(connection: DuckDBConnection, query: string): Promise<number> {
  const result = await connection.runAndReadAll(query);
  return Number(result.value(0, 0));
}

/** The SlipwayError for what DuckDB says when it cannot read a file: `dataUnreadable`. */
export function readingFailure(error: unknown, path: string): unknown {
  if (error instanceof SlipwayError) return error;
  const full = fullDisk(error, path);
  if (full) return full;
  return new SlipwayError('dataUnreadable', { path, detail: plainDetail(error) }, { cause: error });
}

/** The SlipwayError for what DuckDB or the file system say when a file cannot be written: `diskFull`, `scoreWriteFailed`. */
export function writingFailure(error: unknown, path: string): unknown {
  if (error instanceof SlipwayError) return error;
  const full = fullDisk(error, path);
  if (full) return full;
  return new SlipwayError('scoreWriteFailed', { path, detail: plainDetail(error) }, { cause: error });
}

function fullDisk(error: unknown, path: string): SlipwayError | null {
  const isFull = /ENOSPC|EDQUOT|EFBIG|No space left|quota exceeded|File too large|not enough space/i.test(
    messageOf(error),
  );
  return isFull ? new SlipwayError('diskFull', { path }, { cause: error }) : null;
}

/** What is wrong in one line, without DuckDB's advice on its own options. */
function plainDetail(error: unknown): string {
  const [known = ''] = messageOf(error).split(/\n\s*(?:Possible |Try |LINE \d|file = )/, 1);
  const detail = known
    .replace(/^(?:\w+ )*Error: /, '')
    .replace(/(Original Line: [^\n]{80})[^\n]*/, '$1…')
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim();
  return detail.length > 400 ? `${detail.slice(0, 400)}…` : detail;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
