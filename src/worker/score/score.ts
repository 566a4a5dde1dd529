import { existsSync, realpathSync, statSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { detail } from '../../protocol/errorDetails.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import {
  type DataFormat,
  dataFileEndings,
  formatOfName,
  partialFolder,
  type ScoreProgress,
  type ScoreReport,
} from '../../protocol/scoring.ts';
import type { WorkerJobOf } from '../../protocol/worker.ts';
import { openDataFiles } from '../duckdb/dataFiles.ts';
import { readingFailure, writingFailure } from '../duckdb/failures.ts';
import { type InputTable, openInputTable } from './inputTable.ts';
import { findModelColumns } from './modelColumns.ts';
import { digestOf, metadataFileOf, sizeOf, writeMetadataFile, writeOutput } from './outputFile.ts';
import { identifyInput, type JobIdentity, openPartialOutput, type PartialOutput } from './partial.ts';
import { predictionColumns, settledOutputs } from './predictionColumns.ts';
import { scoreRows } from './scoreRows.ts';
import { openScoringModel, type ScoringModel } from './scoringModel.ts';

type ScoreJob = WorkerJobOf<'score'>;
/** Told a share between 0 and 1, and what it is of. */
export type TellProgress = (fraction: number, progress: ScoreProgress) => void;
type Outcome = Pick<ScoreReport, 'rows' | 'predictionColumns' | 'warnings'>;

/** What scoring takes of the whole time, as a rule; the rest goes into the output. */
const scoringShare = 0.9;

/**
 * Writes a file that has the rows of another one in the same order, with a model's predictions beside them. What is
 * done is kept in a folder beside the output, so that the same job goes on from there when it was killed at any
 * moment. The output appears under its name when it is complete.
 *
 * @throws SlipwayError `scoreFormatUnknown`, `scoreOutputIsInput`, `scoreOutputTaken`, `dataUnreadable`,
 *   `scoreInputUnsuitable`, `scorePartialDiffers`, `scoreRunning`, `scoreRowRefused`, `scoreFailed`, `scoreWriteFailed`, `diskFull`, and what
 *   loading the model says.
 */
export async function scoreFile(job: ScoreJob, progress: TellProgress): Promise<ScoreReport> {
  const started = performance.now();
  const { input, output, force, model } = job;
  const formats = { input: formatOf(input, job.inputFormat), output: formatOf(output, job.outputFormat) };
  const identity: JobIdentity = {
    input: await identifyInput(input),
    model: {
      name: model.name,
      version: model.version,
      digest: model.digest ?? (model.source.type === 'onnx' ? await digestOf(model.source.file) : ''),
    },
    options: {
      inputFormat: formats.input,
      outputFormat: formats.output,
      onlyPredictions: job.onlyPredictions,
    },
  };
  checkOutput(input, output);
  // A job that was killed right after its output got its name has only its folder to remove.
  if (existsSync(output) && !force && !existsSync(partialFolder(output))) {
    throw new SlipwayError('scoreOutputTaken', { path: output });
  }
  const partial = openPartial(output, identity, job.restart);
  const resumedRows = partial.rows;
  let finished = false;
  try {
    const outcome =
      (await earlierOutcome(partial, output)) ?? (await score(job, formats, identity, partial, progress));
    finished = true;
    return {
      ...outcome,
      ...{ model: model.name, version: model.version, digest: identity.model.digest },
      output,
      metadataFile: formats.output === 'parquet' ? null : metadataFileOf(output),
      resumedRows,
      milliseconds: performance.now() - started,
    };
  } finally {
    // Nothing is lost with a folder that holds no part.
    partial.close(finished || partial.state.parts.length === 0);
  }
}

function formatOf(path: string, named: DataFormat | null): DataFormat {
  const format = named ?? formatOfName(path);
  if (format) return format;
  const endings = Object.keys(dataFileEndings)
    .map((ending) => `.${ending}`)
    .join(', ');
  throw new SlipwayError('scoreFormatUnknown', { path, endings });
}

function checkOutput(input: string, output: string): void {
  const folder = statSync(dirname(output), { throwIfNoEntry: false });
  if (!folder?.isDirectory()) {
    throw new SlipwayError('scoreWriteFailed', {
      path: output,
      detail: detail('noFolder', { folder: dirname(output) }),
    });
  }
  if (statSync(output, { throwIfNoEntry: false })?.isDirectory()) {
    throw new SlipwayError('scoreWriteFailed', { path: output, detail: detail('isFolder') });
  }
  if (join(realpathSync(dirname(output)), basename(output)) === realpathSync(input)) {
    throw new SlipwayError('scoreOutputIsInput', { path: input });
  }
}

function openPartial(output: string, identity: JobIdentity, restart: boolean): PartialOutput {
  try {
    return openPartialOutput(partialFolder(output), output, identity, restart);
  } catch (error) {
    throw writingFailure(error, output);
  }
}

/** What an earlier try has finished but for its folder; null when there is work left. */
async function earlierOutcome({ state }: PartialOutput, output: string): Promise<Outcome | null> {
  const { complete } = state;
  return complete && complete.bytes === (await sizeOf(output)) ? complete : null;
}

async function score(
  job: ScoreJob,
  formats: { readonly input: DataFormat; readonly output: DataFormat },
  identity: JobIdentity,
  partial: PartialOutput,
  progress: TellProgress,
): Promise<Outcome> {
  const { input, output } = job;
  if (existsSync(output) && !job.force) throw new SlipwayError('scoreOutputTaken', { path: output });
  const model = await openScoringModel(job.model);
  const data = await openDataFiles(partial.path('spill'));
  try {
    progress(0, { phase: 'reading', rows: partial.rows, totalRows: 0, rowsPerSecond: 0 });
    const table = await openInputTable(data.connection, input, formats.input, partial.folder);
    const { rowCount } = table;
    // A file of JSON lines without a line names no columns.
    if (table.columns.length > 0) {
      const columns = findModelColumns(table, input, model.layout, model.inputs);
      const { layout } = model;
      const begun = performance.now();
      const scored = (rows: number, since: number) => {
        const rowsPerSecond = since / Math.max(0.001, (performance.now() - begun) / 1000);
        const fraction = rowCount === 0 ? 1 : rows / rowCount;
        progress(scoringShare * fraction, { phase: 'scoring', rows, totalRows: rowCount, rowsPerSecond });
      };
      const { keepMilliseconds } = job;
      const about = { partial, table, columns, model, input, output, scored, keepMilliseconds };
      if (layout) await scoreRows({ ...data, ...about, layout });
    }
    progress(scoringShare, { phase: 'writing', rows: rowCount, totalRows: rowCount, rowsPerSecond: 0 });
    return await finish(job, formats.output, identity, { ...data, partial, table, model });
  } finally {
    data.close();
    await model.close();
  }
}

interface Scored {
  readonly connection: Parameters<typeof writeOutput>[0];
  readonly partial: PartialOutput;
  readonly table: InputTable;
  readonly model: ScoringModel;
}

/** Puts the output together, checks it, and gives it its name. */
async function finish(
  { input, output, onlyPredictions }: ScoreJob,
  format: DataFormat,
  identity: JobIdentity,
  { connection, partial, table, model }: Scored,
): Promise<Outcome> {
  const { rowCount: rows } = table;
  await checkUnchanged(identity, output, rows, partial.rows);
  const taken = onlyPredictions ? [] : table.columns.map(({ name }) => name);
  const predictions = predictionColumns(settledOutputs(model.outputs, partial.state.shapes), taken);
  const metadata = {
    'slipway.model': identity.model.name,
    'slipway.version': String(identity.model.version),
    'slipway.digest': identity.model.digest,
    'slipway.scored_at': new Date().toISOString(),
    'slipway.input': basename(input),
    'slipway.rows': String(rows),
  };
  const whole = partial.path('output');
  const written = await writeOutput(connection, whole, output, format, {
    table,
    onlyPredictions,
    predictions,
    parts: partial.state.parts.map(({ file }) => partial.path(file)),
    metadata,
  });
  await checkUnchanged(identity, output, rows, written);
  try {
    if (format !== 'parquet') await writeMetadataFile(output, metadata);
    const outcome = {
      rows,
      predictionColumns: predictions.map(({ name }) => name),
      warnings: [...model.warnings],
    };
    await partial.save({ complete: { ...outcome, bytes: (await sizeOf(whole)) ?? 0 } });
    await rename(whole, output);
    return outcome;
  } catch (error) {
    throw writingFailure(error, output);
  }
}

/** @throws SlipwayError when the input is not what it was, or there is not one row for each of its rows. */
async function checkUnchanged(
  { input }: JobIdentity,
  output: string,
  expected: number,
  rows: number,
): Promise<void> {
  const now = await identifyInput(input.path).catch((error: unknown) => {
    throw readingFailure(error, input.path);
  });
  if (JSON.stringify(now) !== JSON.stringify(input)) {
    throw new SlipwayError('scorePartialDiffers', { path: output, detail: detail('inputChangedMeanwhile') });
  }
  if (rows !== expected) {
    throw new SlipwayError('scoreFailed', { path: output, detail: detail('rowsScored', { rows, expected }) });
  }
}
