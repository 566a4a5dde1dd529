import type { ImportedDataset, ImportedRun, ImportRecord } from '../../protocol/importing.ts';
import type { KeyValue, RunStatus } from '../../protocol/tracking.ts';
import type { ArtifactLocation, LocationRules } from './artifactLocation.ts';
import { artifactState, locateOwned, readArtifacts } from './mlflowArtifacts.ts';
import { createMetricReader } from './mlflowMetrics.ts';
import { keyValues, type MlflowTables, type Row, textOrNull } from './mlflowTables.ts';
import { type ReadOptions, stateDigest } from './reader.ts';
import { omission } from './tracker/omission.ts';

const runColumns = [
  'run_uuid',
  'name',
  'user_id',
  'status',
  'start_time',
  'end_time',
  'deleted_time',
  'lifecycle_stage',
  'artifact_uri',
  'experiment_id',
  'source_name',
  'entry_point_name',
  'source_version',
];
const statuses: ReadonlySet<string> = new Set(['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED']);

/** Yields the runs that look otherwise than when they were last imported. */
export async function* readRuns(
  tables: MlflowTables,
  rules: LocationRules,
  options: ReadOptions,
): AsyncIterable<ImportRecord> {
  const deletedExperiments = new Set(
    tables
      .rows('experiments', ['experiment_id'], ["lifecycle_stage = 'deleted'"])
      .map(({ experiment_id }) => experiment_id),
  );
  const parameters = survey(tables, 'params', 'run_uuid', ['key', 'value']);
  const tags = survey(tables, 'tags', 'run_uuid', ['key', 'value']);
  const inputs = survey(tables, 'inputs', 'destination_id', ['source_id', 'destination_type']);
  const outputs = survey(tables, 'inputs', 'source_id', ['destination_id', 'source_type', 'step']);
  const metrics = createMetricReader(tables, options.offsets);
  const total = tables.count('runs');
  let done = 0;
  for (const rows of tables.pages('runs', runColumns)) {
    for (const row of rows) {
      done += 1;
      const runId = String(row.run_uuid);
      const fields = [row, parameters.get(runId), tags.get(runId), inputs.get(runId), outputs.get(runId)];
      const stored = stateDigest(JSON.stringify([fields, metrics.last(runId)]));
      const key = `run/${runId}`;
      const before = options.known.get(key);
      // Files come without a trace in the database; while it is watched, the end of a run brings them in.
      if (options.changed !== null && before?.startsWith(`${stored}:`) && row.status !== 'RUNNING') continue;
      const tail = [String(row.experiment_id), runId, 'artifacts'];
      const location = locateOwned(String(row.artifact_uri ?? ''), tail, rules);
      const state = `${stored}:${artifactState(location)}`;
      if (before === state) continue;
      yield { type: 'progress', done, total, message: String(row.name ?? runId) };
      const run = toRun(tables, row, deletedExperiments.has(row.experiment_id ?? null), location);
      yield* problemsOf(row);
      yield run;
      yield* metrics.read(runId);
      yield* readArtifacts({ type: 'run', id: runId }, location, tail, `run ${runId}/artifacts`);
      yield { type: 'part', key, state, runId };
    }
  }
  metrics.endReading();
}

/** A digest over the rows of each value of a column, in one go over the table. */
export function survey(
  tables: MlflowTables,
  table: string,
  by: string,
  columns: readonly string[],
): ReadonlyMap<string, number> {
  const digests = new Map<string, number>();
  for (const rows of tables.pages(table, [by, ...columns])) {
    for (const row of rows) {
      const subject = String(row[by]);
      const text = columns.map((column) => String(row[column])).join('\0');
      digests.set(subject, ((digests.get(subject) ?? 0) + hashOf(text)) % Number.MAX_SAFE_INTEGER);
    }
  }
  return digests;
}

/** FNV-1a, twice, as one number of 53 bits. */
function hashOf(text: string): number {
  let one = 0x811c9dc5;
  let other = 0x01000193;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    one = Math.imul(one ^ code, 0x01000193);
    other = Math.imul(other ^ (code + 0x9e37), 0x85ebca6b);
  }
  return (one >>> 0) * 2 ** 21 + (other >>> 11);
}

function toRun(tables: MlflowTables, row: Row, inDeleted: boolean, location: ArtifactLocation): ImportedRun {
  const runId = String(row.run_uuid);
  const tags = keyValues(tables.rows('tags', ['key', 'value'], [tables.equals('tags', 'run_uuid'), runId]));
  const status = String(row.status ?? 'RUNNING');
  const endTime = row.end_time === null ? null : Number(row.end_time);
  return {
    type: 'run',
    runId,
    experimentId: String(row.experiment_id),
    name: String(row.name ?? ''),
    userId: String(row.user_id ?? tags.find(({ key }) => key === 'mlflow.user')?.value ?? ''),
    status: isStatus(status) ? status : 'FAILED',
    startTime: Number(row.start_time ?? endTime ?? 0),
    endTime,
    lifecycleStage: inDeleted || row.lifecycle_stage === 'deleted' ? 'deleted' : 'active',
    deletedTime: row.deleted_time === null ? null : Number(row.deleted_time),
    parameters: keyValues(
      tables.rows('params', ['key', 'value'], [tables.equals('params', 'run_uuid'), runId]),
    ),
    tags: withLegacyTags(tags, row),
    datasets: datasetsOf(tables, runId),
    modelInputs: tables
      .rows('inputs', ['destination_id'], ["source_type = 'RUN_INPUT' AND source_id = ?", runId])
      .map(({ destination_id }) => String(destination_id)),
    modelOutputs: tables
      .rows('inputs', ['destination_id', 'step'], ["source_type = 'RUN_OUTPUT' AND source_id = ?", runId])
      .map(({ destination_id, step }) => ({ modelId: String(destination_id), step: Number(step ?? 0) })),
    artifactUri: location.kind === 'remote' ? location.uri : null,
  };
}

function* problemsOf(row: Row): Iterable<ImportRecord> {
  const status = String(row.status ?? 'RUNNING');
  if (isStatus(status)) return;
  const detail = `unknown status ${status}; the run was taken as FAILED`;
  yield omission(`run ${row.run_uuid}/status`, 'invalidValue', { detail });
}

function isStatus(status: string): status is RunStatus {
  return statuses.has(status);
}

/** Before 2019, what tags say today stood in columns. */
function withLegacyTags(tags: readonly KeyValue[], row: Row): readonly KeyValue[] {
  const legacy = [
    ['mlflow.source.name', row.source_name],
    ['mlflow.project.entryPoint', row.entry_point_name],
    ['mlflow.source.git.commit', row.source_version],
  ] as const;
  return [
    ...tags,
    ...legacy.flatMap(([key, value]) =>
      value && !tags.some((tag) => tag.key === key) ? [{ key, value: String(value) }] : [],
    ),
  ];
}

function datasetsOf(tables: MlflowTables, runId: string): readonly ImportedDataset[] {
  const inputs = tables.rows(
    'inputs',
    ['input_uuid', 'source_id'],
    ["source_type = 'DATASET' AND destination_type = 'RUN' AND destination_id = ?", runId],
  );
  const columns = [
    'name',
    'digest',
    'dataset_source_type',
    'dataset_source',
    'dataset_schema',
    'dataset_profile',
  ];
  return inputs.flatMap((input) => {
    const tags = tables.rows('input_tags', ['name', 'value'], ['input_uuid = ?', input.input_uuid ?? null]);
    return tables.rows('datasets', columns, ['dataset_uuid = ?', input.source_id ?? null]).map((dataset) => ({
      name: String(dataset.name),
      digest: String(dataset.digest),
      sourceType: String(dataset.dataset_source_type ?? ''),
      source: String(dataset.dataset_source ?? ''),
      schema: textOrNull(dataset.dataset_schema),
      profile: textOrNull(dataset.dataset_profile),
      tags: tags.map(({ name, value }) => ({ key: String(name), value: String(value ?? '') })),
    }));
  });
}
