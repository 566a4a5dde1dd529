import type { Database } from '../database/connection.ts';
import {
  createSelection,
  prepareOnce,
  type Selection,
  type SqlPart,
  type SqlValue,
} from '../database/selection.ts';
import {
  matchingRunsSql,
  meetsSql,
  metricSql,
  type RunScope,
  runAttributeColumns,
  scopedRunsSql,
  scopeSql,
  seeksText,
  textSql,
} from './runClauseStore.ts';
import { type RunRow, runColumns, toRunRecord } from './runStore.ts';
import type { Comparison, LifecycleStage, Ordering, Query, QueryResult, RunRecord } from './types.ts';

export interface RunSearchStore {
  search(
    query: Query,
    experiments: readonly number[],
    stages: readonly LifecycleStage[],
  ): QueryResult<RunRecord>;
}

interface FoundRun {
  readonly id: number;
}

/** When a search goes which way; tests try other limits on small stores. */
export interface RunSearchLimits {
  /** When so few runs meet a clause, or there are so few, they are all looked at and sorted. */
  readonly toGather: number;
  /**
   * When so few runs meet the narrowest clause, they are put in a set, in which each run on the way is looked up; else
   * the run itself is looked at, as it is for the other clauses.
   */
  readonly toCollect: number;
}

const usualLimits: RunSearchLimits = { toGather: 2000, toCollect: 25_000 };

/**
 * Turns a search of runs into SQL. It goes one of two ways, which give the same runs in the same order:
 * - gather: where an index tells that few runs can be meant, look at all of those and sort them;
 * - walk: go along an index that has the order that was asked for, and stop when the page is full.
 */
export function createRunSearchStore(
  database: Database,
  limits: RunSearchLimits = usualLimits,
): RunSearchStore {
  /** How many runs `sql` selects; `most` and one when there are more. */
  const countOf = ([sql, ...parameters]: SqlPart, most: number): number =>
    prepareOnce<number>(database, `SELECT COUNT(*) FROM (${sql} LIMIT ?)`)
      .pluck()
      .get(...parameters, most + 1) ?? 0;

  /** Keys of the runs that `sql` selects; null when there are more than `most`. */
  const keysOf = ([sql, ...parameters]: SqlPart, most: number): readonly number[] | null => {
    const keys = prepareOnce<number>(database, `${sql} LIMIT ?`)
      .pluck()
      .all(...parameters, most + 1);
    return keys.length > most ? null : keys;
  };

  /** What tells the fewest runs that can be meant, as far as that is quickly learnt. */
  const narrowestOf = (clauses: readonly Comparison[], scope: RunScope): Candidates => {
    const all = scopedRunsSql(scope);
    let narrowest: Candidates = { source: all, count: countOf(all, limits.toGather), clause: null };
    for (const clause of clauses.toSorted(
      (one, other) => Number(seeksText(one)) - Number(seeksText(other)),
    )) {
      if (narrowest.count <= limits.toGather) break;
      const source = matchingRunsSql(clause, scope);
      if (source === null) continue;
      if (seeksText(clause)) {
        // To count these takes as long as to find them, so they are found once.
        const keys = keysOf(source, limits.toGather);
        const listed: SqlPart = ['SELECT value AS run_id FROM json_each(?)', JSON.stringify(keys)];
        if (keys && keys.length < narrowest.count) narrowest = { source: listed, count: keys.length, clause };
        continue;
      }
      const most = clause.entity === 'attribute' ? limits.toGather : limits.toCollect;
      const count = countOf(source, most);
      if (count > most) continue;
      if (narrowest.clause === null || count < narrowest.count) narrowest = { source, count, clause };
    }
    return narrowest;
  };

  // Only keys are sorted, and then the rows of one page read: whole rows are much to carry through a sort.
  const records = database.prepare<[string], RunRow>(
    `SELECT ${runColumns} FROM json_each(?) c CROSS JOIN runs r ON r.id = c.value ORDER BY c.key`,
  );
  const recordsOf = (rows: readonly FoundRun[]): readonly RunRecord[] =>
    records.all(JSON.stringify(rows.map(({ id }) => id))).map(toRunRecord);

  const gather = (query: Query, scope: RunScope, source: SqlPart): QueryResult<RunRecord> => {
    const [sql, ...parameters] = source;
    // DISTINCT makes SQLite write the candidates down first, whatever it thinks of the order of the tables.
    const candidates = `(SELECT DISTINCT * FROM (${sql})) c CROSS JOIN runs r ON r.id = c.run_id`;
    const selection = createSelection('r.id', candidates, ...parameters);
    selection.where(...scopeSql(scope));
    for (const clause of query.comparisons) selection.where(...meetsSql(clause, 'r.id'));
    sort(selection, query.order);
    const { rows, last } = selection.page<FoundRun>(database, query.limit, query.after);
    return { items: recordsOf(rows), last };
  };

  const walk = (query: Query, scope: RunScope, { source, clause: collected }: Candidates) => {
    const testOf = (clause: Comparison, run: string): SqlPart => {
      const [sql, ...parameters] = source;
      return clause === collected ? [`+${run} IN (${sql})`, ...parameters] : meetsSql(clause, run);
    };
    const found: FoundRun[] = [];
    let last: readonly SqlValue[] | null = null;
    for (const leg of legsOf(query, scope, testOf)) {
      if (query.after && leg.isBefore(query.after)) continue;
      const after = query.after && leg.holds(query.after) ? query.after.slice(leg.known.length) : null;
      const page = leg.selection().page<FoundRun>(database, query.limit - found.length, after);
      for (const row of page.rows) found.push(row);
      if (page.end) last = [...leg.known, ...page.end];
      if (page.hasMore) return { items: recordsOf(found), last };
    }
    return { items: recordsOf(found), last: null };
  };

  return {
    search(query, experiments, stages) {
      const scope = { experiments, stages };
      const narrowest = narrowestOf(query.comparisons, scope);
      if (narrowest.count === 0) return { items: [], last: null };
      return narrowest.count <= limits.toGather
        ? gather(query, scope, narrowest.source)
        : walk(query, scope, narrowest);
    },
  };
}

/** Runs of which those that a search finds are some: all of its scope, or those that meet a clause. */
interface Candidates {
  readonly source: SqlPart;
  readonly count: number;
  readonly clause: Comparison | null;
}

/** A part of a walk: runs that share the first sort values. */
interface Leg {
  /** The sort values that its runs share. */
  readonly known: readonly SqlValue[];
  /** Whether all its runs come before such sort values. */
  isBefore(values: readonly SqlValue[]): boolean;
  /** Whether sort values are those of one of its runs. */
  holds(values: readonly SqlValue[]): boolean;
  selection(): Selection;
}

/** The condition that the run whose key is the expression `run` meets a clause. */
type TestOf = (clause: Comparison, run: string) => SqlPart;

/** The legs of a walk, in the order in which their runs come. */
function legsOf(query: Query, scope: RunScope, testOf: TestOf): readonly Leg[] {
  const [leading, ...following] = query.order;
  if (!leading || leading.entity === 'attribute' || leading.entity === 'dataset') {
    const index = leading?.key === 'run_name' ? 'runs_by_name' : 'runs_by_experiment';
    const selection = () => {
      const runs = createSelection('r.id', `runs r INDEXED BY ${index}`);
      runs.where(...scopeSql(scope));
      for (const clause of query.comparisons) runs.where(...testOf(clause, 'r.id'));
      sort(runs, query.order);
      return runs;
    };
    return [{ known: [], isBefore: () => false, holds: () => true, selection }];
  }
  const { entity, key } = leading;
  const isOfLeading = (clause: Comparison) => clause.entity === entity && clause.key === key;
  const own = query.comparisons.filter(isOfLeading);
  const others = query.comparisons.filter((clause) => !isOfLeading(clause));
  const legOf = (known: readonly SqlValue[], selection: () => Selection): Leg => ({
    known,
    isBefore: ([rank]) => Number(known[0]) < Number(rank),
    holds: ([rank]) => rank === known[0],
    selection,
  });
  const alongIndex = (condition: SqlPart, sortKey: string | null) => () => {
    const [table, index] = indexes[entity];
    const from = `${table} o INDEXED BY ${index} CROSS JOIN runs r ON r.id = o.run_id`;
    const selection = createSelection('r.id', from);
    selection.where('o.key = ?', key);
    selection.where(...condition);
    for (const clause of others) selection.where(...testOf(clause, 'o.run_id'));
    selection.where(...scopeSql(scope));
    if (sortKey) selection.sortBy(sortKey, leading.ascending);
    sort(selection, following, query.order);
    return selection;
  };
  const all = (parts: readonly SqlPart[]): SqlPart => [
    ['TRUE', ...parts.map(([sql]) => sql)].join(' AND '),
    ...parts.flatMap(([, ...parameters]) => parameters),
  ];

  const legs: Leg[] = [];
  if (entity === 'metric') {
    const condition = all(own.map((clause) => metricSql('o', 'o.latest_value', clause)));
    const [sql, ...parameters] = condition;
    legs.push(legOf([0], alongIndex([`o.latest_is_nan = 0 AND ${sql}`, ...parameters], 'o.latest_value')));
    if (own.every(({ operator }) => operator === '!=')) {
      legs.push(legOf([1, null], alongIndex(['o.latest_is_nan = 1'], null)));
    }
  } else if (own.every(({ operator }) => operator !== 'IS NULL')) {
    legs.push(legOf([0], alongIndex(all(own.map((clause) => textSql('o.value', clause))), 'o.value')));
  }
  if (own.every(({ operator }) => operator === 'IS NULL')) {
    legs.push(
      legOf([entity === 'metric' ? 2 : 1, null], () => {
        const missing = createSelection('r.id', 'runs r INDEXED BY runs_by_experiment');
        missing.where(...scopeSql(scope));
        for (const clause of others) missing.where(...testOf(clause, 'r.id'));
        const [table] = indexes[entity];
        missing.where(`NOT EXISTS (SELECT 1 FROM ${table} t WHERE t.run_id = r.id AND t.key = ?)`, key);
        sort(missing, following, query.order);
        return missing;
      }),
    );
  }
  return legs;
}

/** Where the values of an entity stand in order. */
const indexes = {
  metric: ['metric_series', 'metric_series_by_value'],
  parameter: ['parameters', 'parameters_by_key'],
  tag: ['tags', 'tags_by_key'],
} as const;

/**
 * Sorts by these keys and then, when the whole order says nothing else, by the newest start and the id. Whatever the
 * direction, runs without the value come last, and those with NaN just before them.
 */
function sort(selection: Selection, keys: readonly Ordering[], order = keys): void {
  for (const [index, ordering] of keys.entries()) sortBy(selection, ordering, `s${index}`);
  const isSortedBy = (key: string) =>
    order.some((ordering) => ordering.entity === 'attribute' && ordering.key === key);
  if (!isSortedBy('start_time')) selection.sortBy('r.start_time', false);
  if (!isSortedBy('run_id')) selection.sortBy('r.run_uuid', true);
}

function sortBy(selection: Selection, { entity, key, ascending }: Ordering, alias: string): void {
  if (entity === 'attribute') {
    const column = runAttributeColumns[key] ?? '';
    if (key === 'end_time') selection.sortBy(`(${column} IS NULL)`, true);
    selection.sortBy(column, ascending);
  } else if (entity === 'metric') {
    selection.join(`LEFT JOIN metric_series ${alias} ON ${alias}.run_id = r.id AND ${alias}.key = ?`, key);
    selection.sortBy(`COALESCE(${alias}.latest_is_nan, 2)`, true);
    selection.sortBy(`CASE ${alias}.latest_is_nan WHEN 0 THEN ${alias}.latest_value END`, ascending);
  } else if (entity !== 'dataset') {
    const [table] = indexes[entity];
    selection.join(`LEFT JOIN ${table} ${alias} ON ${alias}.run_id = r.id AND ${alias}.key = ?`, key);
    selection.sortBy(`(${alias}.value IS NULL)`, true);
    selection.sortBy(`${alias}.value`, ascending);
  }
}
