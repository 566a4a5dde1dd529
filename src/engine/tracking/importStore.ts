import type { RunStatus } from '../../protocol/tracking.ts';
import type { Database } from '../database/connection.ts';
import type { LifecycleStage, LoggedModel } from './types.ts';

/** An experiment as it was elsewhere. */
export interface ExperimentRow {
  /** Null: the next free one. */
  readonly key: number | null;
  readonly name: string;
  readonly lifecycleStage: LifecycleStage;
  readonly creationTime: number;
  readonly lastUpdateTime: number;
}

/** A run as it was elsewhere. */
export interface RunRow {
  readonly runId: string;
  readonly experiment: number;
  readonly name: string;
  readonly userId: string;
  readonly status: RunStatus;
  readonly startTime: number;
  readonly endTime: number | null;
  readonly lifecycleStage: LifecycleStage;
  readonly deletedTime: number | null;
  readonly artifactUri: string;
}

/** The SQL of what only an import may do: write what has an id, a time and a stage already. */
export interface ImportStore {
  insertExperiment(experiment: ExperimentRow): number;
  setExperimentTimes(key: number, creationTime: number, lastUpdateTime: number): void;
  isFreeExperiment(key: number): boolean;
  hasRuns(experiment: number): boolean;
  insertRun(run: RunRow): number;
  /** Null when the run has no such parameter. */
  parameter(run: number, key: string): string | null;
  pointCount(run: number, key: string): number;
  insertLoggedModel(model: LoggedModel, sourceRun: number | null): number;
  updateLoggedModel(
    key: number,
    model: Pick<LoggedModel, 'status' | 'statusMessage' | 'lastUpdateTime'>,
  ): void;
}

export function createImportStore(database: Database): ImportStore {
  const insertExperiment = database.prepare<[number | null, string, string, number, number], never>(
    `INSERT INTO experiments (id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)
     VALUES (?, ?, '', ?, ?, ?)`,
  );
  const setExperimentTimes = database.prepare<[number, number, number], never>(
    'UPDATE experiments SET creation_time = ?, last_update_time = ? WHERE id = ?',
  );
  const experiment = database.prepare<[number], { readonly id: number }>(
    'SELECT id FROM experiments WHERE id = ?',
  );
  const run = database.prepare<[number], { readonly id: number }>(
    'SELECT id FROM runs WHERE experiment_id = ? LIMIT 1',
  );
  const insertRun = database.prepare<
    [string, number, string, string, string, number, number | null, string, number | null, string],
    never
  >(
    `INSERT INTO runs (run_uuid, experiment_id, name, user_id, status, start_time, end_time, lifecycle_stage, deleted_time,
       artifact_uri) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const parameter = database.prepare<[number, string], { readonly value: string }>(
    'SELECT value FROM parameters WHERE run_id = ? AND key = ?',
  );
  const pointCount = database.prepare<[number, string], { readonly point_count: number }>(
    'SELECT point_count FROM metric_series WHERE run_id = ? AND key = ?',
  );
  const insertLoggedModel = database.prepare<
    [
      string,
      number,
      number | null,
      string | null,
      string,
      string,
      string,
      string,
      string,
      number,
      number,
      string,
    ],
    never
  >(
    `INSERT INTO logged_models (model_uuid, experiment_id, source_run_id, foreign_run_uuid, name, model_type, status,
       status_message, artifact_uri, creation_time, last_update_time, lifecycle_stage)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const updateLoggedModel = database.prepare<[string, string, number, number], never>(
    'UPDATE logged_models SET status = ?, status_message = ?, last_update_time = ? WHERE id = ?',
  );

  return {
    insertExperiment: ({ key, name, lifecycleStage, creationTime, lastUpdateTime }) =>
      Number(insertExperiment.run(key, name, lifecycleStage, creationTime, lastUpdateTime).lastInsertRowid),
    setExperimentTimes: (key, creationTime, lastUpdateTime) =>
      void setExperimentTimes.run(creationTime, lastUpdateTime, key),
    isFreeExperiment: (key) => experiment.get(key) === undefined,
    hasRuns: (key) => run.get(key) !== undefined,
    insertRun: (row) =>
      Number(
        insertRun.run(
          row.runId,
          row.experiment,
          row.name,
          row.userId,
          row.status,
          row.startTime,
          row.endTime,
          row.lifecycleStage,
          row.deletedTime,
          row.artifactUri,
        ).lastInsertRowid,
      ),
    parameter: (key, name) => parameter.get(key, name)?.value ?? null,
    pointCount: (key, metric) => pointCount.get(key, metric)?.point_count ?? 0,
    insertLoggedModel: (model, sourceRun) =>
      Number(
        insertLoggedModel.run(
          model.modelId,
          Number(model.experimentId),
          sourceRun,
          sourceRun === null ? model.sourceRunId : null,
          model.name,
          model.modelType,
          model.status,
          model.statusMessage,
          model.artifactUri,
          model.creationTime,
          model.lastUpdateTime,
          model.lifecycleStage,
        ).lastInsertRowid,
      ),
    updateLoggedModel: (key, { status, statusMessage, lastUpdateTime }) =>
      void updateLoggedModel.run(status, statusMessage, lastUpdateTime, key),
  };
}
