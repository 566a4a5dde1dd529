import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import type { ColumnLayout } from '../../inference/columns.ts';
import type { Tensor } from '../../inference/datatypes.ts';
import type { TensorSpecification } from '../../inference/model.ts';
import { type Detail, detail } from '../../protocol/errorDetails.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import type { DataFiles } from '../duckdb/dataFiles.ts';
import { readingFailure } from '../duckdb/failures.ts';
import { identifier } from '../duckdb/sql.ts';
import { createFeedBuffer, type UnfitValue } from './feedBuffer.ts';
import type { InputTable } from './inputTable.ts';
import type { ModelColumns } from './modelColumns.ts';

/** What is read of a file for a model. */
export interface ReadRows {
  /** Absolute path of the file. */
  readonly path: string;
  readonly table: InputTable;
  readonly columns: ModelColumns;
  readonly layout: ColumnLayout;
  readonly inputs: readonly TensorSpecification[];
  /** Rows to leave out at the beginning. */
  readonly skip: number;
  /** Rows to give at a time; the last ones may be fewer. */
  readonly batchRows: number;
}

export interface Batch {
  readonly feeds: readonly Tensor[];
  readonly rows: number;
}

/**
 * Reads the rows of a file in their order, batch by batch; the next chunk is read while a batch is worked on. No more
 * than a few batches are in memory.
 *
 * @throws SlipwayError `scoreRowRefused` when a value does not fit the model, `dataUnreadable`.
 */
export async function* readBatches(
  { connection, streams }: Pick<DataFiles, 'connection' | 'streams'>,
  reading: ReadRows,
): AsyncGenerator<Batch, void, void> {
  const { path, table, columns, layout, inputs, skip, batchRows } = reading;
  let first = skip;
  const nextBuffer = () => createFeedBuffer(layout, inputs, columns, batchRows);
  let buffer = nextBuffer();
  for await (const chunk of chunks(streams, reading)) {
    for (let from = 0; from < chunk.rowCount; ) {
      from += buffer.take(chunk, from);
      const { unfit, rows } = buffer;
      if (unfit)
        throw await unfitValue(connection, path, table, columns, { ...unfit, row: first + unfit.row });
      if (rows < batchRows) continue;
      yield { feeds: buffer.feeds(), rows };
      first += rows;
      buffer = nextBuffer();
    }
  }
  if (buffer.rows > 0) yield { feeds: buffer.feeds(), rows: buffer.rows };
}

async function* chunks(
  connection: DuckDBConnection,
  { path, table, columns, skip }: ReadRows,
): AsyncGenerator<DuckDBDataChunk, void, void> {
  try {
    const query = `SELECT ${columns.selection} FROM ${table.relation}${skip > 0 ? ` OFFSET ${skip}` : ''}`;
    const result = await connection.stream(query);
    let next = result.fetchChunk();
    for (;;) {
      const chunk = await next;
      if (!chunk || chunk.rowCount === 0) return;
      next = result.fetchChunk();
      // Who stops in between does not ask for it.
      next.catch(() => undefined);
      yield chunk;
    }
  } catch (error) {
    throw readingFailure(error, path);
  }
}

/** @param unfit with its row counted from the beginning of the file, from 0. */
async function unfitValue(
  connection: DuckDBConnection,
  path: string,
  { relation }: InputTable,
  columns: ModelColumns,
  { place, row }: UnfitValue,
): Promise<SlipwayError> {
  const name = columns.sources[place]?.name ?? '';
  const found = await connection.runAndReadAll(
    `SELECT CAST(${identifier(name)} AS VARCHAR) FROM ${relation} OFFSET ${row} LIMIT 1`,
  );
  const value = found.currentRowCount === 0 ? null : found.value(0, 0);
  const given = value === null ? detail('noValue') : JSON.stringify(shortened(String(value)));
  const expected = columns.expectation(place);
  return rowRefused(path, row, detail('columnValue', { column: name, expected, given }));
}

/** @param row from 0. */
export function rowRefused(path: string, row: number, problem: string | Detail): SlipwayError {
  return new SlipwayError('scoreRowRefused', { path, row: row + 1, detail: problem });
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
