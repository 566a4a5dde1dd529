import { basename, dirname } from 'node:path';
import { SlipwayError } from '../../../protocol/errors.ts';
import type { ImportedRun, ImportOmission, ImportRecord } from '../../../protocol/importing.ts';
import type { ImportReader, ReadOptions } from '../reader.ts';
import { createKeys } from '../tracker/keys.ts';
import { isLive, settledAfter } from '../tracker/liveness.ts';
import { createOmissionCount, omission } from '../tracker/omission.ts';
import { readRecordFile } from '../tracker/recordFile.ts';
import { createRunPoints } from '../tracker/runPoints.ts';
import { createSessionMemory } from '../tracker/sessionMemory.ts';
import { pathBelow, stateOf, statusOf } from '../tracker/sourceFiles.ts';
import { readEvent } from './event.ts';
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
  /** By file and byte: a reading that cannot go on meets the same damage again. */
  readonly damages: Map<string, ImportOmission>;
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
  const isGrowing = isLive(lastWritten);
  const state = stateOf(run.files, String(isGrowing), run.name, run.parentRunId ?? '');
  if (known.get(key) === state) return;

  const subject = `run ${run.name}`;
  const learnt = sessions.of(offsets, key, () => beginLearning(run, subject));
  for (const file of run.files) survey(file, learnt);
  yield describe(experimentId, run, learnt.facts, isGrowing);
  for (const file of run.files) {
    yield* readEventFile(file, pathBelow(root, file), learnt, offsets, isGrowing);
  }
  yield* learnt.sinks.points.rest();
  yield* learnt.damages.values();
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
    damages: new Map(),
  };
}

/**
 * Event files have no mark for the end of a run but the one that the hyperparameter plugin may set. Without it a run has
 * ended unless both its files and its last event are of the last minutes: of a copy only the files are new, and a wrong
 * clock makes only the events so.
 */
function describe(
  experimentId: string,
  run: IdentifiedRun,
  facts: RunFacts,
  isGrowing: boolean,
): ImportedRun {
  const status = facts.status ?? (isGrowing && isLive(facts.lastTime) ? 'RUNNING' : 'FINISHED');
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
    if (next.value.content === null) continue;
    try {
      takeFacts(next.value.content, facts);
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
  const damage = (offset: number, detail: string) => omission(subject, 'damaged', { offset, detail });
  const events = readEvents(file, offsets.get(file) ?? 0);
  let isDamaged = false;
  let next = events.next();
  for (; !next.done; next = events.next()) {
    const { content: event, offset, problem } = next.value;
    try {
      if (event !== null) yield* takeEvent(event, sinks);
      if (problem !== null) throw new Error(problem);
    } catch (error) {
      isDamaged = true;
      const detail = error instanceof Error ? error.message : String(error);
      damages.set(`${subject} ${offset}`, damage(offset, detail));
    }
  }
  const { offset, isComplete } = next.value;
  // Not kept: the rest of the record may still come.
  if (!isComplete && !isDamaged && !isGrowing) {
    yield damage(offset, 'the file ends in the middle of a record');
  }
  offsets.set(file, offset);
}

/** Events of a file, from a byte on. */
function readEvents(file: string, from: number) {
  return readRecordFile(file, from, { records: readTfRecords, parse: readEvent });
}

function foldersUpTo(folder: string, root: string): readonly string[] {
  return folder === root || folder === dirname(folder)
    ? [root]
    : [folder, ...foldersUpTo(dirname(folder), root)];
}
