import { createHash } from 'node:crypto';
import type { ImportedRun, ImportRecord } from '../../../protocol/importing.ts';
import { stableId } from '../reader.ts';
import { createKeys, type Keys } from '../tracker/keys.ts';
import { numberOf } from '../tracker/numbers.ts';
import { createOmissionCount, type OmissionCount, omission } from '../tracker/omission.ts';
import { createRunPoints, type RunPoints } from '../tracker/runPoints.ts';
import type { HistoryLayout } from './historyLayout.ts';
import type { Row } from './rows.ts';
import { timeOf } from './times.ts';

/** What reading a table of metric histories needs to know about the file. */
export interface HistoryTable {
  readonly file: string;
  readonly experiment: string;
  /** What a run is called when the table names none. */
  readonly runName: string;
  /** What tells the runs of this table from those of others. */
  readonly identity: string;
  readonly layout: HistoryLayout;
  /** Of runs without times, in UTC milliseconds. */
  readonly fallbackTime: number;
}

/** A run of the table, as the first way through it found it. */
interface FoundRun {
  readonly runId: string;
  readonly name: string;
  readonly keys: Keys;
  readonly points: RunPoints;
  readonly untaken: OmissionCount;
  start: number | null;
  end: number | null;
  readonly digest: ReturnType<typeof createHash>;
}

/** One value of the table. */
interface Cell {
  readonly run: string;
  readonly runName: string;
  readonly key: string;
  readonly text: string;
  readonly step: number;
  readonly time: number | null;
}

/**
 * Yields the runs of a table, then their points. Lines are counted where no column does; points without a time have 0, the
 * same the next time.
 *
 * @param rows gives the lines from the beginning, each time it is called.
 */
export function* readHistoryRows(
  table: HistoryTable,
  rows: () => Iterable<Row>,
  known: ReadonlyMap<string, string>,
): Iterable<ImportRecord> {
  const { layout, file, experiment } = table;
  const runs = findRuns(table, rows());
  yield {
    ...{ type: 'experiment', experimentId: experiment, name: experiment, lifecycleStage: 'active' },
    ...{ creationTime: null, lastUpdateTime: null, tags: [] },
  };
  const changed = new Map<string, FoundRun & { readonly state: string }>();
  for (const [id, run] of runs) {
    const state = run.digest.digest('hex').slice(0, 16);
    if (known.get(`run/${run.runId}`) === state) continue;
    changed.set(id, { ...run, state });
    yield describe(table, run);
  }
  for (const cell of cellsOf(table, rows())) {
    const run = changed.get(cell.run);
    if (run === undefined) continue;
    const value = numberOf(cell.text);
    if (value === null) run.untaken.add(`values of "${cell.key}" that are no number`);
    else yield* run.points.add(run.keys.of(cell.key), cell.step, cell.time ?? 0, value);
  }
  for (const run of changed.values()) {
    yield* run.points.rest();
    yield* run.keys.changed();
    yield* run.untaken.omissions(`run ${run.name}`);
    yield { type: 'part', key: `run/${run.runId}`, state: run.state, runId: run.runId };
  }
  if (layout.untaken.length > 0) {
    yield omission(file, 'notSupported', {
      detail: `columns that are no metric: ${layout.untaken.join(', ')}`,
    });
  }
}

function findRuns(table: HistoryTable, rows: Iterable<Row>): ReadonlyMap<string, FoundRun> {
  const runs = new Map<string, FoundRun>();
  for (const { run: id, runName, key, text, step, time } of cellsOf(table, rows)) {
    let run = runs.get(id);
    if (run === undefined) {
      const runId = /^[0-9a-f]{32}$/.test(id) ? id : stableId('csv', 'history', table.identity, id);
      run = {
        ...{ runId, name: runName, start: null, end: null },
        keys: createKeys(`run ${runName}/metrics`),
        points: createRunPoints(runId),
        untaken: createOmissionCount(),
        digest: createHash('sha256'),
      };
      runs.set(id, run);
    }
    run.digest.update(JSON.stringify([key, text, step, time]));
    if (time === null) continue;
    run.start = Math.min(run.start ?? time, time);
    run.end = Math.max(run.end ?? time, time);
  }
  return runs;
}

function* cellsOf({ layout, runName }: HistoryTable, rows: Iterable<Row>): Generator<Cell> {
  let line = 0;
  for (const { fields } of rows) {
    const text = (index: number | null) => (index === null ? '' : (fields[index]?.trim() ?? ''));
    const name = text(layout.runName) || layout.name || runName;
    const run = text(layout.runId) || name;
    const step = numberOf(text(layout.step)) ?? line;
    const time = timeOf(text(layout.time));
    line += 1;
    if (layout.long !== null) {
      const value = text(layout.long.value);
      if (value !== '') yield { run, runName: name, key: text(layout.long.metric), text: value, step, time };
      continue;
    }
    for (const column of layout.wide) {
      const value = text(column.index);
      if (value === '') continue;
      const its = column.run ?? run;
      yield { run: its, runName: column.run ?? name, key: column.key, text: value, step, time };
    }
  }
}

function describe({ experiment, fallbackTime }: HistoryTable, run: FoundRun): ImportedRun {
  return {
    type: 'run',
    runId: run.runId,
    experimentId: experiment,
    name: run.name,
    userId: '',
    status: 'FINISHED',
    startTime: run.start ?? fallbackTime,
    endTime: run.end,
    lifecycleStage: 'active',
    deletedTime: null,
    parameters: [],
    tags: [],
    datasets: [],
    modelInputs: [],
    modelOutputs: [],
    artifactUri: null,
  };
}
