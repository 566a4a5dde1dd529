import type { DeletedExperiment, DeletedRun, StoreContent } from '../../protocol/maintenance.ts';
import type { Database } from '../database/connection.ts';
import { contentQuery } from './backupStore.ts';
import type {
  DataUse,
  ModelUse,
  PageFigures,
  StoredExperiment,
  StoredLocation,
  StoredModel,
  StoredRun,
  StoredVersion,
} from './types.ts';

/** Figures of an experiment, whatever stage it is in. */
export interface ExperimentFigures {
  readonly key: number;
  readonly name: string;
  readonly location: string;
  readonly deleted: number;
  readonly runCount: number;
  readonly deletedRunCount: number;
}

/** All SQL of maintenance. */
export type MaintenanceStore = ReturnType<typeof createMaintenanceStore>;

export function createMaintenanceStore(database: Database) {
  return {
    ...deletedStatements(database),
    ...useStatements(database),
    ...removalStatements(database),
    ...figureStatements(database),
  };
}

const runColumns = `r.id AS key, r.run_uuid AS runId, r.name, r.experiment_id AS experiment, r.artifact_uri AS artifactUri,
  (SELECT COALESCE(SUM(s.point_count), 0) FROM metric_series s WHERE s.run_id = r.id) AS points`;
const modelColumns = `m.id AS key, m.model_uuid AS modelId, m.name, m.experiment_id AS experiment,
  m.source_run_id AS sourceRun, m.artifact_uri AS artifactUri`;
const traceLocation = "RTRIM(e.artifact_location, '/') || '/traces/' || t.trace_uuid";
const listed = 'IN (SELECT value FROM json_each(?))';

/** What is in stage deleted. Lists of keys travel as JSON. */
function deletedStatements(database: Database) {
  const experiments = database.prepare<[number], DeletedExperiment & { readonly key: number }>(
    `SELECT e.id AS key, CAST(e.id AS TEXT) AS experimentId, e.name, e.last_update_time AS deletedAt,
       (SELECT COUNT(*) FROM runs r WHERE r.experiment_id = e.id) AS runCount
     FROM experiments e WHERE e.lifecycle_stage = 'deleted' AND e.last_update_time <= ?
     ORDER BY e.last_update_time DESC`,
  );
  const runs = database.prepare<[number], DeletedRun>(
    `SELECT r.run_uuid AS runId, r.name, e.name AS experimentName, COALESCE(r.deleted_time, r.start_time) AS deletedAt
     FROM runs r JOIN experiments e ON e.id = r.experiment_id AND e.lifecycle_stage = 'active'
     WHERE r.lifecycle_stage = 'deleted' ORDER BY deletedAt DESC, r.id DESC LIMIT ?`,
  );
  const runCount = database
    .prepare<[], number>("SELECT COUNT(*) FROM runs WHERE lifecycle_stage = 'deleted'")
    .pluck();
  const nested = database
    .prepare<[string], string>(
      `WITH RECURSIVE nested (run_uuid) AS (
         SELECT run_uuid FROM runs WHERE parent_run_uuid = ?
         UNION SELECT r.run_uuid FROM runs r JOIN nested n ON r.parent_run_uuid = n.run_uuid)
       SELECT n.run_uuid FROM nested n JOIN runs r ON r.run_uuid = n.run_uuid WHERE r.lifecycle_stage = 'active'`,
    )
    .pluck();
  const oldRuns = database.prepare<[number], StoredRun>(
    `SELECT ${runColumns} FROM runs r
     WHERE r.lifecycle_stage = 'deleted' AND COALESCE(r.deleted_time, 0) <= ? ORDER BY r.id`,
  );
  const runsOf = database.prepare<[string], StoredRun>(
    `SELECT ${runColumns} FROM runs r WHERE r.lifecycle_stage = 'deleted' AND r.experiment_id ${listed} ORDER BY r.id`,
  );
  const stillDeletedRuns = database
    .prepare<[string], number>(
      `SELECT r.id FROM runs r WHERE r.id ${listed} AND r.lifecycle_stage = 'deleted'`,
    )
    .pluck();
  const stillDeletedExperiment = database
    .prepare<[number], number>(
      `SELECT COUNT(*) FROM experiments e WHERE e.id = ? AND e.lifecycle_stage = 'deleted'
         AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.experiment_id = e.id)
         AND NOT EXISTS (SELECT 1 FROM logged_models m WHERE m.experiment_id = e.id)`,
    )
    .pluck();
  const runKeysOf = database.prepare<[number], number>('SELECT id FROM runs WHERE experiment_id = ?').pluck();
  const modelKeysOf = database
    .prepare<[number], number>('SELECT id FROM logged_models WHERE experiment_id = ?')
    .pluck();
  const experimentsByKey = database.prepare<[string], StoredExperiment>(
    `SELECT e.id AS key, e.name, e.artifact_location AS location FROM experiments e WHERE e.id ${listed}`,
  );
  const oldModels = database.prepare<[number], StoredModel>(
    `SELECT ${modelColumns} FROM logged_models m
     WHERE m.lifecycle_stage = 'deleted' AND m.last_update_time <= ? ORDER BY m.id`,
  );
  const modelsOf = database.prepare<[string, string], StoredModel>(
    `SELECT ${modelColumns} FROM logged_models m
     WHERE m.source_run_id ${listed} OR m.experiment_id ${listed} ORDER BY m.id`,
  );
  const modelStages = database.prepare<[string], { readonly key: number; readonly deleted: number }>(
    `SELECT m.id AS key, m.lifecycle_stage = 'deleted' AS deleted FROM logged_models m WHERE m.id ${listed}`,
  );
  return {
    deletedExperiments: (before: number) => experiments.all(before),
    deletedRuns: (limit: number) => runs.all(limit),
    deletedRunCount: () => runCount.get() ?? 0,
    nestedRuns: (runId: string) => nested.all(runId),
    /** Runs deleted at or before a moment. */
    oldDeletedRuns: (before: number) => oldRuns.all(before),
    deletedRunsOf: (experiments: readonly number[]) => runsOf.all(JSON.stringify(experiments)),
    /** Those of the given runs that nobody restored meanwhile. */
    stillDeletedRuns: (keys: readonly number[]) => stillDeletedRuns.all(JSON.stringify(keys)),
    /** Whether the experiment is deleted, and holds no run or logged model any more. */
    isEmptyAndDeleted: (key: number) => (stillDeletedExperiment.get(key) ?? 0) > 0,
    /** Keys of all that an experiment holds, in any stage. */
    experimentPopulation: (key: number) => ({ runs: runKeysOf.all(key), models: modelKeysOf.all(key) }),
    experimentsByKey: (keys: readonly number[]) => experimentsByKey.all(JSON.stringify(keys)),
    oldDeletedModels: (before: number) => oldModels.all(before),
    /** Logged models that one of the runs made, or that lie in one of the experiments, in any stage. */
    modelsOf: (runs: readonly number[], experiments: readonly number[]) =>
      modelsOf.all(JSON.stringify(runs), JSON.stringify(experiments)),
    modelStages: (keys: readonly number[]) => modelStages.all(JSON.stringify(keys)),
  };
}

/** Who uses what. */
function useStatements(database: Database) {
  const versions = database.prepare<[], StoredVersion>(
    `SELECT m.name AS model, v.version, v.run_uuid AS runId, v.logged_model_uuid AS modelId,
       CASE v.storage_location WHEN '' THEN v.source ELSE v.storage_location END AS location
     FROM model_versions v JOIN registered_models m ON m.id = v.model_id WHERE v.deleted = 0`,
  );
  const modelUses = database.prepare<[string, string], ModelUse>(
    `SELECT u.model_uuid AS modelId, r.id AS run, r.name AS runName
     FROM (SELECT run_id, model_uuid FROM run_inputs WHERE model_uuid ${listed}
       UNION SELECT run_id, model_uuid FROM run_outputs WHERE model_uuid ${listed}) u
     JOIN runs r ON r.id = u.run_id`,
  );
  const dataUses = database.prepare<[], DataUse>(
    `SELECT r.id AS run, r.name AS runName, d.source
     FROM datasets d JOIN run_datasets l ON l.dataset_id = d.id JOIN runs r ON r.id = l.run_id
     WHERE d.source LIKE '%mlflow-artifacts:%' OR d.source LIKE '%runs:/%' OR d.source LIKE '%models:/%'`,
  );
  const locations = database.prepare<[], StoredLocation>(
    `SELECT 'experiment' AS owner, id AS key, id AS experiment, artifact_location AS uri FROM experiments
     UNION ALL SELECT 'run', id, experiment_id, artifact_uri FROM runs
     UNION ALL SELECT 'loggedModel', id, experiment_id, artifact_uri FROM logged_models
     UNION ALL SELECT 'trace', t.id, t.experiment_id, ${traceLocation}
       FROM traces t JOIN experiments e ON e.id = t.experiment_id
     UNION ALL SELECT 'version', 0, NULL, CASE storage_location WHEN '' THEN source ELSE storage_location END
       FROM model_versions WHERE deleted = 0`,
  );
  return {
    /** Versions that were not deleted, in whatever stage. */
    versions: () => versions.all(),
    modelUses(modelIds: readonly string[]) {
      const list = JSON.stringify(modelIds);
      return modelUses.all(list, list);
    },
    dataUses: () => dataUses.all(),
    /** One at a time, as there may be many; nothing else can be asked meanwhile. */
    locations: () => locations.iterate(),
  };
}

function removalStatements(database: Database) {
  const tracesOfRuns = database.prepare<[string, string], { readonly key: number; readonly uri: string }>(
    `SELECT t.id AS key, ${traceLocation} AS uri
     FROM traces t JOIN experiments e ON e.id = t.experiment_id
     JOIN trace_metadata d ON d.trace_id = t.id AND d.key = 'mlflow.sourceRun' AND d.value ${listed}
     WHERE NOT EXISTS (SELECT 1 FROM trace_runs l WHERE l.trace_uuid = t.trace_uuid AND l.run_uuid NOT ${listed})`,
  );
  const tracesOfExperiment = database
    .prepare<[number], number>('SELECT COUNT(*) FROM traces WHERE experiment_id = ?')
    .pluck();
  const removeTraces = database.prepare<[string], never>(`DELETE FROM traces WHERE id ${listed}`);
  const datasetsOf = database
    .prepare<[string], number>(`SELECT DISTINCT dataset_id FROM run_datasets WHERE run_id ${listed}`)
    .pluck();
  const removeDatasets = database.prepare<[string], never>(
    `DELETE FROM datasets WHERE id ${listed}
       AND NOT EXISTS (SELECT 1 FROM run_datasets l WHERE l.dataset_id = datasets.id)`,
  );
  const removeRuns = database.prepare<[string], never>(`DELETE FROM runs WHERE id ${listed}`);
  const removeModels = database.prepare<[string], never>(`DELETE FROM logged_models WHERE id ${listed}`);
  const removeExperiment = database.prepare<[number], never>('DELETE FROM experiments WHERE id = ?');
  const vacuum = database.prepare<[], never>('VACUUM');
  return {
    /** Traces that were made in one of the runs and belong to no other. */
    tracesOfRuns(runIds: readonly string[]) {
      const list = JSON.stringify(runIds);
      return tracesOfRuns.all(list, list);
    },
    traceCountOf: (experiment: number) => tracesOfExperiment.get(experiment) ?? 0,
    removeTraces: (keys: readonly number[]) => void removeTraces.run(JSON.stringify(keys)),
    /** With all that was logged to them, and the descriptions of data that no other run used. */
    removeRuns(keys: readonly number[]): void {
      const list = JSON.stringify(keys);
      const datasets = datasetsOf.all(list);
      removeRuns.run(list);
      removeDatasets.run(JSON.stringify(datasets));
    },
    removeModels: (keys: readonly number[]) => void removeModels.run(JSON.stringify(keys)),
    removeExperiment: (key: number) => void removeExperiment.run(key),
    /** Rewrites the file without its free pages. Holds the write lock for as long as that takes. */
    vacuum(): void {
      vacuum.run();
      database.mergeLog();
    },
  };
}

function figureStatements(database: Database) {
  const experiments = database.prepare<[], ExperimentFigures>(
    `SELECT e.id AS key, e.name, e.artifact_location AS location, e.lifecycle_stage = 'deleted' AS deleted,
       (SELECT COUNT(*) FROM runs r WHERE r.experiment_id = e.id) AS runCount,
       (SELECT COUNT(*) FROM runs r WHERE r.experiment_id = e.id AND r.lifecycle_stage = 'deleted') AS deletedRunCount
     FROM experiments e ORDER BY e.id`,
  );
  const lastRun = database.prepare<[], number>('SELECT COALESCE(MAX(id), 0) FROM runs').pluck();
  const points = database.prepare<[number, number], { readonly experiment: number; readonly points: number }>(
    `SELECT r.experiment_id AS experiment, SUM(s.point_count) AS points
     FROM runs r JOIN metric_series s ON s.run_id = r.id WHERE r.id BETWEEN ? AND ? GROUP BY r.experiment_id`,
  );
  const content = database.prepare<[], StoreContent>(contentQuery);
  const pages = database.prepare<[], PageFigures>(
    `SELECT (SELECT page_size FROM pragma_page_size) AS pageBytes, (SELECT page_count FROM pragma_page_count) AS pages,
       (SELECT freelist_count FROM pragma_freelist_count) AS freePages`,
  );
  // MLflow marks those that were never to have files here.
  const readyModels = database.prepare<
    [],
    { readonly name: string; readonly modelId: string; readonly uri: string }
  >(
    `SELECT name, model_uuid AS modelId, artifact_uri AS uri FROM logged_models m
     WHERE status = 'LOGGED_MODEL_READY' AND lifecycle_stage = 'active'
       AND NOT EXISTS (SELECT 1 FROM logged_model_tags t
         WHERE t.model_id = m.id AND t.key = 'mlflow.model.isExternal' AND LOWER(t.value) = 'true')`,
  );
  const nothing: StoreContent = { experiments: 0, runs: 0, modelVersions: 0, schema: 0 };
  return {
    experimentFigures: () => experiments.all(),
    lastRunKey: () => lastRun.get() ?? 0,
    /** Metric points by experiment of the runs whose keys lie in a range, both ends included. */
    pointsBetween: (from: number, to: number) => points.all(from, to),
    content: (): StoreContent => content.get() ?? nothing,
    pages: (): PageFigures => pages.get() ?? { pageBytes: 0, pages: 0, freePages: 0 },
    readyModels: () => readyModels.all(),
  };
}
