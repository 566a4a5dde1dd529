import { createHash } from 'node:crypto';
import type { ImportedRun, ImportOmission, ImportRecord } from '../../../protocol/importing.ts';
import type { KeyValue, RunStatus } from '../../../protocol/tracking.ts';
import { artifactFiles } from '../artifactFiles.ts';
import { type LocationRules, locateArtifacts, omittedArtifacts } from '../artifactLocation.ts';
import { stableId } from '../reader.ts';
import { createKeys, type Keys } from '../tracker/keys.ts';
import { numberOf } from '../tracker/numbers.ts';
import { omission } from '../tracker/omission.ts';
import type { Role, RunColumn } from './roles.ts';
import type { Row } from './rows.ts';
import type { RunLayout } from './runLayout.ts';
import { durationOf, timeOf } from './times.ts';

/** What reading a table with one run a line needs to know about the file. */
export interface RunTable {
  /** Its name, with which ids are made where lines have none. */
  readonly file: string;
  /** The experiment of lines that name none. */
  readonly experiment: string;
  readonly layout: RunLayout;
  /** Where the files of its runs may be read. */
  readonly rules: LocationRules;
  /** Of runs that do not say when they began, in UTC milliseconds. */
  readonly fallbackTime: number;
}

const statuses: readonly (readonly [pattern: RegExp, status: RunStatus])[] = [
  [/^(finished|complete|completed|success|succeeded|done|ok)$/i, 'FINISHED'],
  [/^(failed|crashed|error|failure)$/i, 'FAILED'],
  [/^(killed|cancell?ed|stopped|preempted|pruned|aborted)$/i, 'KILLED'],
  [/^(running|active|preempting)$/i, 'RUNNING'],
  [/^(scheduled|pending|queued|waiting)$/i, 'SCHEDULED'],
];

/** Turns lines into runs. */
export interface RunRows {
  /** A line's run, the values of its metrics, and the part that it is; nothing but its key when `known` has it. */
  read(row: Row, known: ReadonlyMap<string, string>): AsyncIterable<ImportRecord>;
  /** What to say of the table as a whole. */
  omissions(): Iterable<ImportOmission>;
}

export function createRunRows(table: RunTable): RunRows {
  const { layout } = table;
  const of = (role: Role) => layout.columns.filter((column) => column.role === role);
  const single = new Map(layout.columns.map((column) => [column.role, column]));
  const keys = {
    metric: createKeys(`${table.file}/metrics`),
    parameter: createKeys(`${table.file}/params`),
    tag: createKeys(`${table.file}/tags`),
  };
  // Also when every line is known: which keys changed is said of the table.
  for (const role of ['metric', 'parameter', 'tag'] as const)
    for (const { key } of of(role)) keys[role].of(key);
  const experiments = new Set<string>();
  const copies = new Map<string, number>();

  return {
    async *read(row, known) {
      const cell = (role: Role) => {
        const index = single.get(role)?.index;
        return index === undefined ? '' : (row.fields[index]?.trim() ?? '');
      };
      const subject = `${table.file} line ${row.line}`;
      const runId = idOf(table, row, cell, copies);
      const key = `run/${runId}`;
      const state = createHash('sha256')
        .update(JSON.stringify([row.fields, cell('artifactUri') === '' ? [] : table.rules.remaps]))
        .digest('hex')
        .slice(0, 16);
      if (known.get(key) === state) return;

      const experiment = experimentOf(table, cell('experiment'));
      if (!experiments.has(experiment)) {
        experiments.add(experiment);
        yield {
          ...{ type: 'experiment', experimentId: experiment, name: experiment, lifecycleStage: 'active' },
          ...{ creationTime: null, lastUpdateTime: null, tags: [] },
        };
      }
      const times = timesOf(cell);
      const status = statusOf(cell('status'));
      if (status === null) {
        const detail = `unknown status ${cell('status')}; the run was taken as FINISHED`;
        yield omission(`${subject}/status`, 'invalidValue', { detail });
      }
      const run: ImportedRun = {
        type: 'run',
        runId,
        experimentId: experiment,
        name: cell('name'),
        userId: cell('user'),
        status: status ?? 'FINISHED',
        startTime: times.start ?? times.end ?? table.fallbackTime,
        endTime: times.end,
        lifecycleStage: 'active',
        deletedTime: null,
        parameters: pairs(row, of('parameter'), keys.parameter),
        tags: pairs(row, of('tag'), keys.tag),
        datasets: [],
        modelInputs: [],
        modelOutputs: [],
        artifactUri: remoteUri(cell('artifactUri'), table),
      };
      yield run;
      yield* values(row, of('metric'), keys.metric, runId, times.end ?? times.start ?? 0, subject);
      yield* artifactsOf(table, cell('artifactUri'), runId, subject);
      yield { type: 'part', key, state, runId };
    },
    *omissions() {
      yield* keys.metric.changed();
      yield* keys.parameter.changed();
      yield* keys.tag.changed();
      for (const [role, text] of Object.entries(roleTexts)) {
        const guessed = layout.columns.filter((column) => column.role === role && column.isGuessed);
        if (guessed.length === 0) continue;
        yield omission(`${table.file}: ${guessed.map((column) => column.key).join(', ')}`, 'guessedRole', {
          role: text,
        });
      }
      const empty = of('nothing');
      if (empty.length > 0) {
        const detail = `columns without any value: ${empty.map((column) => column.key).join(', ')}`;
        yield omission(table.file, 'notSupported', { detail });
      }
    },
  };
}

const roleTexts = { parameter: 'parameters', metric: 'metrics', tag: 'tags' } as const;

function experimentOf({ layout, experiment }: RunTable, cell: string): string {
  if (cell === '') return experiment;
  // MLflow's table has the number of the experiment, not its name.
  return layout.kind === 'mlflowSearch' ? `${experiment} (experiment ${cell})` : cell;
}

/**
 * MLflow's ids stay. Other lines get one from what tells runs apart: their id, else their name and start, else all that
 * they say; of several lines that say the same, each is a run.
 */
function idOf(
  { file, layout }: RunTable,
  row: Row,
  cell: (role: Role) => string,
  copies: Map<string, number>,
): string {
  const id = cell('runId');
  if (/^[0-9a-f]{32}$/.test(id)) return id;
  const own =
    id !== ''
      ? stableId('csv', file, 'id', id)
      : cell('name') !== '' && cell('startTime') !== ''
        ? stableId('csv', layout.kind === 'generic' ? file : layout.kind, cell('name'), cell('startTime'))
        : stableId('csv', file, 'line', ...row.fields);
  const count = copies.get(own) ?? 0;
  copies.set(own, count + 1);
  return count === 0 ? own : stableId('csv', own, String(count));
}

function timesOf(cell: (role: Role) => string): {
  readonly start: number | null;
  readonly end: number | null;
} {
  const start = timeOf(cell('startTime'));
  const end = timeOf(cell('endTime'));
  const duration = durationOf(cell('duration'));
  if (start !== null) return { start, end: end ?? (duration === null ? null : start + duration) };
  return { start: end === null || duration === null ? null : end - duration, end };
}

/** Null when a word stands for none. A table without statuses has runs that have ended. */
function statusOf(cell: string): RunStatus | null {
  if (cell === '') return 'FINISHED';
  return statuses.find(([pattern]) => pattern.test(cell))?.[1] ?? null;
}

/** A remote location stays the run's. */
function remoteUri(uri: string, { rules }: RunTable): string | null {
  const location = uri === '' ? null : locateArtifacts(uri, rules);
  return location?.kind === 'remote' ? location.uri : null;
}

/** The files of a run that say where they are, when they lie where may be read. */
async function* artifactsOf(
  { rules }: RunTable,
  uri: string,
  runId: string,
  subject: string,
): AsyncIterable<ImportRecord> {
  if (uri === '') return;
  const location = locateArtifacts(uri, rules);
  if (location.kind === 'here') {
    yield* artifactFiles({ type: 'run', id: runId }, location.folder, location.root, `${subject}/artifacts`);
  } else yield* omittedArtifacts(`${subject}/artifacts`, location);
}

function pairs(row: Row, columns: readonly RunColumn[], keys: Keys): readonly KeyValue[] {
  return columns.flatMap(({ index, key }) => {
    const value = row.fields[index] ?? '';
    return value === '' ? [] : [{ key: keys.of(key), value }];
  });
}

function* values(
  row: Row,
  columns: readonly RunColumn[],
  keys: Keys,
  runId: string,
  timestamp: number,
  subject: string,
): Iterable<ImportRecord> {
  for (const { index, key } of columns) {
    const text = row.fields[index] ?? '';
    if (text.trim() === '') continue;
    const value = numberOf(text);
    if (value === null) {
      yield omission(`${subject}/metrics/${key}`, 'invalidValue', {
        detail: `"${text.slice(0, 100)}" is no number`,
      });
      continue;
    }
    yield {
      type: 'points',
      runId,
      key: keys.of(key),
      steps: Float64Array.of(0),
      timestamps: Float64Array.of(timestamp),
      values: Float64Array.of(value),
      latestOnly: true,
    };
  }
}
