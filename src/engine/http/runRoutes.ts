import type { RunStatus } from '../../protocol/tracking.ts';
import type { ProvenanceService } from '../provenance/service.ts';
import type { TrackingService } from '../tracking/service.ts';
import type { DatasetLink, Run, RunInfo } from '../tracking/types.ts';
import { type DialectRoutes, encodeInt64, encodeList, encodeText } from './dialect.ts';
import { type Message, missingParameter } from './message.ts';
import { encodeMetric } from './metricHistory.ts';
import { programOf } from './provenanceRoutes.ts';
import { readKeyValues, readMaxResults, readRunId, viewTypes } from './readings.ts';

const statusNumbers: Readonly<Record<RunStatus, number>> = {
  RUNNING: 1,
  SCHEDULED: 2,
  FINISHED: 3,
  FAILED: 4,
  KILLED: 5,
};

/** Runs: create, read, search, change, delete and restore; their tags, inputs and outputs. */
export function registerRunRoutes(
  routes: DialectRoutes,
  options: {
    readonly tracking: TrackingService;
    readonly provenance: Pick<ProvenanceService, 'runCreated' | 'inputsLogged'>;
  },
): void {
  const { tracking, provenance } = options;
  routes.rpc('POST', '/mlflow/runs/create', (message, request) => {
    const run = tracking.createRun({
      experimentId: message.requiredText('experiment_id'),
      userId: message.text('user_id') ?? '',
      name: message.text('run_name') ?? '',
      startTime: message.integer('start_time'),
      tags: readKeyValues(message, 'tags'),
    });
    const program = programOf(request);
    if (program !== null) provenance.runCreated(run.info.runId, program);
    // As MLflow answers: what a run has put out is told once it can have put out something.
    return { run: { ...encodeRun(run), outputs: undefined } };
  });
  routes.rpc('GET', '/mlflow/runs/get', (message) => ({
    run: encodeRun(tracking.wholeRun(readRunId(message))),
  }));
  routes.rpc('POST', '/mlflow/runs/update', (message) => ({
    run_info: encodeRunInfo(
      tracking.updateRun(readRunId(message), {
        status: message.choice('status', statusNumbers),
        endTime: message.integer('end_time'),
        name: message.text('run_name'),
      }),
    ),
  }));
  routes.rpc('POST', '/mlflow/runs/search', (message) => {
    const { items, nextPageToken } = tracking.searchRuns({
      experimentIds: message.texts('experiment_ids'),
      filter: message.text('filter') ?? '',
      orderBy: message.texts('order_by'),
      maxResults: readMaxResults(message, 1000, 50_000),
      pageToken: message.text('page_token') ?? '',
      viewType: message.choice('run_view_type', viewTypes) ?? 'ACTIVE_ONLY',
    });
    return { runs: encodeList(items.map(encodeRun)), next_page_token: encodeText(nextPageToken) };
  });
  routes.rpc('POST', '/mlflow/runs/delete', (message) => {
    tracking.deleteRun(readRunId(message));
    return {};
  });
  routes.rpc('POST', '/mlflow/runs/restore', (message) => {
    tracking.restoreRun(readRunId(message));
    return {};
  });
  routes.rpc('POST', '/mlflow/runs/set-tag', (message) => {
    tracking.setTag(readRunId(message), message.requiredText('key'), message.text('value') ?? '');
    return {};
  });
  routes.rpc('POST', '/mlflow/runs/delete-tag', (message) => {
    tracking.deleteTag(readRunId(message), message.requiredText('key'));
    return {};
  });
  routes.rpc('POST', '/mlflow/runs/log-inputs', (message) => {
    const runId = readRunId(message);
    tracking.logInputs(
      runId,
      message.messages('datasets').map(readDatasetLink),
      message.messages('models').map((model) => model.requiredText('model_id')),
    );
    provenance.inputsLogged(runId);
    return {};
  });
  routes.rpc('POST', '/mlflow/runs/outputs', (message) => {
    const models = message.messages('models').map((model) => ({
      modelId: model.requiredText('model_id'),
      step: model.int64('step') ?? 0,
    }));
    tracking.logOutputs(readRunId(message), models);
    return {};
  });
  routes.rpc('POST', '/mlflow/runs/log-model', (message) => {
    tracking.logModelHistory(readRunId(message), message.requiredText('model_json'));
    return {};
  });
}

function readDatasetLink(link: Message): DatasetLink {
  const dataset = link.message('dataset');
  if (!dataset) throw missingParameter('dataset');
  return {
    tags: readKeyValues(link, 'tags'),
    dataset: {
      name: dataset.requiredText('name'),
      digest: dataset.requiredText('digest'),
      sourceType: dataset.requiredText('source_type'),
      source: dataset.requiredText('source'),
      schema: dataset.text('schema') ?? null,
      profile: dataset.text('profile') ?? null,
    },
  };
}

function encodeRunInfo(info: RunInfo): object {
  return {
    run_uuid: info.runId,
    experiment_id: info.experimentId,
    run_name: info.name,
    user_id: info.userId,
    status: info.status,
    start_time: info.startTime,
    end_time: info.endTime ?? undefined,
    artifact_uri: info.artifactUri,
    lifecycle_stage: info.lifecycleStage,
    run_id: info.runId,
  };
}

function encodeRun(run: Run): object {
  return {
    info: encodeRunInfo(run.info),
    data: {
      metrics: encodeList(run.metrics.map(encodeMetric)),
      params: encodeList(run.parameters),
      tags: encodeList(run.tags),
    },
    inputs: {
      dataset_inputs: encodeList(run.datasets.map(encodeDatasetLink)),
      model_inputs: encodeList(run.modelInputs.map((modelId) => ({ model_id: modelId }))),
    },
    outputs: {
      model_outputs: encodeList(
        run.modelOutputs.map(({ modelId, step }) => ({ model_id: modelId, step: encodeInt64(step) })),
      ),
    },
  };
}

function encodeDatasetLink({ dataset, tags }: DatasetLink): object {
  return {
    tags: encodeList(tags),
    dataset: {
      name: dataset.name,
      digest: dataset.digest,
      source_type: dataset.sourceType,
      source: dataset.source,
      schema: encodeText(dataset.schema),
      profile: encodeText(dataset.profile),
    },
  };
}
