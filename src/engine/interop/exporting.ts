import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ExportReport } from '../../protocol/importing.ts';
import type { Experiment, LoggedModelData, Run } from '../tracking/types.ts';
import type { JobControl } from '../workerProcess.ts';
import {
  type MlrunsExportOptions,
  markUnfinished,
  requireNoRun,
  type Written,
  writeDatasets,
  writeExperiment,
  writeLoggedModel,
  writeRun,
  writeTrash,
} from './mlrunsExport.ts';
import type { Omission } from './store.ts';

/** A run, or all runs of an experiment. */
export interface ExportRequest {
  readonly runId: string | null;
  /** When `runId` is null. */
  readonly experimentId: string | null;
  /** An absolute path: a folder called `mlruns`, or the one in which it is to be. */
  readonly folder: string;
}

const pageSize = 500;

/**
 * Writes runs, with their logged models and artifacts, into an `mlruns` folder that MLflow's file store reads. What is in
 * the folder already stays. A run appears there whole or not at all.
 *
 * @throws SlipwayError `notFound`, `exportFolderTaken`, `cancelled`
 */
export async function exportRuns(
  options: MlrunsExportOptions,
  request: ExportRequest,
  { signal, progress }: JobControl,
): Promise<ExportReport> {
  const { tracking } = options;
  const root = basename(request.folder) === 'mlruns' ? request.folder : join(request.folder, 'mlruns');
  const only = request.runId === null ? null : tracking.wholeRun(request.runId);
  const experiment = tracking.experiment(only?.info.experimentId ?? request.experimentId ?? '');
  const parent = experiment.lifecycleStage === 'deleted' ? join(root, '.trash') : root;
  const id = folderIdOf(parent, experiment);
  const home = join(parent, id);

  const runs = only === null ? () => runsOf(options, experiment) : () => [only];
  const count = only === null ? countOf(runs(), home) : 1;
  if (only !== null) requireNoRun(join(home, only.info.runId), only.info.runId);

  const omissions: Omission[] = [];
  const totals = { runs: 0, points: 0, artifacts: 0 };
  const add = (written: Written) => {
    totals.points += written.points;
    totals.artifacts += written.artifacts;
    omissions.push(...written.omissions);
  };
  writeTrash(root);
  const unfinished = join(root, `.slipway-export-${process.pid}`);
  markUnfinished(unfinished);
  try {
    omissions.push(...writeExperiment(home, id, experiment));
    for (const run of runs()) {
      if (signal.aborted) throw new SlipwayError('cancelled');
      progress(totals.runs / Math.max(1, count), run.info.name);
      const place = join(home, run.info.runId);
      const folder = join(unfinished, run.info.runId);
      writeDatasets(home, run);
      add(await writeRun(options, folder, place, id, run));
      renameSync(folder, place);
      totals.runs += 1;
    }
    for (const model of modelsOf(options, experiment, only)) {
      if (signal.aborted) throw new SlipwayError('cancelled');
      const place = join(home, 'models', model.model.modelId);
      // Exported before, with another run.
      if (existsSync(place)) continue;
      const folder = join(unfinished, model.model.modelId);
      add(await writeLoggedModel(options, folder, place, id, model));
      mkdirSync(dirname(place), { recursive: true });
      renameSync(folder, place);
    }
    omissions.push(...tracesOmitted(options, experiment, only));
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return { folder: root, ...totals, omissions };
}

/** All runs of an experiment, deleted ones too, page by page. */
function* runsOf({ tracking }: MlrunsExportOptions, { experimentId }: Experiment): Iterable<Run> {
  for (let pageToken: string | null = ''; pageToken !== null; ) {
    const page = tracking.searchRuns({
      experimentIds: [experimentId],
      filter: '',
      orderBy: [],
      maxResults: pageSize,
      pageToken,
      viewType: 'ALL',
    });
    yield* page.items;
    pageToken = page.nextPageToken;
  }
}

/** Counts the runs, and throws when one of them is in the folder: nothing is written then. */
function countOf(runs: Iterable<Run>, home: string): number {
  let count = 0;
  for (const { info } of runs) {
    requireNoRun(join(home, info.runId), info.runId);
    count += 1;
  }
  return count;
}

/** The logged models of an experiment, or those that one run made. */
function* modelsOf(
  { tracking }: MlrunsExportOptions,
  { experimentId }: Experiment,
  run: Run | null,
): Iterable<LoggedModelData> {
  if (run !== null) {
    for (const { modelId } of tracking.loggedModelsOfRun(run.info.runId))
      yield tracking.loggedModelData(modelId);
    return;
  }
  for (let pageToken: string | null = ''; pageToken !== null; ) {
    const page = tracking.searchLoggedModels({
      experimentIds: [experimentId],
      filter: '',
      datasets: [],
      orderBy: [],
      maxResults: pageSize,
      pageToken,
    });
    yield* page.items;
    pageToken = page.nextPageToken;
  }
}

/** Says that there are traces, which an export leaves out. */
function tracesOmitted(
  { tracking }: MlrunsExportOptions,
  { experimentId }: Experiment,
  run: Run | null,
): readonly Omission[] {
  const found = tracking.searchTraces({
    experimentIds: [experimentId],
    filter: run === null ? '' : `metadata.\`mlflow.sourceRun\` = '${run.info.runId}'`,
    orderBy: [],
    maxResults: 1,
    pageToken: '',
  });
  if (found.items.length === 0) return [];
  const owner = run === null ? `experiment ${experimentId}` : `run ${run.info.runId}`;
  const values = { detail: 'traces are not written into an mlruns folder' };
  return [{ subject: `${owner}/traces`, reason: 'notSupported', values }];
}

/** The id of the experiment in the folder: that of the one of the same name, its own, or one that is free. */
function folderIdOf(parent: string, { experimentId, name }: Experiment): string {
  const names = new Map(
    entriesOf(parent).flatMap((id) => nameOf(join(parent, id, 'meta.yaml')).map((n) => [n, id])),
  );
  const sameName = names.get(name);
  if (sameName !== undefined) return sameName;
  const taken = new Set(entriesOf(parent));
  if (!taken.has(experimentId)) return experimentId;
  let id = BigInt(Date.now()) * 100_000n;
  while (taken.has(String(id))) id += 1n;
  return String(id);
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** The name in an experiment's `meta.yaml`; none when it is none. */
function nameOf(file: string): readonly string[] {
  try {
    const meta: unknown = parse(readFileSync(file, 'utf8'), { maxAliasCount: 0, schema: 'failsafe' });
    if (typeof meta !== 'object' || meta === null || !('name' in meta)) return [];
    return [String(meta.name)];
  } catch {
    return [];
  }
}
