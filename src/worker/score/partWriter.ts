import { open, rename } from 'node:fs/promises';
import { type DuckDBConnection, DuckDBDataChunk, type DuckDBValue } from '@duckdb/node-api';
import { literal } from '../duckdb/sql.ts';
import type { PredictionColumn } from './predictionColumns.ts';

/** Gathers predictions and writes them as Parquet files, each at once. */
export interface PartWriter {
  /** Rows that were added and are not written. */
  readonly rows: number;
  /** Adds rows: of each column its values. */
  add(values: readonly (readonly DuckDBValue[])[], rows: number): void;
  /** Writes what was added to a file, which is complete and on the disk when it has its name. */
  write(file: string): Promise<void>;
  close(): void;
}

/** What a chunk of DuckDB holds. */
const chunkRows = 2048;

/** What a column of predictions is called in a part; its name in the output depends on other columns. */
export function partColumn(index: number): string {
  return `prediction_${index}`;
}

export async function createPartWriter(
  connection: DuckDBConnection,
  columns: readonly PredictionColumn[],
): Promise<PartWriter> {
  const types = columns.map(({ type }) => type);
  const definitions = columns.map(({ type }, index) => `${partColumn(index)} ${type.toString()}`).join(', ');
  // A new table each time: deleted rows would stay in memory.
  const begin = async () => {
    await connection.run(`CREATE OR REPLACE TEMP TABLE part (${definitions})`);
    return connection.createAppender('part');
  };
  let appender = await begin();
  let rows = 0;
  return {
    get rows() {
      return rows;
    },
    add(values, count) {
      for (let from = 0; from < count; from += chunkRows) {
        const to = Math.min(count, from + chunkRows);
        const chunk = DuckDBDataChunk.create(types, to - from);
        for (const [index, column] of values.entries()) {
          chunk.setColumnValues(index, column.slice(from, to));
        }
        appender.appendDataChunk(chunk);
      }
      rows += count;
    },
    async write(file) {
      appender.closeSync();
      const unfinished = `${file}.new`;
      await connection.run(`COPY part TO ${literal(unfinished)} (FORMAT parquet, COMPRESSION snappy)`);
      appender = await begin();
      rows = 0;
      const written = await open(unfinished, 'r+');
      try {
        await written.sync();
      } finally {
        await written.close();
      }
      await rename(unfinished, file);
    },
    close: () => appender.closeSync(),
  };
}
