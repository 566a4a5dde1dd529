import { comparisonSql, oneOf, type SqlPart } from '../database/selection.ts';
import type { Comparison, LifecycleStage } from './types.ts';

/** The runs that a search looks among. */
export interface RunScope {
  readonly experiments: readonly number[];
  readonly stages: readonly LifecycleStage[];
}

/** Columns of the attributes by which runs are searched. */
export const runAttributeColumns: Readonly<Record<string, string>> = {
  run_id: 'r.run_uuid',
  run_name: 'r.name',
  status: 'r.status',
  user_id: 'r.user_id',
  artifact_uri: 'r.artifact_uri',
  start_time: 'r.start_time',
  end_time: 'r.end_time',
};

const datasetExpressions: Readonly<Record<string, string>> = {
  name: 'd.name',
  digest: 'd.digest',
  context: `json_extract(l.tags, '$."mlflow.data.context"')`,
};

/** That the run `r` is in the scope. */
export function scopeSql({ experiments, stages }: RunScope): SqlPart {
  const [experiment, ...ids] = oneOf('r.experiment_id', experiments);
  const [stage, ...names] = oneOf('r.lifecycle_stage', stages);
  return [`${experiment} AND ${stage}`, ...ids, ...names];
}

/** Keys of all runs of the scope. */
export function scopedRunsSql(scope: RunScope): SqlPart {
  const [condition, ...parameters] = scopeSql(scope);
  return [
    `SELECT r.id AS run_id FROM runs r INDEXED BY runs_by_experiment WHERE ${condition}`,
    ...parameters,
  ];
}

/**
 * Keys of all runs that meet a clause, in the scope or beyond it, read from an index alone. Null where no index tells
 * them, or the clause leaves out few runs.
 */
export function matchingRunsSql(comparison: Comparison, scope: RunScope): SqlPart | null {
  const { entity, key, operator, value } = comparison;
  if (operator === '!=' || operator === 'NOT IN' || operator === 'IS NULL') return null;
  switch (entity) {
    case 'metric': {
      const [condition, ...parameters] = metricValueSql('latest_value', comparison);
      return [
        `SELECT run_id FROM metric_series INDEXED BY metric_series_by_value
         WHERE key = ? AND latest_is_nan = 0 AND ${condition}`,
        key,
        ...parameters,
      ];
    }
    case 'parameter':
    case 'tag': {
      const table = entity === 'parameter' ? 'parameters' : 'tags';
      const [condition, ...parameters] = textSql('value', comparison);
      return [
        `SELECT run_id FROM ${table} INDEXED BY ${table}_by_key WHERE key = ? AND ${condition}`,
        key,
        ...parameters,
      ];
    }
    case 'dataset': {
      if (key === 'context') return null;
      const [condition, ...parameters] = comparisonSql(datasetExpressions[key] ?? '', operator, value);
      const [experiment, ...ids] = oneOf('d.experiment_id', scope.experiments);
      return [
        `SELECT l.run_id FROM datasets d JOIN run_datasets l ON l.dataset_id = d.id WHERE ${experiment} AND ${condition}`,
        ...ids,
        ...parameters,
      ];
    }
    case 'attribute': {
      if (key === 'run_id' && (operator === '=' || operator === 'IN')) {
        const [condition, ...parameters] = comparisonSql('run_uuid', operator, value);
        return [`SELECT id AS run_id FROM runs WHERE ${condition}`, ...parameters];
      }
      const index = { start_time: 'runs_by_experiment', run_name: 'runs_by_name' }[key];
      if (index === undefined) return null;
      const [condition, ...parameters] = textSql(runAttributeColumns[key] ?? '', comparison);
      const [inScope, ...scopeParameters] = scopeSql(scope);
      return [
        `SELECT r.id AS run_id FROM runs r INDEXED BY ${index} WHERE ${inScope} AND ${condition}`,
        ...scopeParameters,
        ...parameters,
      ];
    }
  }
}

/** That a run meets a clause. `run` is the expression of its key; attributes are those of `r`. */
export function meetsSql(comparison: Comparison, run: string): SqlPart {
  const { entity, key, operator, value } = comparison;
  if (entity === 'attribute') return comparisonSql(runAttributeColumns[key] ?? '', operator, value);
  if (entity === 'dataset') {
    const [condition, ...parameters] = comparisonSql(datasetExpressions[key] ?? '', operator, value);
    return [
      `EXISTS (SELECT 1 FROM run_datasets l CROSS JOIN datasets d ON d.id = l.dataset_id WHERE l.run_id = ${run} AND ${condition})`,
      ...parameters,
    ];
  }
  // The plus keeps SQLite from looking for the run in the index over all runs' values.
  if (entity === 'metric') {
    const [condition, ...parameters] = metricSql('t', '+t.latest_value', comparison);
    return [
      `EXISTS (SELECT 1 FROM metric_series t WHERE t.run_id = ${run} AND t.key = ? AND ${condition})`,
      key,
      ...parameters,
    ];
  }
  const table = entity === 'parameter' ? 'parameters' : 'tags';
  const found = `SELECT 1 FROM ${table} t WHERE t.run_id = ${run} AND t.key = ?`;
  if (operator === 'IS NULL') return [`NOT EXISTS (${found})`, key];
  const [condition, ...parameters] = comparisonSql('+t.value', operator, value);
  return [`EXISTS (${found} AND ${condition})`, key, ...parameters];
}

/**
 * That the latest value of a metric series meets a clause. NaN is unequal to everything, and compares with nothing else.
 *
 * @param column the expression of the value, which stands in for NaN with 0.
 */
export function metricSql(series: string, column: string, comparison: Comparison): SqlPart {
  const [condition, ...parameters] = metricValueSql(column, comparison);
  return comparison.operator === '!='
    ? [`(${series}.latest_is_nan = 1 OR ${condition})`, ...parameters]
    : [`${series}.latest_is_nan = 0 AND ${condition}`, ...parameters];
}

/**
 * As `comparisonSql` for a number. MLflow keeps an infinity as the largest double, so that is what clients see and what
 * they compare with, and nothing is as large as an infinity.
 */
function metricValueSql(column: string, { operator, value }: Comparison): SqlPart {
  const largest = Number.MAX_VALUE;
  const number = typeof value === 'number' ? value : Number.NaN;
  if (Math.abs(number) < largest) return [`${column} ${operator} ?`, number];
  const isPositive = number > 0;
  // Whether what is shown of a kept value is less than, equal to or greater than the number.
  const holdsFor = {
    less: operator === '<' || operator === '<=' || operator === '!=',
    equal: operator === '=' || operator === '<=' || operator === '>=',
    greater: operator === '>' || operator === '>=' || operator === '!=',
  };
  const atEdge = Number.isFinite(number) ? holdsFor.equal : isPositive ? holdsFor.less : holdsFor.greater;
  const inside = isPositive ? holdsFor.less : holdsFor.greater;
  if (atEdge && inside) return ['TRUE'];
  if (!atEdge && !inside) return ['FALSE'];
  const outward = isPositive ? '>=' : '<=';
  const inward = isPositive ? '<' : '>';
  return [`${column} ${atEdge ? outward : inward} ?`, isPositive ? largest : -largest];
}

/** Whether a clause seeks a text that may begin anyhow, for which every value of an index must be looked at. */
export function seeksText({ operator, value }: Pick<Comparison, 'operator' | 'value'>): boolean {
  return operator === 'ILIKE' || (operator === 'LIKE' && /^[%_]/.test(String(value)));
}

/** As `comparisonSql`; a pattern that begins with plain text is a range of an index as well. */
export function textSql(
  column: string,
  { operator, value }: Pick<Comparison, 'operator' | 'value'>,
): SqlPart {
  if (operator === 'IS NOT NULL') return ['TRUE'];
  const [condition, ...parameters] = comparisonSql(column, operator, value);
  const prefix = operator === 'LIKE' && typeof value === 'string' ? (/^[^%_]*/.exec(value)?.[0] ?? '') : '';
  if (prefix === '') return [condition, ...parameters];
  // Any character is at most the last of Unicode, which no text has.
  return [`${column} >= ? AND ${column} < ? AND ${condition}`, prefix, `${prefix}\u{10ffff}`, ...parameters];
}
