import { basename, dirname } from 'node:path';
import { SlipwayError } from '../../../protocol/errors.ts';
import type { ImportedRun, ImportOmission, ImportRecord } from '../../../protocol/importing.ts';
import type { ImportReader, ReadOptions } from '../reader.ts';
import { tryOpenFile } from '../tracker/byteSource.ts';
import { createKeys } from '../tracker/keys.ts';
import { isLive, settledAfter } from '../tracker/liveness.ts';
import { createOmissionCount, omission } from '../tracker/omission.ts';
import { createRunPoints } from '../tracker/runPoints.ts';
import { createSessionMemory } from '../tracker/sessionMemory.ts';
import { pathBelow, stateOf, statusOf } from '../tracker/sourceFiles.ts';
import { readEvent, type TensorboardEvent } from './event.ts';
import { createRunFacts, type RunFacts, takeFacts } from './runFacts.ts';
import { findRunFolders, type IdentifiedRun, identifyRuns, isEventFile, logDirectory } from './runFolders.ts';
import { type SummarySinks, takeEvent } from './summaries.ts';
import { readTfRecords } from './tfRecord.ts';

/** So many entries are looked at to say what there is. */
const mostLookedAt = 20_000;
/** Names that log directories have everywhere; with the folder above they say more. */
const genericNames: ReadonlySet<string> = new Set([
  'runs',
  'logs',
  'log',
  'tensorboard',
  'tb',
  'lightning_logs',
  'tb_logs',
]);

/** What a session learnt of a run. */
interface Learnt {
  readonly facts: RunFacts;
  readonly sinks: SummarySinks;
  /** How far `facts` goes, by file. */
  readonly surveyed: Map<string, number>;
  readonly damages: ImportOmission[];
}

const sessions = createSessionMemory<Learnt>();

/** Reads the event files of TensorBoard: each folder with event files is a run, as in TensorBoard itself. */
export const tensorboardReader: ImportReader = {
  kind: 'tensorboard',
  settledAfter,
  async detects(path) {
    const found = statusOf(path);
    if (found === null || (found.isFile() && !isEventFile(basename(path)))) return null;
    const { runs } = findRunFolders(logDirectory(path), mostLookedAt);
    if (runs.length === 0) return null;
    return { kind: 'tensorboard', path, experimentCount: 1, runCount: runs.length, registeredModelCount: 0 };
  },
  async *read(path, options) {
    if (statusOf(path) === null) {
      throw new SlipwayError('importUnreadable', { path, detail: 'there is no such file or folder' });
    }
    const root = logDirectory(path);
    const { runs: folders, outside } = findRunFolders(root);
    const runs = identifyRuns(folders);
    const name = experimentName(root);
    yield {
      type: 'experiment',
      experimentId: name,
      name,
      lifecycleStage: 'active',
      creationTime: null,
      lastUpdateTime: null,
      tags: [],
    };
    for (const [index, run] of runs.entries()) {
      yield { type: 'progress', done: index, total: runs.length, message: run.name };
      yield* readRun(root, name, run, options);
    }
    for (const link of outside) yield omission(pathBelow(root, link), 'leadsOutside');
    for (const { folder, files } of folders) {
      if (!runs.some((run) => run.folder === folder)) yield* explainMissing(root, files);
    }
  },
  async watched(path) {
    const root = logDirectory(path);
    const { runs } = findRunFolders(root);
    const folders = runs.flatMap(({ folder }) => foldersUpTo(folder, root));
    return [...new Set([root, ...folders, ...runs.flatMap(({ files }) => files)])];
  },
};

function experimentName(root: string): string {
  const name = basename(root);
  return genericNames.has(name) ? `${basename(dirname(root))}/${name}` : name;
}

/** Why a folder with event files is no run: nothing can be read in them. A file that was just made is left alone. */
function* explainMissing(root: string, files: readonly string[]): Iterable<ImportRecord> {
  for (const file of files) {
    const found = statusOf(file);
    if (found === null || (found.size === 0 && isLive(found.mtimeMs))) continue;
    const subject = pathBelow(root, file);
    if (found.size === 0) yield omission(subject, 'unreadable', { detail: 'it is empty' });
    else yield omission(subject, 'damaged', { offset: 0, detail: 'no event can be read in it' });
  }
}

async function* readRun(
  root: string,
  experimentId: string,
  run: IdentifiedRun,
  { known, offsets }: ReadOptions,
): AsyncIterable<ImportRecord> {
  const key = `run/${run.runId}`;
  const lastWritten = Math.max(...run.files.map((file) => statusOf(file)?.mtimeMs ?? 0));
  // Before it is read: what is written meanwhile makes the state another one the next time.
  const state = stateOf(run.files, String(isLive(lastWritten)), run.name, run.parentRunId ?? '');
  if (known.get(key) === state) return;

  const subject = `run ${run.name}`;
  const learnt = sessions.of(offsets, key, () => beginLearning(run, subject));
  for (const file of run.files) survey(file, learnt);
  yield describe(experimentId, run, learnt.facts);
  for (const file of run.files) {
    yield* readEventFile(file, pathBelow(root, file), learnt, offsets, isLive(lastWritten));
  }
  yield* learnt.sinks.points.rest();
  yield* learnt.damages;
  yield* learnt.sinks.metricKeys.changed();
  yield* learnt.sinks.untaken.omissions(subject);
  yield { type: 'part', key, state, runId: run.runId };
}

function beginLearning(run: IdentifiedRun, subject: string): Learnt {
  return {
    facts: createRunFacts(run.startTime),
    sinks: {
      runId: run.runId,
      points: createRunPoints(run.runId),
      metricKeys: createKeys(`${subject}/metrics`),
      untaken: createOmissionCount(),
      plugins: new Map(),
    },
    surveyed: new Map(),
    damages: [],
  };
}

/** Event files have no mark for the end of a run but the one that the hyperparameter plugin may set. */
function describe(experimentId: string, run: IdentifiedRun, facts: RunFacts): ImportedRun {
  const status = facts.status ?? (isLive(facts.lastTime) ? 'RUNNING' : 'FINISHED');
  const parent = run.parentRunId === null ? [] : [{ key: 'mlflow.parentRunId', value: run.parentRunId }];
  const parameterKeys = createKeys('');
  const tagKeys = createKeys('');
  return {
    type: 'run',
    runId: run.runId,
    experimentId,
    name: run.name,
    userId: '',
    status,
    startTime: run.startTime,
    endTime: status === 'RUNNING' ? null : (facts.endTime ?? facts.lastTime),
    lifecycleStage: 'active',
    deletedTime: null,
    parameters: [...facts.parameters].map(([name, value]) => ({ key: parameterKeys.of(name), value })),
    tags: [...[...facts.tags].map(([name, value]) => ({ key: tagKeys.of(name), value })), ...parent],
    datasets: [],
    modelInputs: [],
    modelOutputs: [],
    artifactUri: null,
  };
}

/** The first way through a file, from where the session stopped: what it says about the run as a whole. */
function survey(file: string, { facts, surveyed }: Learnt): void {
  const events = readEvents(file, surveyed.get(file) ?? 0);
  let next = events.next();
  for (; !next.done; next = events.next()) {
    if (next.value.event === null) continue;
    try {
      takeFacts(next.value.event, facts);
    } catch {
      // Said the second time.
    }
  }
  surveyed.set(file, next.value.offset);
}

/** The second way: its values, and where it is damaged. */
function* readEventFile(
  file: string,
  subject: string,
  { sinks, damages }: Learnt,
  offsets: Map<string, number>,
  isGrowing: boolean,
): Iterable<ImportRecord> {
  const damaged = (offset: number, detail: string) =>
    damages.push(omission(subject, 'damaged', { offset, detail }));
  const events = readEvents(file, offsets.get(file) ?? 0);
  let isDamaged = false;
  let next = events.next();
  for (; !next.done; next = events.next()) {
    const { event, offset, damage } = next.value;
    try {
      if (event !== null) yield* takeEvent(event, sinks);
      if (damage !== null) throw new Error(damage);
    } catch (error) {
      isDamaged = true;
      damaged(offset, error instanceof Error ? error.message : String(error));
    }
  }
  const { offset, isComplete } = next.value;
  if (!isComplete && !isDamaged && !isGrowing) damaged(offset, 'the file ends in the middle of a record');
  offsets.set(file, offset);
}

/** A record's place, and either its event or what is wrong with it. */
interface FoundEvent {
  readonly offset: number;
  readonly event: TensorboardEvent | null;
  readonly damage: string | null;
}

function* readEvents(
  file: string,
  from: number,
): Generator<FoundEvent, { readonly offset: number; readonly isComplete: boolean }> {
  const source = tryOpenFile(file);
  if ('problem' in source) {
    yield { offset: 0, event: null, damage: source.problem };
    return { offset: from, isComplete: true };
  }
  try {
    const items = readTfRecords(source, from > source.size ? 0 : from);
    let next = items.next();
    for (; !next.done; next = items.next()) {
      const item = next.value;
      if (item.type === 'damage') yield { offset: item.offset, event: null, damage: item.detail };
      else yield parse(item.offset, item.data);
    }
    return next.value;
  } finally {
    source.close();
  }
}

function parse(offset: number, data: Uint8Array): FoundEvent {
  try {
    return { offset, event: readEvent(data), damage: null };
  } catch (error) {
    return { offset, event: null, damage: error instanceof Error ? error.message : String(error) };
  }
}

function foldersUpTo(folder: string, root: string): readonly string[] {
  return folder === root || folder === dirname(folder)
    ? [root]
    : [folder, ...foldersUpTo(dirname(folder), root)];
}
