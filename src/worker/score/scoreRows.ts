import type { ColumnLayout } from '../../inference/columns.ts';
import type { Tensor } from '../../inference/datatypes.ts';
import { detail } from '../../protocol/errorDetails.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import type { DataFiles } from '../duckdb/dataFiles.ts';
import { writingFailure } from '../duckdb/failures.ts';
import type { InputTable } from './inputTable.ts';
import type { ModelColumns } from './modelColumns.ts';
import type { PartialOutput } from './partial.ts';
import { createPartWriter, type PartWriter } from './partWriter.ts';
import {
  columnValues,
  type PredictionColumn,
  predictionColumns,
  settledOutputs,
  UnfitOutput,
} from './predictionColumns.ts';
import { readBatches, rowRefused } from './rowReader.ts';
import { RowProblem, type ScoringModel } from './scoringModel.ts';

/** What is scored. */
export interface RowScoring extends Pick<DataFiles, 'connection' | 'streams'> {
  readonly partial: PartialOutput;
  readonly table: InputTable;
  readonly columns: ModelColumns;
  readonly layout: ColumnLayout;
  readonly model: ScoringModel;
  /** Absolute paths, for what goes wrong. */
  readonly input: string;
  readonly output: string;
  /** Told the rows that are scored, in all and since it began, a few times a second. */
  readonly scored: (rows: number, since: number) => void;
  /** How long a part may take. */
  readonly keepMilliseconds: number;
}

/** A part takes no more values. */
const partValues = 2_000_000;
const tellingMilliseconds = 200;

/**
 * Scores the rows of a file that no part has yet, and keeps them as parts.
 *
 * @throws SlipwayError `scoreRowRefused`, `scoreFailed`, `dataUnreadable`, `scoreWriteFailed`, `diskFull`.
 */
export async function scoreRows(scoring: RowScoring): Promise<void> {
  const { connection, partial, table, columns, layout, model, input, scored } = scoring;
  const { inputs, batchRows } = model;
  const skip = partial.rows;
  if (skip >= table.rowCount) return;
  let predictions: readonly PredictionColumn[] = [];
  let writer: PartWriter | null = null;
  let shapes = partial.state.shapes;
  let rows = skip;
  let begun = performance.now();
  let told = begun;
  const reading = { path: input, table, columns, layout, inputs, skip, batchRows };
  try {
    for await (const batch of readBatches(scoring, reading)) {
      const outputs = await predict(scoring, batch.feeds, batch.rows, rows);
      if (writer === null) {
        if (shapes.length === 0) shapes = outputs.map(({ shape }) => [...shape]);
        // Parts do not hold their names.
        predictions = predictionColumns(settledOutputs(model.outputs, shapes), []);
        writer = await createPartWriter(connection, predictions);
      }
      writer.add(valuesOf(predictions, outputs, batch.rows, scoring), batch.rows);
      rows += batch.rows;
      const now = performance.now();
      if (now - told >= tellingMilliseconds) {
        told = now;
        scored(rows, rows - skip);
      }
      const isFull = writer.rows * Math.max(1, predictions.length) >= partValues;
      if (isFull || now - begun >= scoring.keepMilliseconds) {
        await keepPart(writer, scoring, shapes);
        begun = performance.now();
      }
    }
    if (writer && writer.rows > 0) await keepPart(writer, scoring, shapes);
  } finally {
    writer?.close();
  }
  scored(rows, rows - skip);
}

async function predict(
  { model, input, output }: RowScoring,
  feeds: readonly Tensor[],
  rows: number,
  before: number,
): Promise<readonly Tensor[]> {
  try {
    return await model.predict(feeds, rows);
  } catch (error) {
    if (error instanceof RowProblem) throw rowRefused(input, before + error.row, error.message);
    const said = error instanceof Error ? error.message : String(error);
    throw new SlipwayError('scoreFailed', { path: output, detail: said }, { cause: error });
  }
}

function valuesOf(
  predictions: readonly PredictionColumn[],
  outputs: readonly Tensor[],
  rows: number,
  { output: path }: RowScoring,
) {
  try {
    return predictions.map((column) => {
      const tensor = outputs[column.output];
      if (!tensor) throw new UnfitOutput(detail('outputMissing', { name: column.name }));
      return columnValues(column, tensor, rows);
    });
  } catch (error) {
    const said =
      error instanceof UnfitOutput ? error.detail : error instanceof Error ? error.message : String(error);
    throw new SlipwayError('scoreFailed', { path, detail: said }, { cause: error });
  }
}

async function keepPart(
  writer: PartWriter,
  { partial, output }: RowScoring,
  shapes: readonly (readonly number[])[],
): Promise<void> {
  const { parts } = partial.state;
  const file = `part-${String(parts.length + 1).padStart(6, '0')}.parquet`;
  const { rows } = writer;
  try {
    await writer.write(partial.path(file));
    await partial.save({ parts: [...parts, { file, rows }], shapes: shapes.map((shape) => [...shape]) });
  } catch (error) {
    throw writingFailure(error, output);
  }
}
