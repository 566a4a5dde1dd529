import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

/** An empty database in memory, whose tables are data files. */
export interface DataFiles {
  readonly connection: DuckDBConnection;
  /** For results that come chunk by chunk: the next query of a connection ends them without a word. */
  readonly streams: DuckDBConnection;
  close(): void;
}

/**
 * Opens DuckDB for reading and writing files of any length: at most 1 GB of memory is used, and beyond that files in
 * `temporaryFolder`. Nothing is downloaded: extensions are neither installed nor loaded.
 *
 * @param ordered whether rows keep their order, which takes longer.
 */
export async function openDataFiles(temporaryFolder: string, ordered = true): Promise<DataFiles> {
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    memory_limit: '1GB',
    temp_directory: temporaryFolder,
    preserve_insertion_order: String(ordered),
    // With more, results that come chunk by chunk lose the order of a CSV file (1.5), as the test of long files shows.
    threads: ordered ? '1' : '2',
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
