import fc from 'fast-check';
import type { Database } from '../../src/engine/database/connection.ts';
import type { RunSearchStore } from '../../src/engine/tracking/runSearchStore.ts';
import { readFilter, readOrder, runSearchRules } from '../../src/engine/tracking/searchRules.ts';
import type { RunRecord, SortValue } from '../../src/engine/tracking/types.ts';

/** A run as a test of searches makes one up; null stands for what was not logged. */
export interface SearchedRun {
  readonly name: string;
  readonly start: number;
  readonly end: number | null;
  readonly status: string;
  readonly stage: 'active' | 'deleted';
  readonly loss: number | null;
  readonly score: number | null;
  readonly rate: string | null;
  readonly team: string | null;
  readonly dataset: string | null;
}

const orNull = <Value>(...values: readonly Value[]) =>
  fc.option(fc.constantFrom(...values), { nil: null, freq: 3 });
const metric = () =>
  orNull(-1, 0, 0.5, 3, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MAX_VALUE);

/** Values are few, so that clauses meet and sort values are equal often. */
export const searchedRun: fc.Arbitrary<SearchedRun> = fc.record({
  name: fc.constantFrom('a', 'b', 'C', 'a%', 'ab', 'é'),
  start: fc.constantFrom(1000, 2000, 3000),
  end: orNull(3000, 4000),
  status: fc.constantFrom('RUNNING', 'FINISHED', 'FAILED'),
  stage: fc.constantFrom('active', 'active', 'active', 'deleted'),
  loss: metric(),
  score: metric(),
  rate: orNull('1', '10', '1_', 'x\\y', ''),
  team: orNull('red', 'Red', 'blue'),
  dataset: orNull('wine', 'iris'),
});

export const someClauses: readonly string[] = [
  'metrics.loss > 0',
  'metrics.loss <= 0.5',
  'metrics.loss = 3',
  'metrics.loss != 3',
  'metrics.loss >= 1.7976931348623157e308',
  'metrics.loss < 1e400',
  'metrics.loss > -1e400',
  'metrics.score < 1',
  'metrics.score != 0',
  'metrics.score >= -1',
  "params.rate = '1'",
  "params.rate != '1'",
  "params.rate LIKE '1_'",
  "params.rate LIKE 'x\\%'",
  "params.rate LIKE '%0'",
  "params.rate ILIKE 'X%'",
  'params.rate IS NULL',
  'params.rate IS NOT NULL',
  "tags.team = 'red'",
  "tags.team ILIKE 'RED'",
  'tags.team IS NULL',
  "run_name = 'a'",
  "run_name LIKE 'a%'",
  "run_name ILIKE 'c'",
  "run_name != 'a'",
  "status = 'FINISHED'",
  "status LIKE 'F%'",
  'start_time >= 2000',
  'start_time != 2000',
  'start_time < 3000',
  'end_time > 3000',
  "dataset.name = 'wine'",
  "dataset.name != 'wine'",
  "dataset.name IN ('iris', 'x')",
  "dataset.context = 'train'",
];

export const someOrderings: readonly string[] = [
  'metrics.loss',
  'metrics.score',
  'params.rate',
  'tags.team',
  'tags.absent',
  'start_time',
  'end_time',
  'run_name',
  'status',
  'run_id',
];

/** An order of up to three keys, none twice. */
export const someOrder: fc.Arbitrary<readonly string[]> = fc
  .tuple(fc.subarray([...someOrderings], { maxLength: 3 }), fc.array(fc.boolean(), { minLength: 3 }))
  .map(([keys, descending]) => keys.map((key, index) => `${key} ${descending[index] ? 'DESC' : 'ASC'}`));

/** Clauses and an order, at times about the same thing, for which a search has shorter ways. */
export const someSearch: fc.Arbitrary<readonly [clauses: readonly string[], order: readonly string[]]> =
  fc.oneof(
    fc.tuple(fc.subarray([...someClauses], { maxLength: 3 }), someOrder),
    fc.constantFrom('metrics.loss', 'params.rate', 'tags.team', 'run_name', 'start_time').chain((subject) =>
      fc.tuple(
        fc.subarray(
          someClauses.filter((clause) => clause.startsWith(subject)),
          { maxLength: 2 },
        ),
        fc.constantFrom(
          [subject],
          [`${subject} DESC`],
          [subject, 'status'],
          [`${subject} DESC`, 'metrics.score'],
        ),
      ),
    ),
  );

let experiments = 100;

/** Writes the runs into a new experiment of the store; gives its key. */
export function writeRuns(database: Database, runs: readonly SearchedRun[]): number {
  experiments += 1;
  const experiment = experiments;
  const write = (sql: string, ...values: readonly (string | number | null)[]) =>
    Number(database.prepare<(string | number | null)[], never>(sql).run(...values).lastInsertRowid);
  database.transaction(() => {
    write(
      `INSERT INTO experiments (id, name, artifact_location, creation_time, last_update_time) VALUES (?, ?, '', 0, 0)`,
      experiment,
      `searched ${experiment}`,
    );
    runs.forEach((run, index) => {
      const scatter = (index * 7919) % 1009;
      const key = write(
        `INSERT INTO runs (run_uuid, experiment_id, name, status, start_time, end_time, lifecycle_stage, artifact_uri)
         VALUES (?, ?, ?, ?, ?, ?, ?, '')`,
        `${scatter}-${index}-of-${experiment}`,
        experiment,
        run.name,
        run.status,
        run.start,
        run.end,
        run.stage,
      );
      for (const [name, value] of Object.entries({ loss: run.loss, score: run.score })) {
        if (value === null) continue;
        const isNan = Number.isNaN(value);
        write(
          `INSERT INTO metric_series (run_id, key, latest_step, latest_timestamp, latest_value, latest_is_nan, point_count)
           VALUES (?, ?, 0, 0, ?, ?, 1)`,
          key,
          name,
          isNan ? 0 : value,
          isNan ? 1 : 0,
        );
      }
      if (run.rate !== null)
        write(`INSERT INTO parameters (run_id, key, value) VALUES (?, 'rate', ?)`, key, run.rate);
      if (run.team !== null)
        write(`INSERT INTO tags (run_id, key, value) VALUES (?, 'team', ?)`, key, run.team);
      if (run.dataset !== null) {
        write(
          `INSERT INTO datasets (experiment_id, name, digest, source_type, source) VALUES (?, ?, 'd', '', '') ON CONFLICT DO NOTHING`,
          experiment,
          run.dataset,
        );
        write(
          `INSERT INTO run_datasets (run_id, dataset_id, tags)
           SELECT ?, id, '{"mlflow.data.context":"train"}' FROM datasets WHERE experiment_id = ? AND name = ?`,
          key,
          experiment,
          run.dataset,
        );
      }
    });
  });
  return experiment;
}

export interface SearchAsked {
  readonly filter: string;
  readonly order: readonly string[];
  readonly experiments: readonly number[];
  readonly stages: readonly ('active' | 'deleted')[];
}

/** All runs that a search finds, read in pages of this size. */
export function searchInPages(
  store: RunSearchStore,
  asked: SearchAsked,
  limit: number,
): readonly RunRecord[] {
  const found: RunRecord[] = [];
  for (let after: readonly SortValue[] | null = null; ; ) {
    const { items, last } = store.search(
      {
        comparisons: readFilter(asked.filter, runSearchRules),
        order: readOrder(asked.order, runSearchRules),
        limit,
        after,
      },
      asked.experiments,
      asked.stages,
    );
    found.push(...items);
    if (last === null) return found;
    after = last;
  }
}
