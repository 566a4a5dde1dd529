import { join } from 'node:path';
import type { ImportedLoggedModel, ImportedModelMetrics, ImportRecord } from '../../protocol/importing.ts';
import type { LocationRules } from './artifactLocation.ts';
import { numberOf, textOf } from './flatYaml.ts';
import { filesBelow, readKeyedFiles } from './keyedFiles.ts';
import { readMetricLines } from './metricLines.ts';
import { locateOwned, readArtifacts } from './mlrunsArtifacts.ts';
import { type ExperimentFolder, nameOf, readMeta } from './mlrunsLayout.ts';
import { omission } from './tracker/omission.ts';

/** As MLflow's file store writes them (LoggedModelStatus in service.proto). */
const statuses: Readonly<Record<string, ImportedLoggedModel['status']>> = {
  '0': 'LOGGED_MODEL_PENDING',
  '1': 'LOGGED_MODEL_PENDING',
  '2': 'LOGGED_MODEL_READY',
  '3': 'LOGGED_MODEL_UPLOAD_FAILED',
  PENDING: 'LOGGED_MODEL_PENDING',
  READY: 'LOGGED_MODEL_READY',
  FAILED: 'LOGGED_MODEL_UPLOAD_FAILED',
};

const metricsInChunk = 1000;

/** Yields a logged model of MLflow 3 with its metrics and artifacts. Gives false when its `meta.yaml` cannot be read. */
export async function* readLoggedModel(
  experiment: ExperimentFolder,
  folder: string,
  rules: LocationRules,
): AsyncGenerator<ImportRecord, boolean> {
  const modelId = nameOf(folder);
  const subject = `logged model ${modelId}`;
  const read = readMeta(folder);
  if ('problem' in read) {
    yield omission(`${subject}/meta.yaml`, 'unreadable', { detail: read.problem });
    return false;
  }
  const { meta } = read;
  if (textOf(meta, 'model_id') !== modelId) {
    const detail = `its model_id is ${textOf(meta, 'model_id') ?? 'not there'}`;
    yield omission(`${subject}/meta.yaml`, 'unreadable', { detail });
    return false;
  }
  const parameters = readKeyedFiles(join(folder, 'params'), `${subject}/params`);
  const tags = readKeyedFiles(join(folder, 'tags'), `${subject}/tags`);
  yield* parameters.omissions;
  yield* tags.omissions;
  const uri = textOf(meta, 'artifact_location') ?? textOf(meta, 'artifact_uri');
  const location = locateOwned(folder, [experiment.id, 'models', modelId, 'artifacts'], uri, rules);
  const creationTime = numberOf(meta, 'creation_timestamp') ?? 0;
  const deleted = experiment.inTrash || textOf(meta, 'lifecycle_stage') === 'deleted';
  yield {
    type: 'loggedModel',
    modelId,
    experimentId: experiment.id,
    name: textOf(meta, 'name') ?? '',
    modelType: textOf(meta, 'model_type') ?? '',
    status: statuses[textOf(meta, 'status') ?? '0'] ?? 'LOGGED_MODEL_PENDING',
    statusMessage: textOf(meta, 'status_message') ?? '',
    sourceRunId: textOf(meta, 'source_run_id'),
    creationTime,
    lastUpdateTime: numberOf(meta, 'last_updated_timestamp') ?? creationTime,
    lifecycleStage: deleted ? 'deleted' : 'active',
    parameters: parameters.values,
    tags: tags.values,
    artifactUri: location.kind === 'remote' ? location.uri : null,
  };
  yield* readMetrics(folder, modelId, subject);
  yield* readArtifacts({ type: 'loggedModel', id: modelId }, folder, location, subject);
  return true;
}

function* readMetrics(folder: string, modelId: string, subject: string): Iterable<ImportRecord> {
  const metrics = join(folder, 'metrics');
  let chunk: ImportedModelMetrics['metrics'][number][] = [];
  for (const key of filesBelow(metrics)) {
    for (const { number, line } of readMetricLines(join(metrics, key), 0, true, true)) {
      if (line === null) {
        const detail = 'it is not "timestamp value step run"';
        yield omission(`${subject}/metrics/${key} line ${number}`, 'unreadable', { detail });
        continue;
      }
      chunk.push({ key, ...line });
      if (chunk.length < metricsInChunk) continue;
      yield { type: 'modelMetrics', modelId, metrics: chunk };
      chunk = [];
    }
  }
  if (chunk.length > 0) yield { type: 'modelMetrics', modelId, metrics: chunk };
}
