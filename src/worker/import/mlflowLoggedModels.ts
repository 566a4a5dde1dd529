import type { ImportedLoggedModel, ImportedModelMetrics, ImportRecord } from '../../protocol/importing.ts';
import type { LocationRules } from './artifactLocation.ts';
import { artifactState, locateOwned, readArtifacts } from './mlflowArtifacts.ts';
import { integerOf, metricValue } from './mlflowMetrics.ts';
import { survey } from './mlflowRuns.ts';
import type { MlflowTables } from './mlflowTables.ts';
import { type ReadOptions, stateDigest } from './reader.ts';

const columns = [
  'model_id',
  'experiment_id',
  'name',
  'artifact_location',
  'creation_timestamp_ms',
  'last_updated_timestamp_ms',
  'status',
  'lifecycle_stage',
  'model_type',
  'source_run_id',
  'status_message',
];
/** LoggedModelStatus in service.proto. */
const statuses: readonly ImportedLoggedModel['status'][] = [
  'LOGGED_MODEL_PENDING',
  'LOGGED_MODEL_PENDING',
  'LOGGED_MODEL_READY',
  'LOGGED_MODEL_UPLOAD_FAILED',
];

/** Yields the logged models that look otherwise than when they were last imported. */
export async function* readLoggedModels(
  tables: MlflowTables,
  rules: LocationRules,
  options: ReadOptions,
): AsyncIterable<ImportRecord> {
  const parameters = survey(tables, 'logged_model_params', 'model_id', ['param_key', 'param_value']);
  const tags = survey(tables, 'logged_model_tags', 'model_id', ['tag_key', 'tag_value']);
  const metrics = survey(tables, 'logged_model_metrics', 'model_id', [
    'metric_name',
    'metric_value',
    'metric_step',
    'metric_timestamp_ms',
    'run_id',
  ]);
  for (const rows of tables.pages('logged_models', columns)) {
    for (const row of rows) {
      const modelId = String(row.model_id);
      const tail = [String(row.experiment_id), 'models', modelId, 'artifacts'];
      const location = locateOwned(String(row.artifact_location ?? ''), tail, rules);
      const fields = [row, parameters.get(modelId), tags.get(modelId), metrics.get(modelId)];
      const state = `${stateDigest(JSON.stringify(fields))}:${artifactState(location)}`;
      const key = `loggedModel/${modelId}`;
      if (options.known.get(key) === state) continue;
      yield {
        type: 'loggedModel',
        modelId,
        experimentId: String(row.experiment_id),
        name: String(row.name ?? ''),
        modelType: String(row.model_type ?? ''),
        status: statuses[Number(row.status ?? 0)] ?? 'LOGGED_MODEL_PENDING',
        statusMessage: String(row.status_message ?? ''),
        sourceRunId: row.source_run_id === null ? null : String(row.source_run_id),
        creationTime: Number(row.creation_timestamp_ms ?? 0),
        lastUpdateTime: Number(row.last_updated_timestamp_ms ?? 0),
        lifecycleStage: row.lifecycle_stage === 'deleted' ? 'deleted' : 'active',
        parameters: tables
          .rows('logged_model_params', ['param_key', 'param_value'], ['model_id = ?', modelId])
          .map(({ param_key, param_value }) => ({
            key: String(param_key),
            value: String(param_value ?? ''),
          })),
        tags: tables
          .rows('logged_model_tags', ['tag_key', 'tag_value'], ['model_id = ?', modelId])
          .map(({ tag_key, tag_value }) => ({ key: String(tag_key), value: String(tag_value ?? '') })),
        artifactUri: location.kind === 'remote' ? location.uri : null,
      };
      yield* readMetrics(tables, modelId);
      const subject = `logged model ${modelId}/artifacts`;
      yield* readArtifacts({ type: 'loggedModel', id: modelId }, location, tail, subject);
      yield { type: 'part', key, state, runId: null };
    }
  }
}

function* readMetrics(tables: MlflowTables, modelId: string): Iterable<ImportedModelMetrics> {
  const wanted = [
    'metric_name',
    'metric_timestamp_ms',
    'metric_step',
    'metric_value',
    'run_id',
    'dataset_name',
    'dataset_digest',
  ];
  for (const rows of tables.pages('logged_model_metrics', wanted, ['model_id = ?', modelId])) {
    yield {
      type: 'modelMetrics',
      modelId,
      metrics: rows.map((row) => ({
        key: String(row.metric_name),
        value: metricValue({ value: row.metric_value ?? null }),
        timestamp: integerOf(row.metric_timestamp_ms),
        step: integerOf(row.metric_step),
        runId: String(row.run_id),
        datasetName: String(row.dataset_name ?? ''),
        datasetDigest: String(row.dataset_digest ?? ''),
      })),
    };
  }
}
