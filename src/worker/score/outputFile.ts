import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, stat, writeFile } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { DataFormat } from '../../protocol/scoring.ts';
import { writingFailure } from '../duckdb/failures.ts';
import { copyOptions, literal, pathLiteral } from '../duckdb/sql.ts';
import type { InputTable } from './inputTable.ts';
import { asWritten, inputAsOutput, type OutputColumn, selectList, textPairs } from './outputColumns.ts';
import { partColumn } from './partWriter.ts';
import type { PredictionColumn } from './predictionColumns.ts';

/** What is put together to the output. */
export interface OutputParts {
  readonly table: InputTable;
  readonly onlyPredictions: boolean;
  readonly predictions: readonly PredictionColumn[];
  /** Absolute paths of Parquet files of predictions, in their order. */
  readonly parts: readonly string[];
  /** Facts for whoever reads the output. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Writes a whole output to `file`: the input's rows with their predictions beside them, in the input's order. The file
 * is on the disk afterwards.
 *
 * @param output the name that it will have, which says whether it is compressed.
 * @returns how many rows it has.
 * @throws SlipwayError `diskFull`, `scoreWriteFailed`.
 */
export async function writeOutput(
  connection: DuckDBConnection,
  file: string,
  output: string,
  format: DataFormat,
  content: OutputParts,
): Promise<number> {
  try {
    const query = await outputQuery(connection, format, content);
    const options = copyOptions(format, output, `KV_METADATA ${textPairs(content.metadata)}`);
    const result = await connection.runAndReadAll(`COPY (${query}) TO ${literal(file)} (${options})`);
    const written = await open(file, 'r+');
    try {
      await written.sync();
    } finally {
      await written.close();
    }
    return Number(result.value(0, 0));
  } catch (error) {
    throw writingFailure(error, output);
  }
}

async function outputQuery(
  connection: DuckDBConnection,
  format: DataFormat,
  { table, onlyPredictions, predictions, parts }: OutputParts,
): Promise<string> {
  const predicted = predictions.map(
    ({ name, type }, index): OutputColumn => ({
      name,
      value: asWritten(`p.${partColumn(index)}`, type, format),
    }),
  );
  const kept = onlyPredictions ? [] : await inputAsOutput(connection, table, format, 'i');
  if (parts.length === 0) {
    // No row: only the columns and their types count.
    const empty = predictions.map(
      ({ type }, index) => `CAST(NULL AS ${type.toString()}) AS ${partColumn(index)}`,
    );
    const rows = table.columns.length === 0 || onlyPredictions ? '(SELECT 1) i' : `${table.relation} i`;
    return `SELECT ${selectList([...kept, ...predicted])} FROM ${rows}, (SELECT ${empty.join(', ')}) p WHERE false`;
  }
  const rows = `read_parquet([${parts.map(pathLiteral).join(', ')}]) p`;
  if (onlyPredictions) return `SELECT ${selectList(predicted)} FROM ${rows}`;
  return `SELECT ${selectList([...kept, ...predicted])} FROM ${table.relation} i POSITIONAL JOIN ${rows}`;
}

/** The file that says of a CSV or JSON lines file what a Parquet file has in itself. */
export function metadataFileOf(output: string): string {
  return `${output}.metadata.json`;
}

/** Writes the facts beside an output that cannot hold them. It is there as a whole or not at all. */
export async function writeMetadataFile(
  output: string,
  metadata: Readonly<Record<string, string>>,
): Promise<string> {
  const file = metadataFileOf(output);
  try {
    await writeFile(`${file}.new`, `${JSON.stringify(metadata, null, 2)}\n`);
    await rename(`${file}.new`, file);
    return file;
  } catch (error) {
    throw writingFailure(error, output);
  }
}

/** SHA-256 of a file, in hexadecimal digits. */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) hash.update(chunk);
  return hash.digest('hex');
}

/** Bytes of a file; null when there is none. */
export async function sizeOf(file: string): Promise<number | null> {
  return (await stat(file).catch(() => null))?.size ?? null;
}
