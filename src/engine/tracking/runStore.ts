import type { KeyValue, RunStatus } from '../../protocol/tracking.ts';
import type { Database } from '../database/connection.ts';
import type {
  Dataset,
  DatasetLink,
  LifecycleStage,
  Metric,
  ModelOutput,
  Run,
  RunInfo,
  RunRecord,
} from './types.ts';

/** A row of `runs` with the columns of `runColumns`. */
export interface RunRow {
  readonly id: number;
  readonly run_uuid: string;
  readonly experiment_id: number;
  readonly name: string;
  readonly user_id: string;
  readonly status: RunStatus;
  readonly start_time: number;
  readonly end_time: number | null;
  readonly lifecycle_stage: LifecycleStage;
  readonly artifact_uri: string;
  readonly parent_run_uuid: string | null;
}

export const runColumns =
  'r.id, r.run_uuid, r.experiment_id, r.name, r.user_id, r.status, r.start_time, r.end_time, r.lifecycle_stage, ' +
  'r.artifact_uri, r.parent_run_uuid';

export function toRunRecord(row: RunRow): RunRecord {
  return {
    key: row.id,
    runId: row.run_uuid,
    experimentId: String(row.experiment_id),
    name: row.name,
    userId: row.user_id,
    status: row.status,
    startTime: row.start_time,
    endTime: row.end_time,
    lifecycleStage: row.lifecycle_stage,
    artifactUri: row.artifact_uri,
    parentRunId: row.parent_run_uuid,
  };
}

/** A run as it begins: active, without an end or a parent. */
export type NewRun = Omit<RunInfo, 'endTime' | 'lifecycleStage' | 'parentRunId'>;

export interface RunStore {
  insert(run: NewRun): number;
  find(runId: string): RunRecord | null;
  /** The runs with all that was logged to them, in the order given. */
  load(records: readonly RunRecord[]): readonly Run[];
  update(run: RunRecord): void;
  setStage(key: number, stage: LifecycleStage, deletedTime: number | null): void;
  setStageOfExperiment(experiment: number, stage: LifecycleStage, deletedTime: number | null): void;
  setTag(key: number, tag: KeyValue): void;
  rename(key: number, name: string): void;
  setParent(key: number, parentRunId: string | null): void;
  tag(key: number, name: string): string | null;
  /** False when there is no such tag. */
  deleteTag(key: number, name: string): boolean;
  /** Gives the value that stands: another than the given one when the parameter was written before. */
  setParameter(key: number, parameter: KeyValue): string;
  linkDataset(run: RunRecord, link: DatasetLink): void;
  linkModelInput(key: number, modelId: string): void;
  linkModelOutput(key: number, output: ModelOutput): void;
}

interface DatasetRow {
  readonly run_id: number;
  readonly tags: string;
  readonly name: string;
  readonly digest: string;
  readonly source_type: string;
  readonly source: string;
  readonly schema: string | null;
  readonly profile: string | null;
}

type OfRun<Row> = Row & { readonly run_id: number };

/** All SQL of runs, apart from metrics and searches. */
export function createRunStore(database: Database): RunStore {
  const insert = database.prepare<[string, number, string, string, string, number, string], never>(
    `INSERT INTO runs (run_uuid, experiment_id, name, user_id, status, start_time, artifact_uri)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const find = database.prepare<[string], RunRow>(`SELECT ${runColumns} FROM runs r WHERE r.run_uuid = ?`);
  const update = database.prepare<[string, string, number | null, number], never>(
    'UPDATE runs SET name = ?, status = ?, end_time = ? WHERE id = ?',
  );
  const setStage = database.prepare<[string, number | null, number], never>(
    'UPDATE runs SET lifecycle_stage = ?, deleted_time = ? WHERE id = ?',
  );
  const setStageOfExperiment = database.prepare<[string, number | null, number, string], never>(
    'UPDATE runs SET lifecycle_stage = ?, deleted_time = ? WHERE experiment_id = ? AND lifecycle_stage <> ?',
  );
  const setTag = database.prepare<[number, string, string], never>(
    'INSERT INTO tags (run_id, key, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
  );
  const rename = database.prepare<[string, number], never>('UPDATE runs SET name = ? WHERE id = ?');
  const setParent = database.prepare<[string | null, number], never>(
    'UPDATE runs SET parent_run_uuid = ? WHERE id = ?',
  );
  const tag = database.prepare<[number, string], { readonly value: string }>(
    'SELECT value FROM tags WHERE run_id = ? AND key = ?',
  );
  const deleteTag = database.prepare<[number, string], never>(
    'DELETE FROM tags WHERE run_id = ? AND key = ?',
  );
  const insertParameter = database.prepare<[number, string, string], never>(
    'INSERT INTO parameters (run_id, key, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const parameter = database.prepare<[number, string], { readonly value: string }>(
    'SELECT value FROM parameters WHERE run_id = ? AND key = ?',
  );
  const insertDataset = database.prepare<
    [number, string, string, string, string, string | null, string | null],
    never
  >(
    `INSERT INTO datasets (experiment_id, name, digest, source_type, source, schema, profile)
     VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const linkDataset = database.prepare<[number, string, number, string, string], never>(
    `INSERT INTO run_datasets (run_id, dataset_id, tags)
     SELECT ?, id, ? FROM datasets WHERE experiment_id = ? AND name = ? AND digest = ? ON CONFLICT DO NOTHING`,
  );
  const linkModelInput = database.prepare<[number, string], never>(
    'INSERT INTO run_inputs (run_id, model_uuid) VALUES (?, ?) ON CONFLICT DO NOTHING',
  );
  const linkModelOutput = database.prepare<[number, string, number], never>(
    'INSERT INTO run_outputs (run_id, model_uuid, step) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  );

  const ofRuns = 'IN (SELECT value FROM json_each(?))';
  const metricsOf = database.prepare<[string], OfRun<Metric & { readonly is_nan: number }>>(
    `SELECT run_id, key, latest_value AS value, latest_is_nan AS is_nan, latest_timestamp AS timestamp, latest_step AS step
     FROM metric_series WHERE run_id ${ofRuns} ORDER BY run_id, id`,
  );
  const parametersOf = database.prepare<[string], OfRun<KeyValue>>(
    `SELECT run_id, key, value FROM parameters WHERE run_id ${ofRuns} ORDER BY run_id, key`,
  );
  const tagsOf = database.prepare<[string], OfRun<KeyValue>>(
    `SELECT run_id, key, value FROM tags WHERE run_id ${ofRuns} ORDER BY run_id, key`,
  );
  const datasetsOf = database.prepare<[string], DatasetRow>(
    `SELECT l.run_id, l.tags, d.name, d.digest, d.source_type, d.source, d.schema, d.profile
     FROM run_datasets l JOIN datasets d ON d.id = l.dataset_id WHERE l.run_id ${ofRuns} ORDER BY l.run_id, d.id`,
  );
  const inputsOf = database.prepare<[string], OfRun<{ readonly model_uuid: string }>>(
    `SELECT run_id, model_uuid FROM run_inputs WHERE run_id ${ofRuns} ORDER BY run_id, model_uuid`,
  );
  const outputsOf = database.prepare<[string], OfRun<{ readonly model_uuid: string; readonly step: number }>>(
    `SELECT run_id, model_uuid, step FROM run_outputs WHERE run_id ${ofRuns} ORDER BY run_id, step, model_uuid`,
  );

  return {
    insert: (run) =>
      Number(
        insert.run(
          run.runId,
          Number(run.experimentId),
          run.name,
          run.userId,
          run.status,
          run.startTime,
          run.artifactUri,
        ).lastInsertRowid,
      ),
    find(runId) {
      const row = find.get(runId);
      return row ? toRunRecord(row) : null;
    },
    load(records) {
      const keys = JSON.stringify(records.map(({ key }) => key));
      const metrics = groupByRun(metricsOf.all(keys));
      const parameters = groupByRun(parametersOf.all(keys));
      const tags = groupByRun(tagsOf.all(keys));
      const datasets = groupByRun(datasetsOf.all(keys));
      const inputs = groupByRun(inputsOf.all(keys));
      const outputs = groupByRun(outputsOf.all(keys));
      return records.map(({ key, ...info }) => ({
        info,
        metrics: (metrics.get(key) ?? []).map(toMetric),
        parameters: (parameters.get(key) ?? []).map(toKeyValue),
        tags: (tags.get(key) ?? []).map(toKeyValue),
        datasets: (datasets.get(key) ?? []).map(toDatasetLink),
        modelInputs: (inputs.get(key) ?? []).map((row) => row.model_uuid),
        modelOutputs: (outputs.get(key) ?? []).map((row) => ({ modelId: row.model_uuid, step: row.step })),
      }));
    },
    update: (run) => void update.run(run.name, run.status, run.endTime, run.key),
    setStage: (key, stage, deletedTime) => void setStage.run(stage, deletedTime, key),
    setStageOfExperiment: (experiment, stage, deletedTime) =>
      void setStageOfExperiment.run(stage, deletedTime, experiment, stage),
    setTag: (key, { key: name, value }) => void setTag.run(key, name, value),
    rename: (key, name) => void rename.run(name, key),
    setParent: (key, parentRunId) => void setParent.run(parentRunId, key),
    tag: (key, name) => tag.get(key, name)?.value ?? null,
    deleteTag: (key, name) => deleteTag.run(key, name).changes > 0,
    setParameter(key, { key: name, value }) {
      if (insertParameter.run(key, name, value).changes > 0) return value;
      return parameter.get(key, name)?.value ?? value;
    },
    linkDataset(run, { dataset, tags }) {
      const experiment = Number(run.experimentId);
      insertDataset.run(
        experiment,
        dataset.name,
        dataset.digest,
        dataset.sourceType,
        dataset.source,
        dataset.schema,
        dataset.profile,
      );
      const tagObject = JSON.stringify(Object.fromEntries(tags.map(({ key, value }) => [key, value])));
      linkDataset.run(run.key, tagObject, experiment, dataset.name, dataset.digest);
    },
    linkModelInput: (key, modelId) => void linkModelInput.run(key, modelId),
    linkModelOutput: (key, { modelId, step }) => void linkModelOutput.run(key, modelId, step),
  };
}

function groupByRun<Row extends { readonly run_id: number }>(
  rows: readonly Row[],
): ReadonlyMap<number, readonly Row[]> {
  return Map.groupBy(rows, (row) => row.run_id);
}

function toKeyValue({ key, value }: KeyValue): KeyValue {
  return { key, value };
}

function toMetric(row: Metric & { readonly is_nan: number }): Metric {
  const { key, value, timestamp, step } = row;
  return { key, value: row.is_nan === 1 ? Number.NaN : value, timestamp, step };
}

function toDatasetLink(row: DatasetRow): DatasetLink {
  const dataset: Dataset = {
    name: row.name,
    digest: row.digest,
    sourceType: row.source_type,
    source: row.source,
    schema: row.schema,
    profile: row.profile,
  };
  const tags: Readonly<Record<string, string>> = JSON.parse(row.tags);
  return { dataset, tags: Object.entries(tags).map(([key, value]) => ({ key, value })) };
}
