import type { KeyValue, MainMetric } from '../../protocol/tracking.ts';
import type { Database } from '../database/connection.ts';
import { comparisonSql, createSelection, type SqlPart } from '../database/selection.ts';
import type { Comparison, DatasetSummary, Experiment, LifecycleStage, Query, QueryResult } from './types.ts';

interface ExperimentRow {
  readonly id: number;
  readonly name: string;
  readonly artifact_location: string;
  readonly lifecycle_stage: LifecycleStage;
  readonly creation_time: number;
  readonly last_update_time: number;
  readonly main_metric: string | null;
  readonly main_metric_higher_is_better: number | null;
}

export interface ExperimentStore {
  /** Its artifact location is set afterwards, as it may hold the key. */
  insert(name: string, time: number): number;
  setArtifactLocation(key: number, location: string): void;
  find(key: number): Experiment | null;
  findByName(name: string): Experiment | null;
  search(query: Query, stages: readonly LifecycleStage[]): QueryResult<Experiment>;
  rename(key: number, name: string, time: number): void;
  setStage(key: number, stage: LifecycleStage, time: number): void;
  setTag(key: number, tag: KeyValue): void;
  /** False when there is no such tag. */
  deleteTag(key: number, tag: string): boolean;
  touch(key: number, time: number): void;
  setMainMetric(key: number, metric: MainMetric): void;
  /** What the runs of the experiments have as inputs, each once, up to a limit. */
  datasets(keys: readonly number[], limit: number): readonly DatasetSummary[];
}

const columns =
  'e.id, e.name, e.artifact_location, e.lifecycle_stage, e.creation_time, e.last_update_time, ' +
  'e.main_metric, e.main_metric_higher_is_better';

/** Columns of the attributes by which experiments are searched. */
const attributeColumns: Readonly<Record<string, string>> = {
  name: 'e.name',
  experiment_id: 'e.id',
  creation_time: 'e.creation_time',
  last_update_time: 'e.last_update_time',
};

/** All SQL of experiments. */
export function createExperimentStore(database: Database): ExperimentStore {
  const insert = database.prepare<[string, number, number], never>(
    `INSERT INTO experiments (name, artifact_location, creation_time, last_update_time) VALUES (?, '', ?, ?)`,
  );
  const setArtifactLocation = database.prepare<[string, number], never>(
    'UPDATE experiments SET artifact_location = ? WHERE id = ?',
  );
  const find = database.prepare<[number], ExperimentRow>(
    `SELECT ${columns} FROM experiments e WHERE e.id = ?`,
  );
  const findByName = database.prepare<[string], ExperimentRow>(
    `SELECT ${columns} FROM experiments e WHERE e.name = ?`,
  );
  const tagsOf = database.prepare<[number], KeyValue>(
    'SELECT key, value FROM experiment_tags WHERE experiment_id = ? ORDER BY key',
  );
  const rename = database.prepare<[string, number, number], never>(
    'UPDATE experiments SET name = ?, last_update_time = ? WHERE id = ?',
  );
  const setStage = database.prepare<[string, number, number], never>(
    'UPDATE experiments SET lifecycle_stage = ?, last_update_time = ? WHERE id = ?',
  );
  const setTag = database.prepare<[number, string, string], never>(
    `INSERT INTO experiment_tags (experiment_id, key, value) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET value = excluded.value`,
  );
  const deleteTag = database.prepare<[number, string], never>(
    'DELETE FROM experiment_tags WHERE experiment_id = ? AND key = ?',
  );
  const touch = database.prepare<[number, number], never>(
    'UPDATE experiments SET last_update_time = ? WHERE id = ?',
  );
  const setMainMetric = database.prepare<[string, number, number], never>(
    'UPDATE experiments SET main_metric = ?, main_metric_higher_is_better = ? WHERE id = ?',
  );
  const datasets = database.prepare<[string, number], DatasetSummary>(
    `SELECT DISTINCT CAST(d.experiment_id AS TEXT) AS experimentId, d.name, d.digest,
       json_extract(l.tags, '$."mlflow.data.context"') AS context
     FROM datasets d JOIN run_datasets l ON l.dataset_id = d.id
     WHERE d.experiment_id IN (SELECT value FROM json_each(?)) ORDER BY d.experiment_id, d.id LIMIT ?`,
  );

  const toExperiment = (row: ExperimentRow): Experiment => ({
    experimentId: String(row.id),
    name: row.name,
    artifactLocation: row.artifact_location,
    lifecycleStage: row.lifecycle_stage,
    creationTime: row.creation_time,
    lastUpdateTime: row.last_update_time,
    tags: tagsOf.all(row.id),
    mainMetric:
      row.main_metric === null
        ? null
        : { key: row.main_metric, higherIsBetter: row.main_metric_higher_is_better === 1 },
  });
  const orNull = (row: ExperimentRow | undefined) => (row ? toExperiment(row) : null);

  return {
    insert: (name, time) => Number(insert.run(name, time, time).lastInsertRowid),
    setArtifactLocation: (key, location) => void setArtifactLocation.run(location, key),
    find: (key) => orNull(find.get(key)),
    findByName: (name) => orNull(findByName.get(name)),
    search(query, stages) {
      const selection = createSelection(columns, 'experiments e');
      selection.where('e.lifecycle_stage IN (SELECT value FROM json_each(?))', JSON.stringify(stages));
      for (const comparison of query.comparisons) selection.where(...meetsSql(comparison));
      for (const { key, ascending } of query.order) selection.sortBy(attributeColumns[key] ?? '', ascending);
      if (query.order.length === 0) selection.sortBy('e.creation_time', false);
      if (!query.order.some(({ key }) => key === 'experiment_id')) {
        selection.sortBy('e.id', query.order.length === 0);
      }
      const { rows, last } = selection.page<ExperimentRow>(database, query.limit, query.after);
      return { items: rows.map(toExperiment), last };
    },
    rename: (key, name, time) => void rename.run(name, time, key),
    setStage: (key, stage, time) => void setStage.run(stage, time, key),
    setTag: (key, tag) => void setTag.run(key, tag.key, tag.value),
    deleteTag: (key, tag) => deleteTag.run(key, tag).changes > 0,
    touch: (key, time) => void touch.run(time, key),
    setMainMetric: (key, metric) => void setMainMetric.run(metric.key, metric.higherIsBetter ? 1 : 0, key),
    datasets: (keys, limit) => datasets.all(JSON.stringify(keys), limit),
  };
}

/** That the experiment `e` meets a clause. */
function meetsSql({ entity, key, operator, value }: Comparison): SqlPart {
  if (entity === 'attribute') {
    if (key !== 'experiment_id') return comparisonSql(attributeColumns[key] ?? '', operator, value);
    return [
      `${operator === '=' || operator === 'IN' ? '' : 'NOT '}e.id IN (SELECT CAST(value AS INTEGER) FROM json_each(?))`,
      JSON.stringify([value].flat()),
    ];
  }
  const found = 'SELECT 1 FROM experiment_tags t WHERE t.experiment_id = e.id AND t.key = ?';
  if (operator === 'IS NULL') return [`NOT EXISTS (${found})`, key];
  const [condition, ...parameters] = comparisonSql('t.value', operator, value);
  return [`EXISTS (${found} AND ${condition})`, key, ...parameters];
}
