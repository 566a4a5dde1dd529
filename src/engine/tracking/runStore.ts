import type { KeyValue, RunStatus } from '../../protocol/tracking.ts';
import type { Database } from '../database/connection.ts';
import { exactInteger, type Int64, toInt64 } from '../database/int64.ts';
import type { DatasetLink, LifecycleStage, Metric, ModelOutput, Run, RunInfo, RunRecord } from './types.ts';

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

type TextRow = readonly [run: number, key: string, value: string];
type MetricRow = readonly [
  run: number,
  key: string,
  value: number,
  isNan: number,
  timestamp: number | string,
  step: number | string,
];
type DatasetRow = readonly [
  run: number,
  tags: string,
  name: string,
  digest: string,
  sourceType: string,
  source: string,
  schema: string | null,
  profile: string | null,
];

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
  const linkModelOutput = database.prepare<[number, string, Int64], never>(
    'INSERT INTO run_outputs (run_id, model_uuid, step) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  );

  // In each, the rows of a run stand together, with the run first, and are read as arrays: a page has tens of thousands.
  const ofRuns = 'IN (SELECT value FROM json_each(?))';
  const metricsOf = database
    .prepare<[string], MetricRow>(
      `SELECT run_id, key, latest_value, latest_is_nan, ${exactInteger('latest_timestamp')}, ${exactInteger('latest_step')}
       FROM metric_series WHERE run_id ${ofRuns} ORDER BY run_id, key`,
    )
    .raw();
  const parametersOf = database
    .prepare<[string], TextRow>(
      `SELECT run_id, key, value FROM parameters WHERE run_id ${ofRuns} ORDER BY run_id, key`,
    )
    .raw();
  const tagsOf = database
    .prepare<[string], TextRow>(
      `SELECT run_id, key, value FROM tags WHERE run_id ${ofRuns} ORDER BY run_id, key`,
    )
    .raw();
  const datasetsOf = database
    .prepare<[string], DatasetRow>(
      `SELECT l.run_id, l.tags, d.name, d.digest, d.source_type, d.source, d.schema, d.profile
       FROM run_datasets l CROSS JOIN datasets d ON d.id = l.dataset_id WHERE l.run_id ${ofRuns} ORDER BY l.run_id, d.id`,
    )
    .raw();
  const inputsOf = database
    .prepare<[string], readonly [run: number, modelId: string]>(
      `SELECT run_id, model_uuid FROM run_inputs WHERE run_id ${ofRuns} ORDER BY run_id, model_uuid`,
    )
    .raw();
  const outputsOf = database
    .prepare<[string], readonly [run: number, modelId: string, step: number | string]>(
      `SELECT run_id, model_uuid, ${exactInteger('step')} FROM run_outputs WHERE run_id ${ofRuns}
       ORDER BY run_id, run_outputs.step, model_uuid`,
    )
    .raw();

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
      const metrics = groupByRun(metricsOf.all(keys), toMetric);
      const parameters = groupByRun(parametersOf.all(keys), toKeyValue);
      const tags = groupByRun(tagsOf.all(keys), toKeyValue);
      const datasets = groupByRun(datasetsOf.all(keys), toDatasetLink);
      const inputs = groupByRun(inputsOf.all(keys), ([, modelId]) => modelId);
      const outputs = groupByRun(outputsOf.all(keys), ([, modelId, step]) => ({
        modelId,
        step: toInt64(step),
      }));
      return records.map(({ key, ...info }) => ({
        info,
        metrics: metrics.get(key) ?? [],
        parameters: parameters.get(key) ?? [],
        tags: tags.get(key) ?? [],
        datasets: datasets.get(key) ?? [],
        modelInputs: inputs.get(key) ?? [],
        modelOutputs: outputs.get(key) ?? [],
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

/** What each run has, from rows that begin with its key. */
function groupByRun<Row extends readonly [run: number, ...unknown[]], Item>(
  rows: readonly Row[],
  read: (row: Row) => Item,
): ReadonlyMap<number, readonly Item[]> {
  const groups = new Map<number, Item[]>();
  let current = -1;
  let items: Item[] = [];
  for (const row of rows) {
    if (row[0] !== current) {
      current = row[0];
      items = [];
      groups.set(current, items);
    }
    items.push(read(row));
  }
  return groups;
}

function toKeyValue([, key, value]: TextRow): KeyValue {
  return { key, value };
}

function toMetric([, key, value, isNan, timestamp, step]: MetricRow): Metric {
  return {
    key,
    value: isNan === 1 ? Number.NaN : value,
    timestamp: toInt64(timestamp),
    step: toInt64(step),
  };
}

function toDatasetLink([, tags, name, digest, sourceType, source, schema, profile]: DatasetRow): DatasetLink {
  const texts: Readonly<Record<string, string>> = JSON.parse(tags);
  return {
    dataset: { name, digest, sourceType, source, schema, profile },
    tags: Object.entries(texts).map(([key, value]) => ({ key, value })),
  };
}
