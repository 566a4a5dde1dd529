import type { Database } from '../database/connection.ts';
import { comparisonSql, createSelection, type Selection } from '../database/selection.ts';
import { type RunRow, runColumns, toRunRecord } from './runStore.ts';
import type { Comparison, LifecycleStage, Ordering, Query, QueryResult, RunRecord } from './types.ts';

export interface RunSearchStore {
  search(
    query: Query,
    experiments: readonly number[],
    stages: readonly LifecycleStage[],
  ): QueryResult<RunRecord>;
}

/** Columns of the attributes by which runs are searched. */
const attributeColumns: Readonly<Record<string, string>> = {
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

/** Turns a search of runs into SQL. A clause is a join, so that SQLite may begin at whichever index is narrowest. */
export function createRunSearchStore(database: Database): RunSearchStore {
  return {
    search(query, experiments, stages) {
      const selection = createSelection(runColumns, 'runs r');
      for (const [index, comparison] of query.comparisons.entries()) {
        compare(selection, comparison, `f${index}`);
      }
      selection.where('r.experiment_id IN (SELECT value FROM json_each(?))', JSON.stringify(experiments));
      selection.where('r.lifecycle_stage IN (SELECT value FROM json_each(?))', JSON.stringify(stages));
      for (const [index, ordering] of query.order.entries()) sort(selection, ordering, `o${index}`);
      selection.sortBy('r.start_time', false);
      selection.sortBy('r.run_uuid', true);
      const { rows, last } = selection.page<RunRow>(database, query.limit, query.after);
      return { items: rows.map(toRunRecord), last };
    },
  };
}

function compare(selection: Selection, comparison: Comparison, alias: string): void {
  const { entity, key, operator, value } = comparison;
  if (entity === 'attribute') {
    selection.where(...comparisonSql(attributeColumns[key] ?? '', operator, value));
  } else if (entity === 'dataset') {
    const [condition, ...parameters] = comparisonSql(datasetExpressions[key] ?? '', operator, value);
    selection.where(
      `EXISTS (SELECT 1 FROM run_datasets l JOIN datasets d ON d.id = l.dataset_id WHERE l.run_id = r.id AND ${condition})`,
      ...parameters,
    );
  } else if (entity === 'metric') {
    const [condition, ...parameters] = comparisonSql(`${alias}.latest_value`, operator, value);
    const withNan =
      operator === '!='
        ? `(${alias}.latest_is_nan = 1 OR ${condition})`
        : `${alias}.latest_is_nan = 0 AND ${condition}`;
    selection.join(
      `JOIN metric_series ${alias} ON ${alias}.run_id = r.id AND ${alias}.key = ? AND ${withNan}`,
      key,
      ...parameters,
    );
  } else {
    const table = entity === 'parameter' ? 'parameters' : 'tags';
    if (operator === 'IS NULL') {
      selection.where(`NOT EXISTS (SELECT 1 FROM ${table} t WHERE t.run_id = r.id AND t.key = ?)`, key);
      return;
    }
    const [condition, ...parameters] = comparisonSql(`${alias}.value`, operator, value);
    selection.join(
      `JOIN ${table} ${alias} ON ${alias}.run_id = r.id AND ${alias}.key = ? AND ${condition}`,
      key,
      ...parameters,
    );
  }
}

/** Whatever the direction, runs without the value come last, and those with NaN just before them. */
function sort(selection: Selection, { entity, key, ascending }: Ordering, alias: string): void {
  if (entity === 'attribute') {
    const column = attributeColumns[key] ?? '';
    selection.sortBy(`(${column} IS NULL)`, true);
    selection.sortBy(column, ascending);
  } else if (entity === 'metric') {
    selection.join(`LEFT JOIN metric_series ${alias} ON ${alias}.run_id = r.id AND ${alias}.key = ?`, key);
    selection.sortBy(`COALESCE(${alias}.latest_is_nan, 2)`, true);
    selection.sortBy(`${alias}.latest_value`, ascending);
  } else {
    const table = entity === 'parameter' ? 'parameters' : 'tags';
    selection.join(`LEFT JOIN ${table} ${alias} ON ${alias}.run_id = r.id AND ${alias}.key = ?`, key);
    selection.sortBy(`(${alias}.value IS NULL)`, true);
    selection.sortBy(`${alias}.value`, ascending);
  }
}
