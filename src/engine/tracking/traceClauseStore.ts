import { comparisonSql, type SqlPart, type SqlValue } from '../database/selection.ts';
import { seeksText, textSql } from './runClauseStore.ts';
import type { TraceComparison } from './traceTypes.ts';

/** Columns of the attributes by which traces are searched. */
export const traceAttributeColumns: Readonly<Record<string, string>> = {
  trace_id: 't.trace_uuid',
  experiment_id: 't.experiment_id',
  request_time: 't.request_time',
  execution_duration: 't.execution_duration',
  end_time: '(t.request_time + COALESCE(t.execution_duration, 0))',
  state: 't.state',
  client_request_id: 't.client_request_id',
};

/**
 * Keys of all traces that meet a clause, and perhaps of others, in the scope or beyond it, read from an index alone.
 * Null where no index tells them, or the clause leaves out few traces.
 *
 * @param scope that the trace `t` is of the experiments that are searched.
 */
export function matchingTracesSql(comparison: TraceComparison, scope: SqlPart): SqlPart | null {
  const { subject, key, operator, value } = comparison;
  if (subject === 'attribute') return matchingAttributeSql(comparison, scope);
  if (operator === '!=' || operator === 'NOT IN' || operator === 'IS NULL') return null;
  switch (subject) {
    case 'run':
      if (operator !== '=') return valuesSql('trace_metadata', comparison);
      return [
        `SELECT r.id AS trace_id FROM trace_runs l JOIN traces r ON r.trace_uuid = l.trace_uuid WHERE l.run_uuid = ?
         UNION SELECT trace_id FROM trace_metadata WHERE key = ? AND value = ?`,
        textOf(value),
        key,
        textOf(value),
      ];
    case 'tag':
      return valuesSql('trace_tags', comparison);
    case 'metadata':
      return valuesSql('trace_metadata', comparison);
    case 'prompt':
      return ['SELECT trace_id FROM trace_prompts WHERE prompt = ?', textOf(value)];
    case 'span': {
      if (key !== 'name' || seeksText(comparison)) return null;
      const [condition, ...parameters] = textSql('name', comparison);
      return [
        `SELECT DISTINCT trace_id FROM trace_spans INDEXED BY trace_spans_by_name WHERE ${condition}`,
        ...parameters,
      ];
    }
    case 'feedback':
    case 'expectation':
      return ['SELECT DISTINCT trace_id FROM trace_assessments WHERE name = ? AND kind = ?', key, subject];
    case 'spanAttribute':
    case 'spanText':
      return null;
  }
}

function matchingAttributeSql(comparison: TraceComparison, [scope, ...experiments]: SqlPart): SqlPart | null {
  const { key, operator, value } = comparison;
  const column = traceAttributeColumns[key] ?? '';
  if (key === 'trace_id' && (operator === '=' || operator === 'IN')) {
    const [condition, ...parameters] = comparisonSql(column, operator, value);
    return [`SELECT t.id FROM traces t WHERE ${condition}`, ...parameters];
  }
  if (key === 'client_request_id' && operator !== '!=' && operator !== 'NOT IN' && !seeksText(comparison)) {
    const [condition, ...parameters] = textSql(column, comparison);
    const from = 'traces t INDEXED BY traces_by_client_request';
    return [`SELECT t.id FROM ${from} WHERE ${column} IS NOT NULL AND ${condition}`, ...parameters];
  }
  if (key === 'state' && !isMetByOk(comparison)) {
    const [condition, ...parameters] = comparisonSql(column, operator, value);
    const from = 'traces t INDEXED BY traces_by_state';
    return [
      `SELECT t.id FROM ${from} WHERE ${scope} AND ${column} <> 'OK' AND ${condition}`,
      ...experiments,
      ...parameters,
    ];
  }
  return null;
}

/** Whether most traces, which ended well, may meet a clause on the state. */
function isMetByOk({ operator, value }: TraceComparison): boolean {
  if (operator === '=') return value === 'OK';
  if (operator === '!=') return value !== 'OK';
  const isListed = Array.isArray(value) && value.includes('OK');
  return operator === 'IN' ? isListed : operator !== 'NOT IN' || !isListed;
}

function valuesSql(table: 'trace_tags' | 'trace_metadata', comparison: TraceComparison): SqlPart {
  const [condition, ...parameters] = textSql('value', comparison);
  return [
    `SELECT trace_id FROM ${table} INDEXED BY ${table}_by_key WHERE key = ? AND ${condition}`,
    comparison.key,
    ...parameters,
  ];
}

/** That the trace `t` meets the clauses. Those on spans are met by one span together. */
export function meetsAllSql(comparisons: readonly TraceComparison[]): readonly SqlPart[] {
  const ofSpans = comparisons.map(spanSql).filter((condition) => condition !== null);
  const others = comparisons.map(traceSql).filter((condition) => condition !== null);
  return ofSpans.length === 0 ? others : [...others, anySpanSql(ofSpans)];
}

/** Null for a clause on spans. */
function traceSql(comparison: TraceComparison): SqlPart | null {
  const { subject, key, operator, value } = comparison;
  switch (subject) {
    case 'attribute':
      return comparisonSql(traceAttributeColumns[key] ?? '', operator, value);
    case 'prompt':
      return [
        'EXISTS (SELECT 1 FROM trace_prompts p WHERE p.trace_id = t.id AND +p.prompt = ?)',
        textOf(value),
      ];
    case 'tag':
      return valueSql('trace_tags', comparison);
    case 'metadata':
      return valueSql('trace_metadata', comparison);
    case 'run': {
      const [made, ...parameters] = valueSql('trace_metadata', comparison);
      if (operator !== '=') return [made, ...parameters];
      const linked =
        'EXISTS (SELECT 1 FROM trace_runs l WHERE l.trace_uuid = t.trace_uuid AND +l.run_uuid = ?)';
      return [`(${linked} OR ${made})`, textOf(value), ...parameters];
    }
    case 'feedback':
    case 'expectation':
      return assessmentSql(comparison);
    default:
      return null;
  }
}

/** The plus, here and elsewhere, keeps SQLite from looking for the trace in the index over all traces' values. */
function valueSql(table: 'trace_tags' | 'trace_metadata', comparison: TraceComparison): SqlPart {
  const { key, operator, value } = comparison;
  const found = `SELECT 1 FROM ${table} v WHERE v.trace_id = t.id AND v.key = ?`;
  if (operator === 'IS NULL') return [`NOT EXISTS (${found})`, key];
  const [condition, ...parameters] = comparisonSql('+v.value', operator, value);
  return [`EXISTS (${found} AND ${condition})`, key, ...parameters];
}

function anySpanSql(conditions: readonly SqlPart[]): SqlPart {
  const sql = conditions.map(([condition]) => condition).join(' AND ');
  return [
    `EXISTS (SELECT 1 FROM trace_spans s WHERE s.trace_id = t.id AND ${sql})`,
    ...conditions.flatMap(([, ...parameters]) => parameters),
  ];
}

/** That the span `s` meets a clause; null for a clause on something else. */
function spanSql({ subject, key, operator, value }: TraceComparison): SqlPart | null {
  if (subject === 'span') return comparisonSql(`+s.${key}`, operator, value);
  if (subject === 'spanText') return comparisonSql(`(s.name || ' ' || s.attributes)`, operator, value);
  if (subject !== 'spanAttribute') return null;
  const [condition, ...parameters] = comparisonSql('a.value', operator, value);
  const found = `EXISTS (SELECT 1 FROM json_each(s.attributes) a WHERE a.key = ? AND ${condition})`;
  return [found, key, ...parameters];
}

/** A text matches the value itself, or the JSON text of a value that is none: `'true'` finds the boolean. */
function assessmentSql({ subject, key, operator, value }: TraceComparison): SqlPart {
  const found =
    'SELECT 1 FROM trace_assessments a WHERE a.trace_id = t.id AND a.kind = ? AND +a.name = ? AND a.valid = 1';
  const names: readonly SqlValue[] = [subject, key];
  if (operator === 'IS NULL') return [`NOT EXISTS (${found})`, ...names];
  if (operator === 'IS NOT NULL') return [`EXISTS (${found})`, ...names];
  const [condition, ...parameters] =
    typeof value === 'number'
      ? comparisonSql(`json_type(a.value) IN ('integer', 'real') AND a.value ->> '$'`, operator, value)
      : comparisonSql(`iif(json_type(a.value) = 'text', a.value ->> '$', a.value)`, operator, value);
  return [`EXISTS (${found} AND ${condition})`, ...names, ...parameters];
}

function textOf(value: TraceComparison['value']): string {
  return typeof value === 'string' ? value : '';
}
