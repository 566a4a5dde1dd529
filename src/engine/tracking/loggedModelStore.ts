import type { KeyValue } from '../../protocol/tracking.ts';
import type { Database } from '../database/connection.ts';
import { exactInteger, type Int64, toInt64 } from '../database/int64.ts';
import { toStoredValue } from './metricStore.ts';
import type {
  LifecycleStage,
  LoggedModel,
  LoggedModelData,
  LoggedModelRecord,
  LoggedModelStatus,
  ModelMetric,
} from './types.ts';

/** A row of `logged_models` with the columns of `loggedModelColumns`. */
export interface LoggedModelRow {
  readonly id: number;
  readonly model_uuid: string;
  readonly experiment_id: number;
  readonly source_run_uuid: string | null;
  readonly name: string;
  readonly model_type: string;
  readonly status: LoggedModelStatus;
  readonly status_message: string;
  readonly artifact_uri: string;
  readonly creation_time: number;
  readonly last_update_time: number;
  readonly lifecycle_stage: LifecycleStage;
}

/** The run that made a model; it may be one that this store does not have. */
export const sourceRunColumn = 'coalesce(s.run_uuid, m.foreign_run_uuid)';

export const loggedModelColumns =
  `m.id, m.model_uuid, m.experiment_id, ${sourceRunColumn} AS source_run_uuid, m.name, m.model_type, m.status, ` +
  'm.status_message, m.artifact_uri, m.creation_time, m.last_update_time, m.lifecycle_stage';

export const loggedModelTables = 'logged_models m LEFT JOIN runs s ON s.id = m.source_run_id';

export function toLoggedModelRecord(row: LoggedModelRow): LoggedModelRecord {
  return {
    key: row.id,
    modelId: row.model_uuid,
    experimentId: String(row.experiment_id),
    name: row.name,
    modelType: row.model_type,
    status: row.status,
    statusMessage: row.status_message,
    artifactUri: row.artifact_uri,
    sourceRunId: row.source_run_uuid,
    creationTime: row.creation_time,
    lastUpdateTime: row.last_update_time,
    lifecycleStage: row.lifecycle_stage,
  };
}

export interface LoggedModelStore {
  /** `sourceRun` is null when the store does not have the model's run. */
  insert(model: LoggedModel, sourceRun: number | null): number;
  find(modelId: string): LoggedModelRecord | null;
  load(record: LoggedModelRecord): LoggedModelData;
  /** Active models of a run, in the order in which they were logged. */
  ofRun(run: number): readonly LoggedModelRecord[];
  setStatus(key: number, status: LoggedModelStatus, time: number): void;
  setStage(key: number, stage: LifecycleStage, time: number): void;
  setTag(key: number, tag: KeyValue): void;
  /** False when there is no such tag. */
  deleteTag(key: number, name: string): boolean;
  setParameter(key: number, parameter: KeyValue): void;
  /** Adds a point; one that is there already changes nothing. */
  addMetric(key: number, run: number, metric: Omit<ModelMetric, 'runId'>): void;
}

/** All SQL of logged models, apart from their search. */
export function createLoggedModelStore(database: Database): LoggedModelStore {
  const insert = database.prepare<
    [string, number, number | null, string | null, string, string, string, string, number, number],
    never
  >(
    `INSERT INTO logged_models
       (model_uuid, experiment_id, source_run_id, foreign_run_uuid, name, model_type, status, artifact_uri, creation_time, last_update_time)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const find = database.prepare<[string], LoggedModelRow>(
    `SELECT ${loggedModelColumns} FROM ${loggedModelTables} WHERE m.model_uuid = ?`,
  );
  const ofRun = database.prepare<[number], LoggedModelRow>(
    `SELECT ${loggedModelColumns} FROM ${loggedModelTables}
     WHERE m.source_run_id = ? AND m.lifecycle_stage = 'active' ORDER BY m.id`,
  );
  const setStatus = database.prepare<[string, number, number], never>(
    'UPDATE logged_models SET status = ?, last_update_time = ? WHERE id = ?',
  );
  const setStage = database.prepare<[string, number, number], never>(
    'UPDATE logged_models SET lifecycle_stage = ?, last_update_time = ? WHERE id = ?',
  );
  const tagsOf = database.prepare<[number], KeyValue>(
    'SELECT key, value FROM logged_model_tags WHERE model_id = ? ORDER BY key',
  );
  const setTag = database.prepare<[number, string, string], never>(
    `INSERT INTO logged_model_tags (model_id, key, value) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET value = excluded.value`,
  );
  const deleteTag = database.prepare<[number, string], never>(
    'DELETE FROM logged_model_tags WHERE model_id = ? AND key = ?',
  );
  const parametersOf = database.prepare<[number], KeyValue>(
    'SELECT key, value FROM logged_model_parameters WHERE model_id = ? ORDER BY key',
  );
  const setParameter = database.prepare<[number, string, string], never>(
    `INSERT INTO logged_model_parameters (model_id, key, value) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET value = excluded.value`,
  );
  const metricsOf = database.prepare<[number], ModelMetricRow>(
    `SELECT l.key, l.value, l.is_nan AS isNan, ${exactInteger('l.timestamp')} AS exactTimestamp,
       ${exactInteger('l.step')} AS exactStep, l.dataset_name AS datasetName, l.dataset_digest AS datasetDigest,
       r.run_uuid AS runId
     FROM logged_model_metrics l JOIN runs r ON r.id = l.run_id WHERE l.model_id = ?
     ORDER BY l.key, l.dataset_name, l.dataset_digest, l.run_id, l.step, l.timestamp, l.value, l.is_nan`,
  );
  const addMetric = database.prepare<
    [number, string, string, string, number, Int64, Int64, number, number],
    never
  >(
    `INSERT INTO logged_model_metrics
       (model_id, key, dataset_name, dataset_digest, run_id, step, timestamp, value, is_nan)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );

  return {
    insert: (model, sourceRun) =>
      Number(
        insert.run(
          model.modelId,
          Number(model.experimentId),
          sourceRun,
          sourceRun === null ? model.sourceRunId : null,
          model.name,
          model.modelType,
          model.status,
          model.artifactUri,
          model.creationTime,
          model.lastUpdateTime,
        ).lastInsertRowid,
      ),
    find(modelId) {
      const row = find.get(modelId);
      return row ? toLoggedModelRecord(row) : null;
    },
    load({ key, ...model }) {
      const metrics = metricsOf.all(key).map(toModelMetric);
      return { model, tags: tagsOf.all(key), parameters: parametersOf.all(key), metrics };
    },
    ofRun: (run) => ofRun.all(run).map(toLoggedModelRecord),
    setStatus: (key, status, time) => void setStatus.run(status, time, key),
    setStage: (key, stage, time) => void setStage.run(stage, time, key),
    setTag: (key, tag) => void setTag.run(key, tag.key, tag.value),
    deleteTag: (key, name) => deleteTag.run(key, name).changes > 0,
    setParameter: (key, parameter) => void setParameter.run(key, parameter.key, parameter.value),
    addMetric(key, run, metric) {
      const { value, isNan } = toStoredValue(metric.value);
      addMetric.run(
        key,
        metric.key,
        metric.datasetName,
        metric.datasetDigest,
        run,
        metric.step,
        metric.timestamp,
        value,
        isNan,
      );
    },
  };
}

interface ModelMetricRow extends Omit<ModelMetric, 'step' | 'timestamp'> {
  readonly isNan: number;
  readonly exactTimestamp: number | string;
  readonly exactStep: number | string;
}

function toModelMetric({ isNan, exactTimestamp, exactStep, ...metric }: ModelMetricRow): ModelMetric {
  return {
    ...metric,
    value: isNan === 1 ? Number.NaN : metric.value,
    timestamp: toInt64(exactTimestamp),
    step: toInt64(exactStep),
  };
}
