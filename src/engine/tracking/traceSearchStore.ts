import type { Database } from '../database/connection.ts';
import { comparisonSql, createSelection, type Selection, type SqlValue } from '../database/selection.ts';
import { type TraceRow, toTraceRecord, traceColumns } from './traceStore.ts';
import type { TraceComparison, TraceOrdering, TraceQuery, TraceRecord } from './traceTypes.ts';
import type { QueryResult } from './types.ts';

export interface TraceSearchStore {
  search(query: TraceQuery, experiments: readonly number[]): QueryResult<TraceRecord>;
}

/** Columns of the attributes by which traces are searched. */
const attributeColumns: Readonly<Record<string, string>> = {
  trace_id: 't.trace_uuid',
  experiment_id: 't.experiment_id',
  request_time: 't.request_time',
  execution_duration: 't.execution_duration',
  end_time: '(t.request_time + COALESCE(t.execution_duration, 0))',
  state: 't.state',
  client_request_id: 't.client_request_id',
};

/** Turns a search of traces into SQL. */
export function createTraceSearchStore(database: Database): TraceSearchStore {
  return {
    search(query, experiments) {
      const selection = createSelection(traceColumns, 'traces t');
      for (const [index, comparison] of query.comparisons.entries()) {
        compare(selection, comparison, `f${index}`);
      }
      compareSpans(selection, query.comparisons);
      selection.where('t.experiment_id IN (SELECT value FROM json_each(?))', JSON.stringify(experiments));
      for (const [index, ordering] of query.order.entries()) sort(selection, ordering, `o${index}`);
      const isOrdered = (name: string) =>
        query.order.some(({ subject, key }) => subject === 'attribute' && key === name);
      if (!isOrdered('request_time')) selection.sortBy('t.request_time', false);
      if (!isOrdered('trace_id')) selection.sortBy('t.trace_uuid', true);
      const { rows, last } = selection.page<TraceRow>(database, query.limit, query.after);
      return { items: rows.map(toTraceRecord), last };
    },
  };
}

function compare(selection: Selection, comparison: TraceComparison, alias: string): void {
  const { subject, key, operator, value } = comparison;
  if (subject === 'attribute') {
    selection.where(...comparisonSql(attributeColumns[key] ?? '', operator, value));
  } else if (subject === 'prompt') {
    selection.where(
      'EXISTS (SELECT 1 FROM trace_prompts p WHERE p.trace_id = t.id AND p.prompt = ?)',
      textOf(value),
    );
  } else if (subject === 'run' && operator === '=') {
    selection.where(
      `(EXISTS (SELECT 1 FROM trace_runs l WHERE l.trace_uuid = t.trace_uuid AND l.run_uuid = ?)
        OR EXISTS (SELECT 1 FROM trace_metadata m WHERE m.trace_id = t.id AND m.key = ? AND m.value = ?))`,
      textOf(value),
      key,
      textOf(value),
    );
  } else if (subject === 'tag' || subject === 'metadata' || subject === 'run') {
    const table = subject === 'tag' ? 'trace_tags' : 'trace_metadata';
    if (operator === 'IS NULL') {
      selection.where(`NOT EXISTS (SELECT 1 FROM ${table} n WHERE n.trace_id = t.id AND n.key = ?)`, key);
      return;
    }
    const [condition, ...parameters] = comparisonSql(`${alias}.value`, operator, value);
    selection.join(
      `JOIN ${table} ${alias} ON ${alias}.trace_id = t.id AND ${alias}.key = ? AND ${condition}`,
      key,
      ...parameters,
    );
  } else if (subject === 'feedback' || subject === 'expectation') {
    compareAssessment(selection, comparison);
  }
}

/** All clauses on spans are of one span: the trace has a span that fulfils them together. */
function compareSpans(selection: Selection, comparisons: readonly TraceComparison[]): void {
  const conditions: string[] = [];
  const parameters: SqlValue[] = [];
  for (const { subject, key, operator, value } of comparisons) {
    if (subject === 'span') {
      const [condition, ...given] = comparisonSql(`s.${key}`, operator, value);
      conditions.push(condition);
      parameters.push(...given);
    } else if (subject === 'spanText') {
      const [condition, ...given] = comparisonSql(`(s.name || ' ' || s.attributes)`, operator, value);
      conditions.push(condition);
      parameters.push(...given);
    } else if (subject === 'spanAttribute') {
      const [condition, ...given] = comparisonSql('a.value', operator, value);
      conditions.push(`EXISTS (SELECT 1 FROM json_each(s.attributes) a WHERE a.key = ? AND ${condition})`);
      parameters.push(key, ...given);
    }
  }
  if (conditions.length === 0) return;
  selection.where(
    `EXISTS (SELECT 1 FROM trace_spans s WHERE s.trace_id = t.id AND ${conditions.join(' AND ')})`,
    ...parameters,
  );
}

/** A text matches the value itself, or the JSON text of a value that is none: `'true'` finds the boolean. */
function compareAssessment(selection: Selection, { subject, key, operator, value }: TraceComparison): void {
  const found =
    'SELECT 1 FROM trace_assessments a WHERE a.trace_id = t.id AND a.kind = ? AND a.name = ? AND a.valid = 1';
  if (operator === 'IS NULL' || operator === 'IS NOT NULL') {
    selection.where(`${operator === 'IS NULL' ? 'NOT ' : ''}EXISTS (${found})`, subject, key);
    return;
  }
  const [condition, ...parameters] =
    typeof value === 'number'
      ? comparisonSql(`json_type(a.value) IN ('integer', 'real') AND a.value ->> '$'`, operator, value)
      : comparisonSql(`iif(json_type(a.value) = 'text', a.value ->> '$', a.value)`, operator, value);
  selection.where(`EXISTS (${found} AND ${condition})`, subject, key, ...parameters);
}

/** Whatever the direction, traces without the value come last. */
function sort(selection: Selection, { subject, key, ascending }: TraceOrdering, alias: string): void {
  let column = attributeColumns[key] ?? '';
  if (subject !== 'attribute') {
    const table = subject === 'tag' ? 'trace_tags' : 'trace_metadata';
    selection.join(`LEFT JOIN ${table} ${alias} ON ${alias}.trace_id = t.id AND ${alias}.key = ?`, key);
    column = `${alias}.value`;
  }
  selection.sortBy(`(${column} IS NULL)`, true);
  selection.sortBy(column, ascending);
}

function textOf(value: TraceComparison['value']): string {
  return typeof value === 'string' ? value : '';
}
