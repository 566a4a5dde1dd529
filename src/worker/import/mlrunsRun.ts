import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ImportedDataset, ImportedRun, ImportOmission, ImportRecord } from '../../protocol/importing.ts';
import type { RunStatus } from '../../protocol/tracking.ts';
import { artifactFiles } from './artifactFiles.ts';
import { type ArtifactLocation, type LocationRules, locateArtifacts } from './artifactLocation.ts';
import { type FlatYamlMap, numberOf, textOf, textsOf } from './flatYaml.ts';
import { filesBelow, readKeyedFiles } from './keyedFiles.ts';
import { readMetricLines } from './metricLines.ts';
import { type ExperimentFolder, metaFolders, nameOf, readMeta, statusOf } from './mlrunsLayout.ts';
import { createPointBuffer } from './pointBuffer.ts';

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

/** A run that was read: what it is, and whether all of it was there to be read. */
export interface RunReading {
  readonly runId: string;
  /** False: a line was only half written. */
  readonly complete: boolean;
}

/**
 * Yields a run with its points and artifacts.
 *
 * @param offsets as in `ReadOptions`: metric files that only grew are read from where they ended.
 * @returns null when the folder's `meta.yaml` cannot be read.
 */
export async function* readRun(
  experiment: ExperimentFolder,
  folder: string,
  rules: LocationRules,
  offsets: Map<string, number>,
): AsyncGenerator<ImportRecord, RunReading | null> {
  const subject = `run ${nameOf(folder)}`;
  const read = readMeta(folder);
  if ('problem' in read) {
    yield omission(`${subject}/meta.yaml`, 'unreadable', { detail: read.problem });
    return null;
  }
  const { meta } = read;
  const runId = textOf(meta, 'run_id') ?? textOf(meta, 'run_uuid');
  if (runId !== nameOf(folder)) {
    yield omission(`${subject}/meta.yaml`, 'unreadable', { detail: `its run_id is ${runId ?? 'not there'}` });
    return null;
  }
  const location = artifactsOf(experiment, folder, runId, textOf(meta, 'artifact_uri'), rules);
  const { run, omissions } = describeRun(experiment, folder, runId, meta, location);
  yield* omissions;
  yield run;
  const complete = yield* readMetrics(folder, run, subject, offsets);
  yield* readArtifacts(folder, runId, subject, location);
  return { runId, complete };
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
    // The id becomes part of a path.
    const dataset = /^[\w-]+$/.test(sourceId)
      ? readMeta(join(experiment.folder, 'datasets', sourceId))
      : { problem: `no dataset can be called ${sourceId}` };
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
    const from = offsets.get(file) ?? 0;
    const points = createPointBuffer(run.runId, key);
    const lines = readMetricLines(file, from, false, ended);
    let broken = 0;
    let next = lines.next();
    for (; !next.done; next = lines.next()) {
      const { number, line } = next.value;
      if (line === null) {
        broken += 1;
        if (broken > mostBrokenLines) continue;
        const detail = 'it is not "timestamp value step"';
        yield omission(`${subject}/metrics/${key} line ${number}`, 'unreadable', { detail });
        continue;
      }
      const chunk = points.add(line.step, line.timestamp, line.value);
      if (chunk) yield chunk;
    }
    const rest = points.rest();
    if (rest) yield rest;
    if (broken > mostBrokenLines) {
      const detail = `${broken - mostBrokenLines} more lines are not "timestamp value step"`;
      yield omission(`${subject}/metrics/${key}`, 'unreadable', { detail });
    }
    offsets.set(file, next.value.offset);
    complete &&= next.value.complete;
  }
  return complete;
}

/**
 * Where a run's artifacts lie. The folder of a file store may have been moved since, with what `meta.yaml` says left
 * behind; then the run's own folder is meant.
 */
function artifactsOf(
  experiment: ExperimentFolder,
  folder: string,
  runId: string,
  uri: string | null,
  rules: LocationRules,
): ArtifactLocation {
  const own = { kind: 'here', folder: join(folder, 'artifacts'), root: folder } as const;
  if (uri === null) return own;
  const location = locateArtifacts(uri, rules);
  if (location.kind === 'remote') return location;
  if (location.kind === 'missing' && endsWith(location.folder, [experiment.id, runId, 'artifacts']))
    return own;
  if (location.kind === 'here' && isSame(location.folder, own.folder)) return own;
  // Where the experiment's other artifacts are there, this run has logged none.
  if (location.kind === 'missing' && existsSync(dirname(dirname(location.folder)))) return own;
  return location;
}

async function* readArtifacts(
  folder: string,
  runId: string,
  subject: string,
  location: ArtifactLocation,
): AsyncIterable<ImportRecord> {
  const owner = { type: 'run', id: runId } as const;
  const own = join(folder, 'artifacts');
  yield* artifactFiles(owner, own, folder, `${subject}/artifacts`);
  if (location.kind === 'here' && location.folder !== own) {
    yield* artifactFiles(owner, location.folder, location.root, `${subject}/artifacts`);
  } else {
    yield* omittedArtifacts(`${subject}/artifacts`, location);
  }
}

/** What to say of artifacts that cannot be taken from where they are. */
export function* omittedArtifacts(subject: string, location: ArtifactLocation): Iterable<ImportOmission> {
  if (location.kind === 'elsewhere') yield omission(subject, 'filesElsewhere', { location: location.folder });
  if (location.kind === 'missing') yield omission(subject, 'filesMissing', { location: location.folder });
  if (location.kind === 'remote') yield omission(subject, 'filesRemote', { location: location.uri });
}

export function endsWith(path: string, segments: readonly string[]): boolean {
  const parts = path.split(/[/\\]/).filter((part) => part !== '');
  return segments.every((segment, index) => parts.at(index - segments.length) === segment);
}

function isSame(one: string, other: string): boolean {
  return existsSync(one) && existsSync(other) && realpathSync(one) === realpathSync(other);
}

export function omission(
  subject: string,
  reason: ImportOmission['reason'],
  values: ImportOmission['values'] = {},
): ImportOmission {
  return { type: 'omission', subject, reason, values };
}
