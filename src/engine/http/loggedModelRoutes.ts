import type { TrackingService } from '../tracking/service.ts';
import type { LoggedModelData, LoggedModelStatus, ModelMetric } from '../tracking/types.ts';
import { type DialectRoutes, encodeList, encodeText } from './dialect.ts';
import { type Message, missingParameter } from './message.ts';
import { encodeMetric } from './metricHistory.ts';
import { readKeyValues, readMaxResults } from './readings.ts';

const statusNumbers: Readonly<Record<LoggedModelStatus, number>> = {
  LOGGED_MODEL_PENDING: 1,
  LOGGED_MODEL_READY: 2,
  LOGGED_MODEL_UPLOAD_FAILED: 3,
};

/** Logged models: create, read, search, finish, delete; their tags and parameters. */
export function registerLoggedModelRoutes(
  routes: DialectRoutes,
  { tracking }: { readonly tracking: TrackingService },
): void {
  const path = '/mlflow/logged-models';
  const modelIdOf = (message: Message) => message.requiredText('model_id');

  routes.rpc('POST', path, (message) => ({
    model: encodeModel(
      tracking.createLoggedModel({
        experimentId: message.requiredText('experiment_id'),
        name: message.text('name') ?? '',
        modelType: message.text('model_type') ?? '',
        sourceRunId: message.text('source_run_id'),
        tags: readKeyValues(message, 'tags'),
        parameters: readKeyValues(message, 'params'),
      }),
    ),
  }));
  routes.rpc('POST', `${path}/search`, (message) => {
    const { items, nextPageToken } = tracking.searchLoggedModels({
      experimentIds: message.texts('experiment_ids'),
      filter: message.text('filter') ?? '',
      datasets: message.messages('datasets').map((dataset) => ({
        name: dataset.requiredText('dataset_name'),
        digest: dataset.text('dataset_digest') ?? null,
      })),
      orderBy: message.messages('order_by').map((ordering) => ({
        field: ordering.requiredText('field_name'),
        ascending: ordering.flag('ascending') ?? true,
        datasetName: ordering.text('dataset_name') ?? null,
        datasetDigest: ordering.text('dataset_digest') ?? null,
      })),
      maxResults: readMaxResults(message, 50, 50_000),
      pageToken: message.text('page_token') ?? '',
    });
    return { models: encodeList(items.map(encodeModel)), next_page_token: encodeText(nextPageToken) };
  });
  routes.rpc('GET', `${path}/{model_id}`, (message) => {
    const allowDeleted = message.flag('allow_deleted') ?? false;
    return { model: encodeModel(tracking.loggedModelData(modelIdOf(message), { allowDeleted })) };
  });
  routes.rpc('PATCH', `${path}/{model_id}`, (message) => {
    const status = message.choice('status', statusNumbers);
    if (!status) throw missingParameter('status');
    return { model: encodeModel(tracking.finalizeLoggedModel(modelIdOf(message), status)) };
  });
  routes.rpc('DELETE', `${path}/{model_id}`, (message) => {
    tracking.deleteLoggedModel(modelIdOf(message));
    return {};
  });
  routes.rpc('PATCH', `${path}/{model_id}/tags`, (message) => {
    tracking.setLoggedModelTags(modelIdOf(message), readKeyValues(message, 'tags'));
    return {};
  });
  routes.rpc('DELETE', `${path}/{model_id}/tags/{tag_key}`, (message) => {
    tracking.deleteLoggedModelTag(modelIdOf(message), message.requiredText('tag_key'));
    return {};
  });
  routes.rpc('POST', `${path}/{model_id}/params`, (message) => {
    tracking.logLoggedModelParameters(modelIdOf(message), readKeyValues(message, 'params'));
    return {};
  });
}

function encodeModel({ model, tags, parameters, metrics }: LoggedModelData): object {
  return {
    info: {
      model_id: model.modelId,
      experiment_id: model.experimentId,
      name: model.name,
      creation_timestamp_ms: model.creationTime,
      last_updated_timestamp_ms: model.lastUpdateTime,
      artifact_uri: model.artifactUri,
      status: model.status,
      model_type: model.modelType,
      source_run_id: model.sourceRunId ?? '',
      status_message: encodeText(model.statusMessage),
      tags: encodeList(tags),
    },
    data: {
      params: encodeList(parameters),
      metrics: encodeList(metrics.map((metric) => encodeModelMetric(metric, model.modelId))),
    },
  };
}

function encodeModelMetric(metric: ModelMetric, modelId: string): object {
  return {
    ...encodeMetric(metric),
    dataset_name: encodeText(metric.datasetName),
    dataset_digest: encodeText(metric.datasetDigest),
    model_id: modelId,
    run_id: metric.runId,
  };
}
