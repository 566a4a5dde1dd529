import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ExportReport } from '../../protocol/importing.ts';
import type { ArtifactStore } from '../tracking/artifacts.ts';
import type { TrackingService } from '../tracking/service.ts';
import type { Experiment, Run } from '../tracking/types.ts';
import type { JobControl } from '../workerProcess.ts';
import {
  makeUnfinished,
  requireNoRun,
  type Written,
  writeDatasets,
  writeExperiment,
  writeLoggedModel,
  writeRun,
} from './mlrunsExport.ts';
import { isPlainName, keyOmission } from './mlrunsFiles.ts';
import { writeTrace } from './mlrunsTraceExport.ts';
import type { Omission } from './store.ts';

/** From where an export reads. */
export interface ExportSources {
  readonly tracking: TrackingService;
  readonly artifacts: ArtifactStore;
}

/** A run, or all runs of an experiment. */
export interface ExportRequest {
  readonly runId: string | null;
  /** When `runId` is null. */
  readonly experimentId: string | null;
  /** An absolute path: a folder called `mlruns`, or the one in which it is to be. */
  readonly folder: string;
}

const pageSize = 500;
const trashFolder = '.trash';

/**
 * Writes runs, with their logged models, traces and artifacts, into an `mlruns` folder that MLflow's file store reads; what
 * was deleted is there as deleted. What is in the folder already stays. A run appears there whole or not at all.
 *
 * @throws SlipwayError `notFound`, `exportFolderTaken`, `cancelled`
 */
export async function exportRuns(
  { tracking, artifacts }: ExportSources,
  request: ExportRequest,
  { signal, progress }: JobControl,
): Promise<ExportReport> {
  const root = basename(request.folder) === 'mlruns' ? request.folder : join(request.folder, 'mlruns');
  const only = request.runId === null ? null : tracking.wholeRun(request.runId);
  const experiment = tracking.experiment(only?.info.experimentId ?? request.experimentId ?? '');
  const { experimentId } = experiment;
  const parent = experiment.lifecycleStage === 'deleted' ? join(root, trashFolder) : root;
  const id = folderIdOf(root, parent, experiment);
  const home = join(parent, id);

  const runs = only === null ? () => runsOf(tracking, experiment) : () => [only];
  const runCount = countOf(runs(), home);
  const modelIds = tracking.exportedModelIds(experimentId, request.runId);
  const traceIds = tracking.exportedTraceIds(experimentId, request.runId);

  const omissions: Omission[] = [];
  const totals = { runs: 0, points: 0, artifacts: 0, loggedModels: 0, traces: 0 };
  const options = { tracking, artifacts, signal };
  const total = Math.max(1, runCount + modelIds.length + traceIds.length);
  let done = 0;
  // Without it MLflow's file store calls a folder its own only after it made one.
  mkdirSync(join(root, trashFolder), { recursive: true });
  const unfinished = makeUnfinished(root);
  /** Has a folder written elsewhere, and puts it whole into its place. */
  const put = async (place: string, name: string, write: (folder: string) => Promise<Written>) => {
    if (signal.aborted) throw new SlipwayError('cancelled');
    progress(Math.min(1, done / total), name);
    const folder = join(unfinished, basename(place));
    const written = await write(folder);
    mkdirSync(dirname(place), { recursive: true });
    renameSync(folder, place);
    totals.points += written.points;
    totals.artifacts += written.artifacts;
    omissions.push(...written.omissions);
    done += 1;
  };
  /** The folder of something that has an id; null when there can be none, or it was exported before, with a run. */
  const placeOf = (folder: string, noun: string, itsId: string): string | null => {
    if (!isPlainName(itsId)) omissions.push(keyOmission(noun, itsId, 'no file can be called so'));
    else if (!existsSync(join(home, folder, itsId))) return join(home, folder, itsId);
    return null;
  };
  try {
    omissions.push(...writeExperiment(home, id, experiment));
    for (const run of runs()) {
      const place = join(home, run.info.runId);
      requireNoRun(place, run.info.runId);
      writeDatasets(home, run);
      await put(place, run.info.name, (folder) => writeRun(options, folder, place, id, run));
      totals.runs += 1;
    }
    for (const modelId of modelIds) {
      const place = placeOf('models', 'logged models', modelId);
      const data = place && tracking.exportedModel(modelId);
      if (!data) continue;
      await put(place, data.model.name, (folder) => writeLoggedModel(options, folder, place, id, data));
      totals.loggedModels += 1;
    }
    for (const traceId of traceIds) {
      const place = placeOf('traces', 'traces', traceId);
      const trace = place && tracking.exportedTrace(traceId);
      if (!trace) continue;
      await put(place, traceId, (folder) => writeTrace(options, folder, place, id, trace));
      totals.traces += 1;
    }
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return { folder: root, ...totals, omissions };
}

/** All runs of an experiment, deleted ones too, page by page. */
function* runsOf(tracking: Pick<TrackingService, 'searchRuns'>, { experimentId }: Experiment): Iterable<Run> {
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

/**
 * The id of the experiment in the folder: that of the one of the same name, its own, or one that is free. To MLflow those in
 * the trash are taken too.
 */
function folderIdOf(root: string, parent: string, { experimentId, name }: Experiment): string {
  const names = new Map(
    entriesOf(parent).flatMap((id) => nameOf(join(parent, id, 'meta.yaml')).map((n) => [n, id])),
  );
  const sameName = names.get(name);
  if (sameName !== undefined) return sameName;
  const taken = new Set([...entriesOf(root), ...entriesOf(join(root, trashFolder))]);
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
