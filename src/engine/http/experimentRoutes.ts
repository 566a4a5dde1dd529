import { SlipwayError } from '../../protocol/errors.ts';
import type { TrackingService } from '../tracking/service.ts';
import type { DatasetSummary, Experiment } from '../tracking/types.ts';
import { type DialectRoutes, encodeList, encodeText, type RpcHandler } from './dialect.ts';
import { readKeyValues, readMaxResults, viewTypes } from './readings.ts';

/** Experiments: create, read, search, change, delete and restore. */
export function registerExperimentRoutes(
  routes: DialectRoutes,
  { tracking }: { readonly tracking: TrackingService },
): void {
  routes.rpc('POST', '/mlflow/experiments/create', (message) => ({
    experiment_id: tracking.createExperiment({
      name: message.requiredText('name'),
      artifactLocation: message.text('artifact_location'),
      tags: readKeyValues(message, 'tags'),
    }),
  }));
  routes.rpc('GET', '/mlflow/experiments/get', (message) => ({
    experiment: encodeExperiment(tracking.experiment(message.requiredText('experiment_id'))),
  }));
  routes.rpc('GET', '/mlflow/experiments/get-by-name', (message) => ({
    experiment: encodeExperiment(tracking.experimentByName(message.requiredText('experiment_name'))),
  }));
  const search: RpcHandler = (message) => {
    const { items, nextPageToken } = tracking.searchExperiments({
      filter: message.text('filter') ?? '',
      orderBy: message.texts('order_by'),
      maxResults: readMaxResults(message, null, 50_000),
      pageToken: message.text('page_token') ?? '',
      viewType: message.choice('view_type', viewTypes) ?? 'ACTIVE_ONLY',
    });
    return {
      experiments: encodeList(items.map(encodeExperiment)),
      next_page_token: encodeText(nextPageToken),
    };
  };
  routes.rpc('POST', '/mlflow/experiments/search', search);
  routes.rpc('GET', '/mlflow/experiments/search', search);
  routes.rpc('POST', '/mlflow/experiments/update', (message) => {
    const name = message.text('new_name');
    const experimentId = message.requiredText('experiment_id');
    if (name) tracking.renameExperiment(experimentId, name);
    return {};
  });
  routes.rpc('POST', '/mlflow/experiments/delete', (message) => {
    tracking.deleteExperiment(message.requiredText('experiment_id'));
    return {};
  });
  routes.rpc('POST', '/mlflow/experiments/restore', (message) => {
    tracking.restoreExperiment(message.requiredText('experiment_id'));
    return {};
  });
  routes.rpc('POST', '/mlflow/experiments/set-experiment-tag', (message) => {
    tracking.setExperimentTag(
      message.requiredText('experiment_id'),
      message.requiredText('key'),
      message.text('value') ?? '',
    );
    return {};
  });
  routes.rpc('POST', '/mlflow/experiments/delete-experiment-tag', (message) => {
    tracking.deleteExperimentTag(message.requiredText('experiment_id'), message.requiredText('key'));
    return {};
  });
  routes.rpc('POST', '/mlflow/experiments/search-datasets', (message) => {
    const experimentIds = message.texts('experiment_ids');
    if (experimentIds.length === 0) throw invalidSearch('must specify at least one experiment_id.');
    if (experimentIds.length > mostExperiments) {
      throw invalidSearch(
        `cannot specify more than ${mostExperiments} experiment_ids. Received ${experimentIds.length} experiment_ids.`,
      );
    }
    return { dataset_summaries: encodeList(tracking.searchDatasets(experimentIds).map(encodeSummary)) };
  });
}

/** Of `search-datasets`, in one request. */
const mostExperiments = 20;

function invalidSearch(problem: string): SlipwayError {
  return new SlipwayError('invalidParameter', { detail: `SearchDatasets request ${problem}` });
}

function encodeSummary({ experimentId, name, digest, context }: DatasetSummary): object {
  return { experiment_id: experimentId, name, digest, context: encodeText(context) };
}

function encodeExperiment(experiment: Experiment): object {
  return {
    experiment_id: experiment.experimentId,
    name: experiment.name,
    artifact_location: experiment.artifactLocation,
    lifecycle_stage: experiment.lifecycleStage,
    last_update_time: experiment.lastUpdateTime,
    creation_time: experiment.creationTime,
    tags: encodeList(experiment.tags),
  };
}
