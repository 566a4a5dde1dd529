import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ImportedRun, ImportOmission, ImportRecord } from '../../../protocol/importing.ts';
import type { KeyValue } from '../../../protocol/tracking.ts';
import { artifactFiles } from '../artifactFiles.ts';
import { readRows } from '../csv/rows.ts';
import { tryOpenFile } from '../tracker/byteSource.ts';
import { createKeys, type Keys } from '../tracker/keys.ts';
import { isLive } from '../tracker/liveness.ts';
import { numberOf } from '../tracker/numbers.ts';
import { createOmissionCount, type OmissionCount, omission } from '../tracker/omission.ts';
import { createRunPoints, type RunPoints } from '../tracker/runPoints.ts';
import { pathBelow, stateOf, statusOf } from '../tracker/sourceFiles.ts';
import {
  historyFolder,
  type LiveFolder,
  liveFiles,
  metricKey,
  metricsFile,
  parametersFile,
  projectRoot,
} from './liveFolder.ts';
import type { RunIdentity, RunPlace } from './runIdentity.ts';
import { metricValue, readValues, textValue } from './valueFile.ts';

/** DVCLive has one of these files in a project of DVC while it trains. */
const signalFiles = ['.dvc/tmp/exps/run/DVCLIVE_ONLY', '.dvc/tmp/exps/run/DVCLIVE_STEP_COMPLETED'];

/** What a part of the run is read into. */
interface Sinks {
  readonly subject: string;
  readonly points: RunPoints;
  readonly keys: Keys;
  readonly untaken: OmissionCount;
  /** The last step, and the times of the points, in UTC milliseconds. */
  lastStep: number;
  firstTime: number | null;
  lastTime: number | null;
}

/** @param pipelineParameters those with which a stage of a pipeline trained into the folder. */
export async function* readLiveRun(
  { root, experimentId, commit, known }: RunPlace,
  live: LiveFolder,
  identity: RunIdentity,
  pipelineParameters: readonly KeyValue[],
): AsyncIterable<ImportRecord> {
  const { folder, histories } = live;
  const { runId } = identity;
  const files = liveFiles(live);
  const times = files.flatMap((file) => statusOf(file)?.mtimeMs ?? []);
  const lastWritten = Math.max(...times, 0);
  const isGrowing = commit === null && isLive(lastWritten) && mayTrain(folder);
  const key = `run/${runId}`;
  // Before it is read: what is written meanwhile makes the state another one the next time.
  const state = stateOf(
    commit === null ? [...files, join(folder, 'plots'), join(folder, 'plots', 'images')] : [],
    ...[commit ?? String(isGrowing), identity.name ?? '', JSON.stringify(pipelineParameters)],
  );
  if (known.get(key) === state) return;

  const name = identity.name ?? (pathBelow(root, folder) || basename(folder));
  const subject = `run ${name}`;
  const sinks: Sinks = {
    subject,
    points: createRunPoints(runId),
    keys: createKeys(`${subject}/metrics`),
    untaken: createOmissionCount(),
    ...{ lastStep: 0, firstTime: null, lastTime: null },
  };
  findTimes(live, sinks);
  // Of a copy only the files are new.
  const isRunning = isGrowing && isLive(sinks.lastTime ?? lastWritten);
  const parameters = readParameters(folder, subject, pipelineParameters);
  const run: ImportedRun = {
    type: 'run',
    runId,
    experimentId,
    name,
    userId: '',
    status: isRunning ? 'RUNNING' : 'FINISHED',
    startTime: sinks.firstTime ?? Math.floor(Math.min(...times, lastWritten)),
    endTime: isRunning ? null : (sinks.lastTime ?? Math.floor(lastWritten)),
    lifecycleStage: 'active',
    deletedTime: null,
    parameters: parameters.values,
    tags: identity.tags,
    datasets: [],
    modelInputs: [],
    modelOutputs: [],
    artifactUri: null,
  };
  yield run;
  yield* parameters.omissions;
  const keysOfHistories = new Set<string>();
  for (const history of histories) {
    const metric = metricKey(live, history);
    keysOfHistories.add(metric);
    yield* readHistory(history, metric, isGrowing, sinks);
  }
  // While it trains, each reading would find another step for them.
  if (!isRunning) yield* readSummary(folder, keysOfHistories, sinks);
  yield* sinks.points.rest();
  for await (const record of artifactFiles(
    { type: 'run', id: runId },
    folder,
    folder,
    `${subject}/artifacts`,
  )) {
    const isTaken = record.type === 'artifact' && isReadOtherwise(record.path);
    if (!isTaken) yield record;
  }
  yield* sinks.keys.changed();
  yield* sinks.untaken.omissions(subject);
  yield { type: 'part', key, state, runId };
}

/** Whether something may be training into a folder: outside of a DVC project nothing says so. */
function mayTrain(folder: string): boolean {
  const project = projectRoot(folder);
  if (!existsSync(join(project, '.dvc'))) return true;
  return signalFiles.some((file) => existsSync(join(project, file)));
}

function isReadOtherwise(path: string): boolean {
  return path === metricsFile || path === parametersFile || path.startsWith(`${historyFolder}/`);
}

/** Those that the script logged, and of the pipeline those that it did not. */
function readParameters(
  folder: string,
  subject: string,
  ofPipeline: readonly KeyValue[],
): { readonly values: readonly KeyValue[]; readonly omissions: readonly ImportOmission[] } {
  const keys = createKeys(`${subject}/params`);
  try {
    const found = readValues(join(folder, parametersFile)) ?? [];
    const logged = found.map(({ key, value }) => ({ key: keys.of(key), value: textValue(value) }));
    const names = new Set(logged.map(({ key }) => key));
    const values = [...logged, ...ofPipeline.filter(({ key }) => !names.has(key))];
    return { values, omissions: [...keys.changed()] };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const said = omission(`${subject}/${parametersFile}`, 'unreadable', { detail });
    return { values: ofPipeline, omissions: [said] };
  }
}

/** The first way through the histories: when the run began, and when it was last heard of. */
function findTimes({ histories }: LiveFolder, sinks: Sinks): void {
  for (const history of histories) {
    for (const { step, time } of rowsOf(history, true)) {
      if (step !== null) sinks.lastStep = Math.max(sinks.lastStep, step);
      if (time === null) continue;
      sinks.firstTime = Math.min(sinks.firstTime ?? time, time);
      sinks.lastTime = Math.max(sinks.lastTime ?? time, time);
    }
  }
}

function* readHistory(
  file: string,
  metric: string,
  isGrowing: boolean,
  sinks: Sinks,
): Iterable<ImportRecord> {
  const opened = tryOpenFile(file);
  if ('problem' in opened) {
    yield omission(`${sinks.subject}/${metric}.tsv`, 'unreadable', { detail: opened.problem });
    return;
  }
  opened.close();
  let broken = 0;
  for (const { step, time, text } of rowsOf(file, isGrowing)) {
    const value = numberOf(text);
    if (step === null) broken += 1;
    else if (value === null) sinks.untaken.add(`texts in the history of "${metric}"`);
    else yield* sinks.points.add(sinks.keys.of(metric), step, time ?? 0, value);
  }
  if (broken > 0) {
    yield omission(`${sinks.subject}/${metric}.tsv`, 'unreadable', {
      detail: `${broken} lines have no step`,
    });
  }
}

interface HistoryRow {
  readonly step: number | null;
  /** UTC milliseconds. */
  readonly time: number | null;
  readonly text: string;
}

/** @param isGrowing whether a last line without an end is being written. */
function* rowsOf(file: string, isGrowing: boolean): Iterable<HistoryRow> {
  const source = tryOpenFile(file);
  // Why is told where its points are read.
  if ('problem' in source) return;
  try {
    let header: readonly string[] | null = null;
    for (const { fields } of readRows(source, '\t', isGrowing)) {
      if (header === null) {
        header = fields;
        continue;
      }
      const [step, time] = [header.indexOf('step'), header.indexOf('timestamp')];
      const value = header.findIndex((_, index) => index !== step && index !== time);
      const cell = (index: number) => numberOf(fields[index] ?? '');
      yield { step: cell(step), time: time < 0 ? null : cell(time), text: fields[value] ?? '' };
    }
  } finally {
    source.close();
  }
}

/** What the summary has and no history: values that were set by themselves, or logged without a plot. */
function* readSummary(folder: string, histories: ReadonlySet<string>, sinks: Sinks): Iterable<ImportRecord> {
  try {
    for (const { key, value } of readValues(join(folder, metricsFile)) ?? []) {
      const metric = key.replaceAll('.', '/');
      if (key === 'step' || histories.has(metric) || histories.has(key)) continue;
      const number = metricValue(value);
      if (number === null) sinks.untaken.add(`texts in the summary, "${key}"`);
      else yield* sinks.points.add(sinks.keys.of(metric), sinks.lastStep, sinks.lastTime ?? 0, number);
    }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    yield omission(`${sinks.subject}/${metricsFile}`, 'unreadable', { detail });
  }
}
