import { basename, join } from 'node:path';
import type { ImportedRun, ImportOmission, ImportRecord } from '../../../protocol/importing.ts';
import type { KeyValue } from '../../../protocol/tracking.ts';
import { artifactFiles } from '../artifactFiles.ts';
import { stableId } from '../reader.ts';
import { createKeys } from '../tracker/keys.ts';
import { isLive } from '../tracker/liveness.ts';
import type { Leaf } from '../tracker/nestedValues.ts';
import { omission } from '../tracker/omission.ts';
import { pathBelow, stateOf, statusOf } from '../tracker/sourceFiles.ts';
import { projectRoot } from './liveFolder.ts';
import { digestOf, type Lock, type Pipeline, readLock } from './pipeline.ts';
import type { RunIdentity, RunPlace } from './runIdentity.ts';
import { metricValue, readValues, textValue } from './valueFile.ts';

/** What reading found, and what it could not take. */
interface Found<Value> {
  readonly values: readonly Value[];
  readonly omissions: readonly ImportOmission[];
}

interface MetricOfFile {
  readonly key: string;
  readonly value: number;
}

/** What a pipeline came to. */
export interface PipelineResult {
  readonly pipeline: Pipeline;
  /** Of all that it came to: another result is another run. */
  readonly runId: string;
  readonly metrics: Found<MetricOfFile>;
  readonly parameters: Found<KeyValue>;
  readonly metricFiles: readonly string[];
  /** When its metrics were written, in UTC milliseconds. */
  readonly lastWritten: number;
}

/**
 * What a pipeline in a folder came to: metrics from the files that `dvc.yaml` names, parameters as `dvc.lock` has them
 * when the metrics are of that run, else from their files. Without a result, what to say of it.
 *
 * @param isTaken says which files are read otherwise.
 */
export async function findPipelineResult(
  { root, commit }: RunPlace,
  pipeline: Pipeline,
  isTaken: (file: string) => boolean,
): Promise<PipelineResult | readonly ImportOmission[]> {
  const subject = pathBelow(root, pipeline.file);
  const metricFiles = pipeline.metrics.filter((file) => !isTaken(file));
  const metrics = readMetrics(root, metricFiles, subject);
  if (metrics.values.length === 0) return metrics.omissions;
  const written = metricFiles.flatMap((file) => statusOf(file)?.mtimeMs ?? []);
  const lastWritten = Math.floor(Math.max(...written, 0));
  const lock = lockOf(pipeline);
  const isOfLock = lock !== null && (await areOfLock(metricFiles, lock));
  if (lock !== null && !isOfLock && commit === null && isLive(lastWritten)) {
    const detail =
      'its metrics are newer than dvc.lock, so it may be running; import again when it has ended';
    return [omission(subject, 'notSupported', { detail })];
  }
  const parameters = readParameters(root, pipeline, isOfLock ? lock.parameters : noLock, isTaken, subject);
  const identity = [
    ...parameters.values.map((pair) => JSON.stringify(pair)),
    ...metrics.values.map((pair) => JSON.stringify([pair.key, String(pair.value)])),
  ];
  const place = pathBelow(projectRoot(pipeline.folder), pipeline.folder);
  const runId = stableId('dvc', place, ...identity.sort());
  return { pipeline, runId, metrics, parameters, metricFiles, lastWritten };
}

/** The parameters with which a pipeline ran that left its metrics in a folder of DVCLive. */
export async function pipelineParameters(
  root: string,
  pipeline: Pipeline,
  isTaken: (file: string) => boolean,
): Promise<readonly KeyValue[]> {
  const lock = lockOf(pipeline);
  const isOfLock = lock !== null && (await areOfLock(pipeline.metrics, lock));
  const subject = pathBelow(root, pipeline.file);
  return readParameters(root, pipeline, isOfLock ? lock.parameters : noLock, isTaken, subject).values;
}

/** A pipeline's result as one run, so that what is imported again and again makes a history. */
export async function* readPipelineRun(
  place: RunPlace,
  result: PipelineResult,
  identity: RunIdentity,
  isTaken: (file: string) => boolean,
): AsyncIterable<ImportRecord> {
  const { root, experimentId, commit, known } = place;
  const { pipeline, metrics, parameters, metricFiles, lastWritten } = result;
  const { runId } = identity;
  const subject = pathBelow(root, pipeline.file);
  const key = `run/${runId}`;
  const state = stateOf(
    commit === null ? [...metricFiles, ...pipeline.artifacts] : [],
    ...[commit ?? '', identity.name ?? ''],
  );
  if (known.get(key) === state) return;

  const run: ImportedRun = {
    type: 'run',
    runId,
    experimentId,
    name: identity.name ?? (pathBelow(root, pipeline.folder) || basename(pipeline.folder)),
    userId: '',
    status: 'FINISHED',
    startTime: lastWritten,
    endTime: lastWritten,
    lifecycleStage: 'active',
    deletedTime: null,
    parameters: parameters.values,
    tags: [{ key: 'mlflow.source.name', value: subject }, ...identity.tags],
    datasets: [],
    modelInputs: [],
    modelOutputs: [],
    artifactUri: null,
  };
  yield run;
  for (const { key: metric, value } of metrics.values) {
    yield {
      type: 'points',
      runId,
      key: metric,
      steps: Float64Array.of(0),
      timestamps: Float64Array.of(lastWritten),
      values: Float64Array.of(value),
      latestOnly: true,
    };
  }
  yield* pipelineArtifacts(place, pipeline, runId, isTaken, subject);
  yield* metrics.omissions;
  yield* parameters.omissions;
  yield { type: 'part', key, state, runId };
}

const noLock: Lock['parameters'] = new Map();

function lockOf({ folder }: Pipeline): Lock | null {
  try {
    return readLock(folder);
  } catch {
    // Parameters are in their files, too.
    return null;
  }
}

/** Files and folders that a pipeline keeps beside its metrics. */
export async function* pipelineArtifacts(
  { root, commit }: RunPlace,
  pipeline: Pipeline,
  runId: string,
  isTaken: (file: string) => boolean,
  subject: string,
): AsyncIterable<ImportRecord> {
  const owner = { type: 'run', id: runId } as const;
  for (const path of pipeline.artifacts) {
    if (isTaken(path)) continue;
    const target = pathBelow(pipeline.folder, path);
    const found = statusOf(path);
    if (found?.isFile()) yield { type: 'artifact', owner, path: target, file: path, root };
    else if (found?.isDirectory()) {
      for await (const record of artifactFiles(owner, path, root, `${subject}/${target}`)) {
        yield record.type === 'artifact' ? { ...record, path: `${target}/${record.path}` } : record;
      }
    } else
      yield omission(`${subject}/${target}`, 'filesMissing', {
        location: commit === null ? 'the workspace' : 'the commit',
      });
  }
}

async function areOfLock(files: readonly string[], { digests }: Lock): Promise<boolean> {
  const locked = files.filter((file) => digests.has(file) && statusOf(file)?.isFile());
  if (locked.length === 0) return false;
  for (const file of locked) if ((await digestOf(file)) !== digests.get(file)) return false;
  return true;
}

/** The parameters with which the pipeline ran, and those of files that no stage of it reads. */
function readParameters(
  root: string,
  pipeline: Pipeline,
  locked: Lock['parameters'],
  isTaken: (file: string) => boolean,
  subject: string,
): Found<KeyValue> {
  const keys = createKeys(`${subject}/params`);
  const values: KeyValue[] = [];
  const omissions: ImportOmission[] = [];
  // As DVC writes it: keys of the usual file stand for themselves.
  const take = (path: string, { key, value }: Leaf) => {
    const name = basename(path) === 'params.yaml' ? key : `${path}:${key}`;
    values.push({ key: keys.of(name), value: textValue(value) });
  };
  for (const [path, pairs] of locked) for (const [key, value] of pairs) take(path, { key, value });
  for (const [file, wanted] of pipeline.parameters) {
    const path = pathBelow(pipeline.folder, file);
    if (isTaken(file) || locked.has(path)) continue;
    const at = `${subject}/params/${pathBelow(root, file)}`;
    try {
      const found = readValues(file);
      if (found === null) omissions.push(omission(at, 'filesMissing', { location: path }));
      for (const leaf of found ?? []) if (isWanted(leaf.key, wanted)) take(path, leaf);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      omissions.push(omission(at, 'unreadable', { detail }));
    }
  }
  return { values, omissions: [...omissions, ...keys.changed()] };
}

/** Without any keys all are wanted. */
function isWanted(key: string, wanted: readonly string[]): boolean {
  return wanted.length === 0 || wanted.some((prefix) => key === prefix || key.startsWith(`${prefix}.`));
}

/** Of several files that have a metric of one name, the others have theirs with the file's path before it. */
function readMetrics(root: string, files: readonly string[], subject: string): Found<MetricOfFile> {
  const keys = createKeys(`${subject}/metrics`);
  const values: MetricOfFile[] = [];
  const omissions: ImportOmission[] = [];
  for (const file of files) {
    const path = pathBelow(root, file);
    try {
      const found = readValues(file);
      if (found === null)
        omissions.push(omission(`${subject}/metrics/${path}`, 'filesMissing', { location: path }));
      for (const { key, value } of found ?? []) {
        const number = metricValue(value);
        if (number === null) {
          omissions.push(
            omission(`${subject}/metrics/${path}/${key}`, 'invalidValue', { detail: 'it is no number' }),
          );
        } else values.push({ key: keys.of(keys.has(key) ? `${path}/${key}` : key), value: number });
      }
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      omissions.push(omission(`${subject}/metrics/${path}`, 'unreadable', { detail }));
    }
  }
  return { values, omissions: [...omissions, ...keys.changed()] };
}

/** Files that a result is made of. */
export function pipelineFiles({ pipeline, metricFiles }: PipelineResult): readonly string[] {
  return [...metricFiles, ...pipeline.parameters.keys(), join(pipeline.folder, 'dvc.lock')];
}

/** Files whose change means that the pipeline may have another result. */
export function watchedOfPipeline(pipeline: Pipeline): readonly string[] {
  return [pipeline.file, join(pipeline.folder, 'dvc.lock'), ...pipeline.metrics];
}
