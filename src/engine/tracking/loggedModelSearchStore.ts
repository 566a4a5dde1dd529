import type { Database } from '../database/connection.ts';
import {
  comparisonSql,
  createSelection,
  oneOf,
  type Selection,
  type SqlValue,
} from '../database/selection.ts';
import {
  type LoggedModelRow,
  loggedModelColumns,
  loggedModelTables,
  sourceRunColumn,
  toLoggedModelRecord,
} from './loggedModelStore.ts';
import type { Comparison, LoggedModelRecord, Ordering, Query, QueryResult } from './types.ts';

/** A dataset that metric clauses are restricted to; a null digest means any. */
export interface DatasetRestriction {
  readonly name: string;
  readonly digest: string | null;
}

export interface LoggedModelSearchStore {
  /** Active models only. */
  search(
    query: Query,
    experiments: readonly number[],
    datasets: readonly DatasetRestriction[],
  ): QueryResult<LoggedModelRecord>;
}

/** Columns of the attributes by which logged models are searched. */
const attributeColumns: Readonly<Record<string, string>> = {
  name: 'm.name',
  model_id: 'm.model_uuid',
  model_type: 'm.model_type',
  status: `REPLACE(m.status, 'LOGGED_MODEL_', '')`,
  source_run_id: sourceRunColumn,
  creation_time: 'm.creation_time',
  last_update_time: 'm.last_update_time',
};

/** Turns a search of logged models into SQL. */
export function createLoggedModelSearchStore(database: Database): LoggedModelSearchStore {
  return {
    search(query, experiments, datasets) {
      const selection = createSelection(loggedModelColumns, loggedModelTables);
      for (const comparison of query.comparisons) compare(selection, comparison, datasets);
      if (datasets.length > 0 && !query.comparisons.some(({ entity }) => entity === 'metric')) {
        const [restriction, ...names] = restrictionSql(datasets);
        const table = 'logged_model_metrics';
        selection.where(`EXISTS (SELECT 1 FROM ${table} t WHERE t.model_id = m.id${restriction})`, ...names);
      }
      selection.where(...oneOf('m.experiment_id', experiments));
      selection.where(`m.lifecycle_stage = 'active'`);
      for (const [index, ordering] of query.order.entries()) sort(selection, ordering, `o${index}`);
      const isSortedBy = (key: string) => query.order.some((ordering) => ordering.key === key);
      if (!isSortedBy('creation_time')) selection.sortBy('m.creation_time', false);
      if (!isSortedBy('model_id')) selection.sortBy('m.model_uuid', true);
      const { rows, last } = selection.page<LoggedModelRow>(database, query.limit, query.after);
      return { items: rows.map(toLoggedModelRecord), last };
    },
  };
}

function compare(
  selection: Selection,
  { entity, key, operator, value }: Comparison,
  datasets: readonly DatasetRestriction[],
): void {
  if (entity === 'attribute') {
    selection.where(...comparisonSql(attributeColumns[key] ?? '', operator, value));
    return;
  }
  const table = {
    metric: 'logged_model_metrics',
    parameter: 'logged_model_parameters',
    tag: 'logged_model_tags',
    dataset: '',
  }[entity];
  const found = `SELECT 1 FROM ${table} t WHERE t.model_id = m.id AND t.key = ?`;
  if (operator === 'IS NULL') {
    selection.where(`NOT EXISTS (${found})`, key);
    return;
  }
  const [condition, ...parameters] = comparisonSql('t.value', operator, value);
  if (entity !== 'metric') {
    selection.where(`EXISTS (${found} AND ${condition})`, key, ...parameters);
    return;
  }
  const [restriction, ...names] = restrictionSql(datasets);
  selection.where(
    `EXISTS (${found} AND t.is_nan = 0 AND ${condition}${restriction})`,
    key,
    ...parameters,
    ...names,
  );
}

function restrictionSql(datasets: readonly DatasetRestriction[]): [sql: string, ...parameters: SqlValue[]] {
  if (datasets.length === 0) return [''];
  const alternatives = datasets.map(({ digest }) =>
    digest === null ? 't.dataset_name = ?' : '(t.dataset_name = ? AND t.dataset_digest = ?)',
  );
  return [
    ` AND (${alternatives.join(' OR ')})`,
    ...datasets.flatMap(({ name, digest }) => (digest === null ? [name] : [name, digest])),
  ];
}

/** Whatever the direction, models without the value come last, and those with NaN just before them. */
function sort(selection: Selection, ordering: Ordering, alias: string): void {
  const { entity, key, ascending } = ordering;
  if (entity === 'attribute') {
    const column = attributeColumns[key] ?? '';
    selection.sortBy(`(${column} IS NULL)`, true);
    selection.sortBy(column, ascending);
    return;
  }
  if (entity !== 'metric') return;
  const name = ordering.datasetName ?? null;
  const digest = ordering.datasetDigest ?? null;
  const identity = ['dataset_name', 'dataset_digest', 'run_id', 'step', 'timestamp', 'value', 'is_nan'];
  // The latest point of the metric, whichever run it is of.
  selection.join(
    `LEFT JOIN logged_model_metrics ${alias} ON ${alias}.model_id = m.id AND ${alias}.key = ?
       AND (${identity.map((column) => `${alias}.${column}`).join(', ')}) = (
         SELECT ${identity.join(', ')} FROM logged_model_metrics l WHERE l.model_id = m.id AND l.key = ?
           AND (? IS NULL OR l.dataset_name = ?) AND (? IS NULL OR l.dataset_digest = ?)
         ORDER BY l.timestamp DESC, l.step DESC, l.run_id, l.value DESC LIMIT 1)`,
    key,
    key,
    name,
    name,
    digest,
    digest,
  );
  selection.sortBy(`COALESCE(${alias}.is_nan, 2)`, true);
  selection.sortBy(`CASE ${alias}.is_nan WHEN 0 THEN ${alias}.value END`, ascending);
}
