import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { mlmodelText, type RegistryEngine } from './registryEngine.ts';

/** Ids of things that are there, for messages that name them. */
export interface Seeds {
  readonly experimentId: string;
  readonly runId: string;
  readonly modelId: string;
  readonly registeredModel: string;
  readonly artifact: string;
  readonly traceId: string;
  readonly assessmentId: string;
}

/** A message that its endpoint understands. */
export type ValidMessage = Readonly<Record<string, unknown>>;

/** Makes one of everything. */
export async function plantSeeds(engine: RegistryEngine): Promise<Seeds> {
  const { tracking, registry } = engine;
  const mark = crypto.randomUUID().slice(0, 8);
  const experimentId = tracking.createExperiment({ name: `fuzz ${mark}`, artifactLocation: '', tags: [] });
  const run = tracking.createRun({ experimentId, name: '', userId: 'ana', startTime: 1, tags: [] });
  const { runId, artifactUri } = run.info;
  tracking.logMetric(runId, { key: 'loss', value: 1, timestamp: 1, step: 1 });
  tracking.logParameter(runId, 'depth', '3');
  const { model } = tracking.createLoggedModel({
    experimentId,
    name: 'model',
    modelType: '',
    sourceRunId: runId,
    tags: [],
    parameters: [],
  });
  const { modelId } = model;
  const file = engine.artifacts.pathOf(model.artifactUri, 'MLmodel');
  await engine.artifacts.write(file, Readable.from([mlmodelText(modelId, runId)]));
  const registeredModel = `model ${mark}`;
  await registry.register({ name: registeredModel, runId, modelId });
  const artifact = engine.artifacts.pathOf(artifactUri, 'notes.txt');
  await engine.fetch(`/api/2.0/mlflow-artifacts/artifacts/${artifact}`, { method: 'PUT', body: 'notes' });
  const { traceId } = tracking.recordTrace({
    traceId: `tr-${mark}`,
    experimentId,
    requestTime: 1,
    executionDuration: 2,
    state: 'OK',
    clientRequestId: null,
    requestPreview: null,
    responsePreview: null,
    metadata: [],
    tags: [{ key: 'colour', value: 'blue' }],
    assessments: [],
  });
  const feedback = {
    name: 'right',
    kind: 'feedback',
    value: true,
    fields: { feedback: { value: true } },
  } as const;
  const { assessmentId } = tracking.createAssessment(traceId, feedback);
  return { experimentId, runId, modelId, registeredModel, artifact, traceId, assessmentId };
}

/**
 * A valid message for every endpoint of MLflow's dialect, by method and path below `/api/2.0` (or as it stands, for
 * those outside of it). Path parameters are among the fields; `*` stands for the rest of the path.
 */
export function validMessages(seeds: Seeds): Readonly<Record<string, ValidMessage>> {
  const { experimentId, runId, modelId, registeredModel: name, artifact, traceId, assessmentId } = seeds;
  const tag = { key: 'colour', value: 'blue' };
  const search = { filter: "tags.colour = 'blue'", max_results: 5, page_token: '' };
  const experiment = { experiment_id: experimentId };
  const run = { run_id: runId };
  const model = { model_id: modelId };
  const version = { name, version: '1' };
  const dataset = { name: 'wine', digest: 'abc', source_type: 'local', source: 'wine.csv' };
  const trace = {
    trace_id: traceId,
    trace_location: { type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: experimentId } },
    request_time: '2026-01-01T00:00:00Z',
    execution_duration: '1.5s',
    state: 'OK',
    trace_metadata: { 'mlflow.trace_schema.version': '3' },
    tags: { 'mlflow.traceName': 'predict' },
  };
  const assessment = { trace_id: trace.trace_id, assessment_id: assessmentId };
  return {
    'GET /mlflow/experiments/get': experiment,
    'GET /mlflow/experiments/get-by-name': { experiment_name: 'Default' },
    'POST /mlflow/experiments/create': { name: 'new', artifact_location: '', tags: [tag] },
    'GET /mlflow/experiments/search': { max_results: 5, order_by: ['name DESC'], view_type: 'ALL' },
    'POST /mlflow/experiments/search': { ...search, order_by: ['name DESC'], view_type: 'ALL' },
    'POST /mlflow/experiments/search-datasets': { experiment_ids: [experimentId] },
    'POST /mlflow/experiments/update': { ...experiment, new_name: 'renamed' },
    'POST /mlflow/experiments/delete': experiment,
    'POST /mlflow/experiments/restore': experiment,
    'POST /mlflow/experiments/set-experiment-tag': { ...experiment, ...tag },
    'POST /mlflow/experiments/delete-experiment-tag': { ...experiment, key: tag.key },
    'POST /mlflow/runs/create': {
      ...experiment,
      run_name: 'swift',
      start_time: 1,
      user_id: 'ana',
      tags: [tag],
    },
    'GET /mlflow/runs/get': run,
    'POST /mlflow/runs/update': { ...run, status: 'FINISHED', end_time: 2, run_name: 'swifter' },
    'POST /mlflow/runs/delete': run,
    'POST /mlflow/runs/restore': run,
    'POST /mlflow/runs/search': {
      ...search,
      experiment_ids: [experimentId],
      order_by: ['metrics.loss DESC'],
      run_view_type: 'ALL',
    },
    'POST /mlflow/runs/set-tag': { ...run, ...tag },
    'POST /mlflow/runs/delete-tag': { ...run, key: tag.key },
    'POST /mlflow/runs/log-metric': {
      ...run,
      key: 'loss',
      value: 0.5,
      timestamp: 2,
      step: 2,
      model_id: modelId,
    },
    'POST /mlflow/runs/log-parameter': { ...run, key: 'rate', value: '0.1' },
    'POST /mlflow/runs/log-batch': {
      ...run,
      metrics: [{ key: 'loss', value: 'NaN', timestamp: 3, step: 3, dataset_name: 'wine' }],
      params: [{ key: 'rate', value: '0.1' }],
      tags: [tag],
    },
    'POST /mlflow/runs/log-model': {
      ...run,
      model_json: '{"artifact_path": "model", "flavors": {}, "run_id": "r", "utc_time_created": "t"}',
    },
    'POST /mlflow/runs/log-inputs': {
      ...run,
      datasets: [{ dataset, tags: [{ key: 'mlflow.data.context', value: 'training' }] }],
      models: [model],
    },
    'POST /mlflow/runs/outputs': { ...run, models: [{ ...model, step: 1 }] },
    'GET /mlflow/metrics/get-history': { ...run, metric_key: 'loss', max_results: 10, page_token: '' },
    'GET /mlflow/metrics/get-history-bulk': { run_id: [runId], metric_key: 'loss', max_results: 10 },
    'GET /mlflow/metrics/get-history-bulk-interval': {
      run_ids: [runId],
      metric_key: 'loss',
      start_step: 0,
      end_step: 5,
      max_results: 10,
    },
    'GET /mlflow/artifacts/list': { ...run, path: '', page_token: '' },
    'POST /mlflow/artifacts/presigned-upload-url': { ...run, path: 'notes.txt' },
    'GET /mlflow-artifacts/artifacts': { path: experimentId },
    'GET /mlflow-artifacts/artifacts/*': { '*': artifact },
    'PUT /mlflow-artifacts/artifacts/*': { '*': artifact },
    'DELETE /mlflow-artifacts/artifacts/*': { '*': artifact },
    'POST /mlflow-artifacts/mpu/create/*': { '*': artifact, path: 'notes.txt', num_parts: 2 },
    'POST /mlflow-artifacts/mpu/complete/*': {
      '*': artifact,
      upload_id: 'u',
      parts: [{ part_number: 1, etag: 'e' }],
    },
    'POST /mlflow-artifacts/mpu/abort/*': { '*': artifact, upload_id: 'u' },
    'GET /mlflow-artifacts/presigned/*': { '*': artifact },
    'POST /mlflow/upload-artifact': { run_uuid: runId, path: 'notes.txt' },
    'GET /get-artifact': { ...run, path: 'notes.txt' },
    'GET /mlflow/get-trace-artifact': { request_id: traceId, path: 'image.png' },
    'GET /model-versions/get-artifact': { ...version, path: 'MLmodel' },
    'POST /mlflow/logged-models': {
      ...experiment,
      name: 'net',
      model_type: 'agent',
      source_run_id: runId,
      params: [{ key: 'depth', value: '3' }],
      tags: [tag],
    },
    'POST /mlflow/logged-models/search': {
      ...search,
      experiment_ids: [experimentId],
      datasets: [{ dataset_name: 'wine', dataset_digest: 'abc' }],
      order_by: [{ field_name: 'metrics.loss', ascending: false, dataset_name: 'wine' }],
    },
    'GET /mlflow/logged-models/{model_id}': { ...model, allow_deleted: true },
    'PATCH /mlflow/logged-models/{model_id}': { ...model, status: 'LOGGED_MODEL_READY' },
    'DELETE /mlflow/logged-models/{model_id}': model,
    'PATCH /mlflow/logged-models/{model_id}/tags': { ...model, tags: [tag] },
    'DELETE /mlflow/logged-models/{model_id}/tags/{tag_key}': { ...model, tag_key: tag.key },
    'POST /mlflow/logged-models/{model_id}/params': { ...model, params: [{ key: 'rate', value: '0.1' }] },
    'GET /mlflow/logged-models/{model_id}/artifacts/directories': { ...model, artifact_directory_path: '' },
    'GET /mlflow/logged-models/{model_id}/artifacts/files': { ...model, artifact_file_path: 'MLmodel' },
    'POST /mlflow/registered-models/create': { name: 'other', description: 'two', tags: [tag] },
    'GET /mlflow/registered-models/get': { name },
    'POST /mlflow/registered-models/rename': { name, new_name: 'another' },
    'PATCH /mlflow/registered-models/update': { name, description: 'three' },
    'DELETE /mlflow/registered-models/delete': { name },
    'GET /mlflow/registered-models/search': { ...search, filter: `name = '${name}'`, order_by: ['name ASC'] },
    'POST /mlflow/registered-models/get-latest-versions': { name, stages: ['None'] },
    'GET /mlflow/registered-models/get-latest-versions': { name, stages: ['None'] },
    'POST /mlflow/registered-models/set-tag': { name, ...tag },
    'DELETE /mlflow/registered-models/delete-tag': { name, key: tag.key },
    'POST /mlflow/registered-models/alias': { ...version, alias: 'champion' },
    'GET /mlflow/registered-models/alias': { name, alias: 'champion' },
    'DELETE /mlflow/registered-models/alias': { name, alias: 'champion' },
    'POST /mlflow/model-versions/create': {
      name,
      source: `models:/${modelId}`,
      run_id: runId,
      model_id: modelId,
      tags: [tag],
      description: 'four',
      run_link: '',
    },
    'GET /mlflow/model-versions/get': version,
    'PATCH /mlflow/model-versions/update': { ...version, description: 'five' },
    'POST /mlflow/model-versions/transition-stage': {
      ...version,
      stage: 'Staging',
      archive_existing_versions: true,
    },
    'DELETE /mlflow/model-versions/delete': version,
    'GET /mlflow/model-versions/search': {
      ...search,
      filter: `name = '${name}'`,
      order_by: ['version_number DESC'],
    },
    'GET /mlflow/model-versions/get-download-uri': version,
    'POST /mlflow/model-versions/set-tag': { ...version, ...tag },
    'DELETE /mlflow/model-versions/delete-tag': { ...version, key: tag.key },
    'GET /health': {},
    'GET /version': {},
    'GET /mlflow/server-info': {},
    'POST /mlflow/traces': {
      trace: { trace_info: trace },
      ...experiment,
      timestamp_ms: 1,
      request_metadata: [tag],
      tags: [tag],
    },
    'POST /mlflow/traces/search': {
      ...search,
      locations: [trace.trace_location],
      filter: "trace.status = 'OK'",
      order_by: ['timestamp_ms DESC'],
    },
    'GET /mlflow/traces': { ...search, experiment_ids: [experimentId], filter: "status = 'OK'" },
    'GET /mlflow/traces/get': { trace_id: trace.trace_id },
    'GET /mlflow/traces/batchGet': { trace_ids: [trace.trace_id] },
    'POST /mlflow/traces/batchGetInfos': { trace_ids: [trace.trace_id] },
    'GET /mlflow/traces/{trace_id}': { trace_id: trace.trace_id },
    'PATCH /mlflow/traces/{request_id}': { request_id: trace.trace_id, timestamp_ms: 5, status: 'OK' },
    'GET /mlflow/traces/{request_id}/info': { request_id: trace.trace_id },
    'PATCH /mlflow/traces/{trace_id}/tags': { trace_id: trace.trace_id, ...tag },
    'DELETE /mlflow/traces/{trace_id}/tags': { trace_id: trace.trace_id, key: tag.key },
    'PATCH /mlflow/traces/{request_id}/tags': { request_id: trace.trace_id, ...tag },
    'DELETE /mlflow/traces/{request_id}/tags': { request_id: trace.trace_id, key: tag.key },
    'POST /mlflow/traces/delete-traces': { ...experiment, request_ids: [trace.trace_id] },
    'POST /mlflow/traces/link-to-run': { ...run, trace_ids: [trace.trace_id] },
    'POST /mlflow/traces/link-prompts': { trace_id: trace.trace_id, prompt_versions: [version] },
    'POST /mlflow/traces/{trace_id}/assessments': {
      trace_id: trace.trace_id,
      assessment: {
        assessment_name: 'right',
        feedback: { value: true },
        rationale: 'seen',
        metadata: { k: 'v' },
        overrides: assessmentId,
      },
    },
    'GET /mlflow/traces/{trace_id}/assessments/{assessment_id}': { ...assessment },
    'PATCH /mlflow/traces/{trace_id}/assessments/{assessment_id}': {
      ...assessment,
      assessment: { feedback: { value: 0.5 }, metadata: { k: 'w' } },
      update_mask: 'feedback,metadata',
    },
    'DELETE /mlflow/traces/{trace_id}/assessments/{assessment_id}': { ...assessment },
    'POST /slipway/programs': {
      program: crypto.randomUUID().replaceAll('-', ''),
      kind: 'script',
      entry_point: '/work/train.py',
      command: ['python', 'train.py', '--token', 'hidden'],
      folder: tmpdir(),
      python_version: '3.11.7',
      python_implementation: 'CPython',
      python_executable: '/usr/bin/python3',
      search_path: [tmpdir()],
      prefix: '/usr',
    },
  };
}
