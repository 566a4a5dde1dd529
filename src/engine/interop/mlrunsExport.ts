import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { SlipwayError } from '../../protocol/errors.ts';
import type { RunStatus } from '../../protocol/tracking.ts';
import type { ArtifactStore } from '../tracking/artifacts.ts';
import type { TrackingService } from '../tracking/service.ts';
import type { DatasetLink, Experiment, LoggedModelData, Run } from '../tracking/types.ts';
import { exportArtifacts } from './artifactExport.ts';
import {
  fileOfKey,
  isPlainName,
  keyOmission,
  pythonFloat,
  writeKey,
  writeKeyed,
  writeMeta,
} from './mlrunsFiles.ts';
import type { Omission } from './store.ts';

/** What was written, besides the runs. */
export interface Written {
  readonly points: number;
  readonly artifacts: number;
  readonly omissions: readonly Omission[];
}

export interface MlrunsExportOptions {
  readonly tracking: TrackingService;
  readonly artifacts: ArtifactStore;
  /** Aborted to cancel the export. */
  readonly signal: AbortSignal;
}

// As in service.proto: RunStatus, SourceType.LOCAL and LoggedModelStatus.
const runStatuses: Readonly<Record<RunStatus, number>> = {
  RUNNING: 1,
  SCHEDULED: 2,
  FINISHED: 3,
  FAILED: 4,
  KILLED: 5,
};
const localSource = 4;
const modelStatuses = {
  LOGGED_MODEL_PENDING: 1,
  LOGGED_MODEL_READY: 2,
  LOGGED_MODEL_UPLOAD_FAILED: 3,
} as const;

const pointsInPage = 25_000;

/** Writes an experiment's own folder, unless it is there. */
export function writeExperiment(folder: string, id: string, experiment: Experiment): readonly Omission[] {
  if (existsSync(join(folder, 'meta.yaml'))) return [];
  writeMeta(folder, {
    artifact_location: pathToFileURL(folder).href,
    creation_time: experiment.creationTime,
    experiment_id: id,
    last_update_time: experiment.lastUpdateTime,
    lifecycle_stage: experiment.lifecycleStage,
    name: experiment.name,
  });
  return writeKeyed(join(folder, 'tags'), `experiment ${experiment.experimentId}/tags`, experiment.tags);
}

/**
 * Writes a run as MLflow's file store keeps it.
 *
 * @param folder where it is written; `place` is where it will lie in the end.
 */
export async function writeRun(
  { tracking, artifacts, signal }: MlrunsExportOptions,
  folder: string,
  place: string,
  experimentId: string,
  run: Run,
): Promise<Written> {
  const { info } = run;
  const subject = `run ${info.runId}`;
  writeMeta(folder, {
    artifact_uri: pathToFileURL(join(place, 'artifacts')).href,
    deleted_time: tracking.deletedTime(info.runId),
    end_time: info.endTime,
    entry_point_name: '',
    experiment_id: experimentId,
    lifecycle_stage: info.lifecycleStage,
    run_id: info.runId,
    run_name: info.name,
    run_uuid: info.runId,
    source_name: '',
    source_type: localSource,
    source_version: '',
    start_time: info.startTime,
    status: runStatuses[info.status],
    tags: [],
    user_id: info.userId,
  });
  const omissions = [
    ...writeKeyed(join(folder, 'params'), `${subject}/params`, run.parameters),
    ...writeKeyed(join(folder, 'tags'), `${subject}/tags`, run.tags),
  ];
  const metrics = await writeMetrics(tracking, join(folder, 'metrics'), run, signal);
  const links = writeLinks(folder, run);
  const to = join(folder, 'artifacts');
  const copied = await exportArtifacts(artifacts, info.artifactUri, to, subject, signal);
  return {
    points: metrics.points,
    artifacts: copied.artifacts,
    omissions: [...omissions, ...metrics.omissions, ...links, ...copied.omissions],
  };
}

/**
 * Writes a logged model as MLflow 3's file store keeps it, a deleted one too; `folder` and `place` are as for a run.
 */
export async function writeLoggedModel(
  { artifacts, signal }: MlrunsExportOptions,
  folder: string,
  place: string,
  experimentId: string,
  { model, tags, parameters, metrics }: LoggedModelData,
): Promise<Written> {
  const subject = `logged model ${model.modelId}`;
  writeMeta(folder, {
    artifact_location: pathToFileURL(join(place, 'artifacts')).href,
    creation_timestamp: model.creationTime,
    experiment_id: experimentId,
    last_updated_timestamp: model.lastUpdateTime,
    lifecycle_stage: model.lifecycleStage,
    model_id: model.modelId,
    model_type: model.modelType,
    name: model.name,
    source_run_id: model.sourceRunId,
    status: modelStatuses[model.status],
    status_message: model.statusMessage || null,
  });
  const omissions: Omission[] = [
    ...writeKeyed(join(folder, 'params'), `${subject}/params`, parameters),
    ...writeKeyed(join(folder, 'tags'), `${subject}/tags`, tags),
  ];
  let points = 0;
  const written = writeEmptyMetrics(join(folder, 'metrics'), `${subject}/metrics`, metrics);
  omissions.push(...written.omissions);
  for (const metric of metrics) {
    const { key, datasetName, datasetDigest } = metric;
    if (!written.keys.has(key)) continue;
    // Fields are told apart by spaces.
    const hasPlace = datasetName !== '' && datasetDigest !== '' && !/\s/.test(datasetName + datasetDigest);
    if (datasetName !== '' && !hasPlace) {
      const detail = `the dataset "${datasetName}" of a metric, as its name has spaces`;
      omissions.push({ subject: `${subject}/metrics/${key}`, reason: 'noPlaceThere', values: { detail } });
    }
    const dataset = hasPlace ? ` ${datasetName} ${datasetDigest}` : '';
    const line = `${metric.timestamp} ${pythonFloat(metric.value)} ${metric.step} ${metric.runId}${dataset}\n`;
    appendFileSync(fileOfKey(join(folder, 'metrics'), key), line);
    points += 1;
  }
  const to = join(folder, 'artifacts');
  const copied = await exportArtifacts(artifacts, model.artifactUri, to, subject, signal);
  return {
    points,
    artifacts: copied.artifacts,
    omissions: [...omissions, ...copied.omissions],
  };
}

/** Writes the datasets that a run used beside the runs of its experiment, as they are the experiment's. */
export function writeDatasets(experimentFolder: string, { datasets }: Run): void {
  for (const { dataset } of datasets) {
    const folder = join(experimentFolder, 'datasets', datasetId(dataset));
    if (existsSync(folder)) continue;
    writeMeta(folder, {
      digest: dataset.digest,
      name: dataset.name,
      profile: dataset.profile,
      schema: dataset.schema,
      source: dataset.source,
      source_type: dataset.sourceType,
    });
  }
}

/** Writes the file of each metric, without a point; gives the keys of those that have one. */
function writeEmptyMetrics(
  folder: string,
  subject: string,
  metrics: readonly { readonly key: string }[],
): { readonly keys: ReadonlySet<string>; readonly omissions: readonly Omission[] } {
  mkdirSync(folder, { recursive: true });
  const keys = new Set<string>();
  const omissions: Omission[] = [];
  for (const key of new Set(metrics.map((metric) => metric.key))) {
    const problem = writeKey(folder, key, '');
    if (problem === null) keys.add(key);
    else omissions.push(keyOmission(subject, key, problem));
  }
  return { keys, omissions };
}

async function writeMetrics(
  tracking: TrackingService,
  folder: string,
  { info: { runId }, metrics }: Run,
  signal: AbortSignal,
): Promise<{ readonly points: number; readonly omissions: readonly Omission[] }> {
  const { keys, omissions } = writeEmptyMetrics(folder, `run ${runId}/metrics`, metrics);
  let points = 0;
  for (const key of keys) {
    const file = fileOfKey(folder, key);
    for (let pageToken: string | null = ''; pageToken !== null; ) {
      // Others have their turn, as the million points of a long run take a while.
      if (pageToken !== '') await turn();
      if (signal.aborted) throw new SlipwayError('cancelled');
      const page = tracking.metricHistory({ runId, key, maxResults: pointsInPage, pageToken });
      const lines = page.items.map(
        ({ timestamp, value, step }) => `${timestamp} ${pythonFloat(value)} ${step}\n`,
      );
      appendFileSync(file, lines.join(''));
      points += page.items.length;
      pageToken = page.nextPageToken;
    }
  }
  return { points, omissions };
}

/** Writes what a run used and made. The ids are those that MLflow makes: digests of what is linked. */
function writeLinks(
  folder: string,
  { info: { runId }, datasets, modelInputs, modelOutputs }: Run,
): readonly Omission[] {
  for (const { dataset, tags } of datasets) {
    const source = datasetId(dataset);
    writeMeta(join(folder, 'inputs', md5(source + runId)), {
      destination_id: source,
      destination_type: 'RUN',
      source_id: source,
      source_type: 'DATASET',
      tags: Object.fromEntries(tags.map(({ key, value }) => [key, value])),
    });
  }
  for (const modelId of modelInputs) {
    writeMeta(join(folder, 'inputs', md5(modelId + runId)), {
      destination_id: modelId,
      destination_type: 'RUN',
      source_id: modelId,
      source_type: 'MODEL',
      tags: {},
    });
  }
  const outputs = modelOutputs.filter(({ modelId }) => isPlainName(modelId));
  for (const { modelId, step } of outputs) {
    writeMeta(join(folder, 'outputs', modelId), {
      destination_id: modelId,
      destination_type: 'MODEL_OUTPUT',
      source_id: modelId,
      source_type: 'RUN_OUTPUT',
      step,
      tags: {},
    });
  }
  return modelOutputs
    .filter((output) => !outputs.includes(output))
    .map(({ modelId }) => keyOmission(`run ${runId}/outputs`, modelId, 'no file can be called so'));
}

function datasetId({ name, digest }: DatasetLink['dataset']): string {
  return md5(name + digest);
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

/** @throws SlipwayError `exportFolderTaken` when the run lies there already. */
export function requireNoRun(folder: string, runId: string): void {
  if (existsSync(folder))
    throw new SlipwayError('exportFolderTaken', { folder: dirname(dirname(folder)), run: runId });
}

/** A folder of its own for what is being written, which says whose it is to one who finds it left behind. */
export function makeUnfinished(root: string): string {
  const folder = mkdtempSync(join(root, '.slipway-export-'));
  writeFileSync(
    join(folder, 'README'),
    'Left behind by an export of Slipway that did not end. It may be deleted.\n',
  );
  return folder;
}
