import type { Database } from '../database/connection.ts';
import { createSelection, oneOf, prepareOnce, type Selection, type SqlPart } from '../database/selection.ts';
import { seeksText } from './runClauseStore.ts';
import { matchingTracesSql, meetsAllSql, traceAttributeColumns } from './traceClauseStore.ts';
import { type TraceRow, toTraceRecord, traceColumns } from './traceStore.ts';
import type { TraceComparison, TraceOrdering, TraceQuery, TraceRecord } from './traceTypes.ts';
import type { QueryResult } from './types.ts';

export interface TraceSearchStore {
  search(query: TraceQuery, experiments: readonly number[]): QueryResult<TraceRecord>;
}

/** When so few traces can meet a clause, or there are so few, they are all looked at and sorted. */
const usuallyGathered = 2000;

/**
 * Turns a search of traces into SQL. It goes one of two ways, which give the same traces in the same order:
 * - gather: where an index tells that few traces can be meant, look at all of those and sort them;
 * - walk: go along the traces of the experiment, the newest first, and stop when the page is full.
 *
 * @param toGather how many are few; tests try other limits on small stores.
 */
export function createTraceSearchStore(database: Database, toGather = usuallyGathered): TraceSearchStore {
  /** Keys of the traces that `sql` selects; null when they are not few. */
  const fewKeys = ([sql, ...parameters]: SqlPart): readonly number[] | null => {
    const keys = prepareOnce<number>(database, `${sql} LIMIT ?`)
      .pluck()
      .all(...parameters, toGather + 1);
    return keys.length > toGather ? null : keys;
  };

  /** Keys of all traces that can be meant; null when no index tells few. */
  const candidatesOf = (
    comparisons: readonly TraceComparison[],
    scope: SqlPart,
  ): readonly number[] | null => {
    const [condition, ...experiments] = scope;
    const all = fewKeys([`SELECT t.id FROM traces t WHERE ${condition}`, ...experiments]);
    if (all) return all;
    // A text that may begin anyhow is looked for in all values of an index, so those clauses come last.
    for (const clause of comparisons.toSorted(
      (one, other) => Number(seeksText(one)) - Number(seeksText(other)),
    )) {
      const source = matchingTracesSql(clause, scope);
      const keys = source && fewKeys(source);
      if (keys) return keys;
    }
    return null;
  };

  // Only keys are sorted, and then the rows of one page read: whole rows are much to carry through a sort.
  const records = database.prepare<[string], TraceRow>(
    `SELECT ${traceColumns} FROM json_each(?) c CROSS JOIN traces t ON t.id = c.value ORDER BY c.key`,
  );

  return {
    search(query, experiments) {
      const scope = oneOf('t.experiment_id', experiments);
      const candidates = candidatesOf(query.comparisons, scope);
      const selection = candidates
        ? createSelection(
            't.id',
            'json_each(?) c CROSS JOIN traces t ON t.id = c.value',
            JSON.stringify(candidates),
          )
        : createSelection('t.id', 'traces t INDEXED BY traces_by_experiment');
      selection.where(...scope);
      for (const condition of meetsAllSql(query.comparisons)) selection.where(...condition);
      for (const [index, ordering] of query.order.entries()) sort(selection, ordering, `o${index}`);
      const isOrdered = (name: string) =>
        query.order.some(({ subject, key }) => subject === 'attribute' && key === name);
      if (!isOrdered('request_time')) selection.sortBy('t.request_time', false);
      if (!isOrdered('trace_id')) selection.sortBy('t.trace_uuid', true);
      const { rows, last } = selection.page<{ readonly id: number }>(database, query.limit, query.after);
      const keys = JSON.stringify(rows.map(({ id }) => id));
      return { items: records.all(keys).map(toTraceRecord), last };
    },
  };
}

/** Whatever the direction, traces without the value come last. */
function sort(selection: Selection, { subject, key, ascending }: TraceOrdering, alias: string): void {
  if (subject === 'attribute') {
    const column = traceAttributeColumns[key] ?? '';
    // The only attribute of an order that may lack; another sort key before the others would hide the index's order.
    if (key === 'execution_duration') selection.sortBy(`(${column} IS NULL)`, true);
    selection.sortBy(column, ascending);
    return;
  }
  const table = subject === 'tag' ? 'trace_tags' : 'trace_metadata';
  selection.join(`LEFT JOIN ${table} ${alias} ON ${alias}.trace_id = t.id AND ${alias}.key = ?`, key);
  selection.sortBy(`(${alias}.value IS NULL)`, true);
  selection.sortBy(`${alias}.value`, ascending);
}
