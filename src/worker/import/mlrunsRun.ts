import { join } from 'node:path';
import type { ImportedDataset, ImportedRun, ImportOmission, ImportRecord } from '../../protocol/importing.ts';
import type { RunStatus } from '../../protocol/tracking.ts';
import type { ArtifactLocation, LocationRules } from './artifactLocation.ts';
import { type FlatYamlMap, numberOf, textOf, textsOf } from './flatYaml.ts';
import { filesBelow, readKeyedFiles } from './keyedFiles.ts';
import { readMetricLines } from './metricLines.ts';
import { locateOwned, readArtifacts } from './mlrunsArtifacts.ts';
import { type ExperimentFolder, isFolder, metaFolders, nameOf, readMeta, statusOf } from './mlrunsLayout.ts';
import { createPointBuffer } from './pointBuffer.ts';
import { omission } from './tracker/omission.ts';

/** Run statuses as MLflow's file store writes them (RunStatus in service.proto), and as some wrote them by name. */
const statuses: Readonly<Record<string, RunStatus>> = {
  '1': 'RUNNING',
  '2': 'SCHEDULED',
  '3': 'FINISHED',
  '4': 'FAILED',
  '5': 'KILLED',
  RUNNING: 'RUNNING',
  SCHEDULED: 'SCHEDULED',
  FINISHED: 'FINISHED',
  FAILED: 'FAILED',
  KILLED: 'KILLED',
};

/** A file that nobody wrote for so long is not in the middle of being written. */
const settledMilliseconds = 10_000;
/** Omissions that one metric file may have: thousands of broken lines have one cause. */
const mostBrokenLines = 20;

/**
 * Yields a run with its points and artifacts. Any of the folders beside its `meta.yaml` may be missing, as they are where
 * the run went through Git, which keeps no empty folders.
 *
 * @param offsets as in `ReadOptions`: metric files that only grew are read from where they ended.
 * @returns false when its `meta.yaml` cannot be read, or a line was only half written.
 */
export async function* readRun(
  experiment: ExperimentFolder,
  folder: string,
  rules: LocationRules,
  offsets: Map<string, number>,
): AsyncGenerator<ImportRecord, boolean> {
  const subject = `run ${nameOf(folder)}`;
  const read = readMeta(folder);
  if ('problem' in read) {
    yield omission(`${subject}/meta.yaml`, 'unreadable', { detail: read.problem });
    return false;
  }
  const { meta } = read;
  const runId = runIdOf(meta);
  if (runId !== nameOf(folder)) {
    yield omission(`${subject}/meta.yaml`, 'unreadable', { detail: `its run_id is ${runId ?? 'not there'}` });
    return false;
  }
  const tail = [experiment.id, runId, 'artifacts'];
  const location = locateOwned(folder, tail, textOf(meta, 'artifact_uri'), rules);
  const { run, omissions } = describeRun(experiment, folder, runId, meta, location);
  yield* omissions;
  yield run;
  const complete = yield* readMetrics(folder, run, subject, offsets);
  yield* readArtifacts({ type: 'run', id: runId }, folder, location, subject);
  return complete;
}

/** The id that the `meta.yaml` of a run gives; older ones call it otherwise. */
export function runIdOf(meta: FlatYamlMap): string | null {
  return textOf(meta, 'run_id') ?? textOf(meta, 'run_uuid');
}

function describeRun(
  experiment: ExperimentFolder,
  folder: string,
  runId: string,
  meta: FlatYamlMap,
  location: ArtifactLocation,
): { readonly run: ImportedRun; readonly omissions: readonly ImportOmission[] } {
  const subject = `run ${runId}`;
  const omissions: ImportOmission[] = [];
  const parameters = readKeyedFiles(join(folder, 'params'), `${subject}/params`);
  const tags = readKeyedFiles(join(folder, 'tags'), `${subject}/tags`);
  omissions.push(...parameters.omissions, ...tags.omissions);
  const statusText = textOf(meta, 'status') ?? '1';
  const status = statuses[statusText];
  if (status === undefined) {
    const detail = `unknown status ${statusText}; the run was taken as FAILED`;
    omissions.push(omission(`${subject}/status`, 'invalidValue', { detail }));
  }
  const inputs = readInputs(experiment, folder, subject);
  const outputs = readOutputs(folder, subject);
  omissions.push(...inputs.omissions, ...outputs.omissions);
  const endTime = numberOf(meta, 'end_time');
  const deleted = experiment.inTrash || textOf(meta, 'lifecycle_stage') === 'deleted';
  return {
    omissions,
    run: {
      type: 'run',
      runId,
      experimentId: experiment.id,
      name: textOf(meta, 'run_name') || textOf(meta, 'name') || '',
      userId: textOf(meta, 'user_id') ?? '',
      status: status ?? 'FAILED',
      startTime: numberOf(meta, 'start_time') ?? endTime ?? 0,
      endTime,
      lifecycleStage: deleted ? 'deleted' : 'active',
      deletedTime: numberOf(meta, 'deleted_time'),
      parameters: parameters.values,
      tags: withLegacyTags(tags.values, meta),
      datasets: inputs.datasets,
      modelInputs: inputs.models,
      modelOutputs: outputs.models,
      artifactUri: location.kind === 'remote' ? location.uri : null,
    },
  };
}

/** Before 2019, what tags say today stood in `meta.yaml`. */
function withLegacyTags(tags: ImportedRun['tags'], meta: FlatYamlMap): ImportedRun['tags'] {
  const legacy = [
    ['mlflow.source.name', textOf(meta, 'source_name')],
    ['mlflow.project.entryPoint', textOf(meta, 'entry_point_name')],
    ['mlflow.source.git.commit', textOf(meta, 'source_version')],
  ] as const;
  return [
    ...tags,
    ...legacy.flatMap(([key, value]) =>
      value && !tags.some((tag) => tag.key === key) ? [{ key, value }] : [],
    ),
  ];
}

function readInputs(experiment: ExperimentFolder, folder: string, subject: string) {
  const datasets: ImportedDataset[] = [];
  const models: string[] = [];
  const omissions: ImportOmission[] = [];
  for (const input of metaFolders(join(folder, 'inputs'))) {
    const at = `${subject}/inputs/${nameOf(input)}`;
    const read = readMeta(input);
    if ('problem' in read) {
      omissions.push(omission(at, 'unreadable', { detail: read.problem }));
      continue;
    }
    const sourceId = textOf(read.meta, 'source_id') ?? '';
    const sourceType = textOf(read.meta, 'source_type');
    if (sourceType === 'MODEL' || sourceType === 'MODEL_INPUT') {
      models.push(sourceId);
      continue;
    }
    const dataset = readDataset(experiment, sourceId);
    if ('problem' in dataset) {
      omissions.push(omission(at, 'unreadable', { detail: dataset.problem }));
      continue;
    }
    datasets.push({
      name: textOf(dataset.meta, 'name') ?? '',
      digest: textOf(dataset.meta, 'digest') ?? '',
      sourceType: textOf(dataset.meta, 'source_type') ?? '',
      source: textOf(dataset.meta, 'source') ?? '',
      schema: textOf(dataset.meta, 'schema'),
      profile: textOf(dataset.meta, 'profile'),
      tags: textsOf(read.meta, 'tags'),
    });
  }
  return { datasets, models, omissions };
}

function readDataset(experiment: ExperimentFolder, id: string): ReturnType<typeof readMeta> {
  // The id becomes part of a path, on which no link may lie.
  if (!/^[\w-]+$/.test(id)) return { problem: `no dataset can be called ${id}` };
  const datasets = join(experiment.folder, 'datasets');
  const folder = join(datasets, id);
  return isFolder(datasets) && isFolder(folder) ? readMeta(folder) : { problem: 'its dataset is not there' };
}

function readOutputs(folder: string, subject: string) {
  const models: { readonly modelId: string; readonly step: number }[] = [];
  const omissions: ImportOmission[] = [];
  for (const output of metaFolders(join(folder, 'outputs'))) {
    const read = readMeta(output);
    if ('problem' in read) {
      omissions.push(
        omission(`${subject}/outputs/${nameOf(output)}`, 'unreadable', { detail: read.problem }),
      );
    } else {
      const modelId = textOf(read.meta, 'source_id') ?? nameOf(output);
      models.push({ modelId, step: numberOf(read.meta, 'step') ?? 0 });
    }
  }
  return { models, omissions };
}

function* readMetrics(
  folder: string,
  run: ImportedRun,
  subject: string,
  offsets: Map<string, number>,
): Generator<ImportRecord, boolean> {
  let complete = true;
  const metrics = join(folder, 'metrics');
  for (const key of filesBelow(metrics)) {
    const file = join(metrics, key);
    const found = statusOf(file);
    if (found === null) continue;
    const ended = run.status !== 'RUNNING' || found.mtimeMs < Date.now() - settledMilliseconds;
    const metric = { runId: run.runId, key, file, subject: `${subject}/metrics/${key}` };
    if (!(yield* readMetric(metric, ended, offsets))) complete = false;
  }
  return complete;
}

interface MetricFile {
  readonly runId: string;
  readonly key: string;
  readonly file: string;
  readonly subject: string;
}

/**
 * Yields the points of a metric; those that were read before are left out, unless the file has broken lines: all of these
 * are told each time, by their number.
 */
function* readMetric(
  metric: MetricFile,
  ended: boolean,
  offsets: Map<string, number>,
): Generator<ImportRecord, boolean> {
  const { runId, key, file, subject } = metric;
  const from = offsets.get(file) ?? 0;
  const points = createPointBuffer(runId, key);
  const lines = readMetricLines(file, from, false, ended);
  let broken = 0;
  let next = lines.next();
  for (; !next.done; next = lines.next()) {
    const { number, line } = next.value;
    if (line === null && from > 0) {
      lines.return({ offset: 0, complete: false });
      offsets.set(file, 0);
      return yield* readMetric(metric, ended, offsets);
    }
    if (line === null) {
      broken += 1;
      if (broken > mostBrokenLines) continue;
      const detail = 'it is not "timestamp value step"';
      yield omission(`${subject} line ${number}`, 'unreadable', { detail });
      continue;
    }
    const chunk = points.add(line.step, line.timestamp, line.value);
    if (chunk) yield chunk;
  }
  const rest = points.rest();
  if (rest) yield rest;
  if (broken > mostBrokenLines) {
    const detail = `${broken - mostBrokenLines} more lines are not "timestamp value step"`;
    yield omission(subject, 'unreadable', { detail });
  }
  offsets.set(file, broken > 0 ? 0 : next.value.offset);
  return next.value.complete;
}
