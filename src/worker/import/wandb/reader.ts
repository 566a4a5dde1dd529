import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SlipwayError } from '../../../protocol/errors.ts';
import type { ImportedRun, ImportRecord } from '../../../protocol/importing.ts';
import type { RunStatus } from '../../../protocol/tracking.ts';
import { artifactFiles } from '../artifactFiles.ts';
import type { ImportReader, ReadOptions } from '../reader.ts';
import { createKeys } from '../tracker/keys.ts';
import { isLive, settledAfter } from '../tracker/liveness.ts';
import { createOmissionCount, omission } from '../tracker/omission.ts';
import { readRecordFile } from '../tracker/recordFile.ts';
import { createRunPoints } from '../tracker/runPoints.ts';
import { createSessionMemory } from '../tracker/sessionMemory.ts';
import { pathBelow, stateOf, statusOf } from '../tracker/sourceFiles.ts';
import { type HistorySinks, summaryTags, takeSeries, takeSummary } from './history.ts';
import { hasFileHeader, readLogRecords } from './logBlocks.ts';
import { loggedArtifacts } from './loggedArtifacts.ts';
import { readRecord } from './record.ts';
import { createRunFacts, lastTimeOf, parametersOf, type RunFacts, tagsOf, takeFact } from './runFacts.ts';
import { findRunFiles, groupRuns, isRunFile, type RunFile, type WandbRun } from './runFiles.ts';
import { takeSummaryFiles } from './summaryFiles.ts';

/** So many entries are looked at to say what there is. */
const mostLookedAt = 20_000;

const sessions = createSessionMemory<HistorySinks>();

/**
 * Reads the run folders that Weights & Biases writes, offline or not: the `.wandb` file and what lies in `files/`. The
 * tracker's own debug logs are no part of a run.
 */
export const wandbReader: ImportReader = {
  kind: 'wandb',
  settledAfter,
  async detects(path) {
    const files = filesAt(path, mostLookedAt)?.files ?? [];
    if (files.length === 0) return null;
    const runs = groupRuns(files);
    const experimentCount = new Set(runs.map(({ project }) => project)).size;
    return { kind: 'wandb', path, experimentCount, runCount: runs.length, registeredModelCount: 0 };
  },
  async *read(path, options) {
    const found = filesAt(path);
    if (found === null) {
      throw new SlipwayError('importUnreadable', { path, detail: 'there is no such file or folder' });
    }
    const root = rootOf(path);
    const runs = groupRuns(found.files);
    for (const project of new Set(runs.map((run) => run.project))) {
      yield {
        type: 'experiment',
        experimentId: project,
        name: project,
        lifecycleStage: 'active',
        creationTime: null,
        lastUpdateTime: null,
        tags: [],
      };
    }
    for (const [index, run] of runs.entries()) {
      yield { type: 'progress', done: index, total: runs.length, message: `${run.project}: ${run.name}` };
      yield* readRun(root, run, options);
    }
    for (const link of found.outside) yield omission(pathBelow(root, link), 'leadsOutside');
  },
  async watched(path) {
    const files = filesAt(path)?.files ?? [];
    const root = rootOf(path);
    const folders = files.flatMap(({ folder, path: file }) => [
      file,
      folder,
      dirname(folder),
      join(folder, 'files'),
    ]);
    return [...new Set([root, ...folders])].filter(
      (watched) => watched.startsWith(root) && existsSync(watched),
    );
  },
};

function filesAt(path: string, most?: number): ReturnType<typeof findRunFiles> | null {
  const found = statusOf(path);
  if (found === null) return null;
  if (found.isDirectory()) return findRunFiles(path, most);
  return { files: isRunFile(basename(path)) ? [{ path, folder: dirname(path) }] : [], outside: [] };
}

function rootOf(path: string): string {
  return statusOf(path)?.isFile() ? dirname(path) : path;
}

async function* readRun(root: string, run: WandbRun, options: ReadOptions): AsyncIterable<ImportRecord> {
  const key = `run/${run.runId}`;
  const lastWritten = Math.max(...run.files.map(({ path }) => statusOf(path)?.mtimeMs ?? 0));
  const watched = run.files.flatMap(({ path, folder }) => [
    path,
    join(folder, 'files'),
    join(folder, 'files', 'output.log'),
  ]);
  // Before it is read: what is written meanwhile makes the state another one the next time.
  const isGrowing = isLive(lastWritten);
  const state = stateOf(watched, String(isGrowing), JSON.stringify(options.remaps));
  if (options.known.get(key) === state) return;

  const subject = `run ${run.name}`;
  const facts = createRunFacts();
  const untaken = createOmissionCount();
  for (const file of run.files) yield* readFacts(root, file, facts, untaken);
  const [first] = run.files;
  const beside = takeSummaryFiles(first?.folder ?? root, facts, subject);
  const startTime =
    facts.run?.startTime ?? beside.startTime ?? Math.floor(statusOf(first?.path ?? root)?.mtimeMs ?? 0);
  const end = endOf(facts, startTime, isGrowing);
  yield describe(run, facts, startTime, end);
  const sinks = sessions.of(options.offsets, key, () => createSinks(run.runId, subject, startTime));
  for (const file of run.files) {
    yield* readSeries(root, file, startTime, sinks, options.offsets, isGrowing);
  }
  // While it trains, the summary is ahead of the history.
  if (end.status !== 'RUNNING') yield* takeSummary(facts, sinks);
  yield* sinks.points.rest();
  yield* readArtifacts(run, facts, options, subject);
  yield* beside.omissions;
  yield* sinks.damages;
  yield* sinks.keys.changed();
  yield* sinks.untaken.omissions(subject);
  yield* untaken.omissions(subject);
  yield { type: 'part', key, state, runId: run.runId };
}

function createSinks(runId: string, subject: string, startTime: number): HistorySinks {
  return {
    points: createRunPoints(runId),
    keys: createKeys(`${subject}/metrics`),
    untaken: createOmissionCount(),
    lastValues: new Map(),
    media: new Set(),
    damages: [],
    lastStep: -1,
    lastTime: startTime,
    measurements: 0,
  };
}

interface End {
  readonly status: RunStatus;
  readonly endTime: number | null;
}

/** A run that said nothing when it ended, as Weights & Biases sees it, crashed. */
function endOf(facts: RunFacts, startTime: number, isGrowing: boolean): End {
  const lastTime = lastTimeOf(facts, startTime);
  if (facts.exit === null) {
    const isRunning = isGrowing && isLive(lastTime);
    return isRunning ? { status: 'RUNNING', endTime: null } : { status: 'FAILED', endTime: lastTime };
  }
  const endTime = Math.max(lastTime, startTime + facts.exit.runtime * 1000);
  return { status: facts.exit.code === 0 ? 'FINISHED' : 'FAILED', endTime };
}

function describe(run: WandbRun, facts: RunFacts, startTime: number, end: End): ImportedRun {
  const tagKeys = createKeys('');
  const summary = end.status === 'RUNNING' ? [] : summaryTags(facts);
  return {
    type: 'run',
    runId: run.runId,
    experimentId: run.project,
    name: facts.run?.displayName || run.name,
    userId: facts.environment.get('username') ?? facts.environment.get('email') ?? '',
    status: end.status,
    startTime,
    endTime: end.endTime,
    lifecycleStage: 'active',
    deletedTime: null,
    parameters: parametersOf(facts, createKeys('')),
    tags: [...tagsOf(facts, run.name), ...summary.map(({ key, value }) => ({ key: tagKeys.of(key), value }))],
    datasets: [],
    modelInputs: [],
    modelOutputs: [],
    artifactUri: null,
  };
}

/** The first way through a file: what it says about the run as a whole, and where it is damaged. */
function* readFacts(
  root: string,
  file: RunFile,
  facts: RunFacts,
  untaken: ReturnType<typeof createOmissionCount>,
): Iterable<ImportRecord> {
  const wantsOutput = !existsSync(join(file.folder, 'files', 'output.log'));
  const records = readRecords(file, 0);
  let next = records.next();
  for (; !next.done; next = records.next()) {
    const item = next.value;
    let detail = item.problem;
    try {
      if (item.content !== null) takeFact(item.content, facts, untaken, wantsOutput);
    } catch (error) {
      detail = error instanceof Error ? error.message : String(error);
    }
    if (detail !== null)
      yield omission(pathBelow(root, file.path), 'damaged', { offset: item.offset, detail });
  }
}

/** The second way through it, from where the session stopped: its history. */
function* readSeries(
  root: string,
  file: RunFile,
  startTime: number,
  sinks: HistorySinks,
  offsets: Map<string, number>,
  isGrowing: boolean,
): Iterable<ImportRecord> {
  const from = offsets.get(file.path) ?? 0;
  const subject = pathBelow(root, file.path);
  const records = readRecords(file, from);
  let next = records.next();
  for (; !next.done; next = records.next()) {
    const { content, offset } = next.value;
    try {
      if (content !== null) yield* takeSeries(content, startTime, sinks);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      sinks.damages.push(omission(subject, 'damaged', { offset, detail }));
    }
  }
  const { offset, isComplete } = next.value;
  // Not kept: the rest of the record may still come.
  if (!isComplete && !isGrowing) {
    yield omission(subject, 'damaged', { offset, detail: 'the file ends in the middle of a record' });
  }
  offsets.set(file.path, offset);
}

/** Records of a file, from a byte on. */
function readRecords({ path }: RunFile, from: number) {
  return readRecordFile(path, from, {
    records: readLogRecords,
    parse: readRecord,
    problem: (source) =>
      source.size > 0 && !hasFileHeader(source)
        ? 'it does not begin as a file of Weights & Biases does'
        : null,
  });
}

async function* readArtifacts(
  run: WandbRun,
  facts: RunFacts,
  { remaps }: ReadOptions,
  subject: string,
): AsyncIterable<ImportRecord> {
  const owner = { type: 'run', id: run.runId } as const;
  for (const { folder } of run.files) {
    yield* artifactFiles(owner, join(folder, 'files'), folder, `${subject}/files`);
  }
  if (facts.output !== '') {
    const content = new TextEncoder().encode(facts.output);
    yield { type: 'artifactContent', owner, path: 'output.log', content };
  }
  for (const artifact of facts.artifacts) yield* loggedArtifacts(owner, artifact, remaps, subject);
}
