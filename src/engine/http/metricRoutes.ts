import { SlipwayError } from '../../protocol/errors.ts';
import type { TrackingService } from '../tracking/service.ts';
import type { Metric, MetricToLog } from '../tracking/types.ts';
import { type DialectRoutes, encodeDouble, encodeList, encodeText } from './dialect.ts';
import { isFields, type Message, missingParameter, readDouble, readInteger } from './message.ts';
import { readKeyValues, readMaxResults, readRunId } from './readings.ts';

/** What a run logs while it trains: metrics and parameters, one by one or in batches; and metric histories. */
export function registerMetricRoutes(
  routes: DialectRoutes,
  { tracking }: { readonly tracking: TrackingService },
): void {
  routes.rpc('POST', '/mlflow/runs/log-metric', (message) => {
    tracking.logMetric(readRunId(message), {
      key: message.requiredText('key'),
      value: message.requiredDouble('value'),
      timestamp: message.requiredInteger('timestamp'),
      step: message.integer('step') ?? 0,
      modelId: message.text('model_id'),
      datasetName: message.text('dataset_name'),
      datasetDigest: message.text('dataset_digest'),
    });
    return {};
  });
  routes.rpc('POST', '/mlflow/runs/log-parameter', (message) => {
    tracking.logParameter(readRunId(message), message.requiredText('key'), message.text('value') ?? '');
    return {};
  });
  routes.rpc('POST', '/mlflow/runs/log-batch', (message) => {
    tracking.logBatch(readRunId(message), {
      metrics: readMetrics(message.fields.metrics),
      parameters: readKeyValues(message, 'params'),
      tags: readKeyValues(message, 'tags'),
    });
    return {};
  });
  routes.rpc('GET', '/mlflow/metrics/get-history', (message) => {
    const maxResults = message.has('max_results') ? readMaxResults(message, null, 1_000_000) : undefined;
    const { items, nextPageToken } = tracking.metricHistory({
      runId: readRunId(message),
      key: message.requiredText('metric_key'),
      maxResults,
      pageToken: message.text('page_token') ?? '',
    });
    return { metrics: encodeList(items.map(encodeMetric)), next_page_token: encodeText(nextPageToken) };
  });
  routes.rpc('GET', '/mlflow/metrics/get-history-bulk', (message) => {
    const found = tracking.metricHistoryOfRuns(
      readRunIds(message),
      message.requiredText('metric_key'),
      readMaxResults(message, 25_000, 25_000),
    );
    return { metrics: encodeList(found.map(encodeMetricOfRun)) };
  });
  routes.rpc('GET', '/mlflow/metrics/get-history-bulk-interval', (message) => {
    const found = tracking.metricSample({
      runIds: readRunIds(message),
      key: message.requiredText('metric_key'),
      steps: readSteps(message),
      maxResults: readMaxResults(message, 320, 2500),
    });
    return { metrics: encodeList(found.map(encodeMetricOfRun)) };
  });
}

/** The largest double, which MLflow keeps and tells in place of an infinity. */
const largest = Number.MAX_VALUE;

/** A metric as MLflow tells it: NaN as text, an infinity as the largest double. */
export function encodeMetric({ key, value, timestamp, step }: Metric): object {
  const finite = Math.abs(value) === Number.POSITIVE_INFINITY ? Math.sign(value) * largest : value;
  return { key, value: encodeDouble(finite), timestamp, step };
}

function encodeMetricOfRun(metric: Metric & { readonly runId: string }): object {
  return { ...encodeMetric(metric), run_id: metric.runId };
}

/**
 * Reads the metrics of a batch. They are by far the most frequent thing that is logged, so their fields are read
 * without a `Message` for each.
 */
function readMetrics(value: unknown): readonly MetricToLog[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw missingParameter('metrics');
  return value.map(readMetric);
}

function readMetric(fields: unknown, index: number): MetricToLog {
  if (!isFields(fields)) throw missingParameter(`metrics[${index}]`);
  const { key, value, timestamp, step } = fields;
  if (typeof key !== 'string') throw missingParameter(`metrics[${index}].name`);
  const number = typeof value === 'number' ? value : readDouble(value, `metrics[${index}].value`);
  if (number === undefined) throw missingParameter(`metrics[${index}].value`);
  const time = isWhole(timestamp) ? timestamp : readInteger(timestamp, `metrics[${index}].timestamp`);
  if (time === undefined) throw missingParameter(`metrics[${index}].timestamp`);
  const metric = {
    key,
    value: number,
    timestamp: time,
    step: isWhole(step) ? step : (readInteger(step, `metrics[${index}].step`) ?? 0),
  };
  const modelId = fields.model_id ?? fields.modelId;
  if (modelId === undefined) return metric;
  return {
    ...metric,
    modelId: readText(modelId),
    datasetName: readText(fields.dataset_name ?? fields.datasetName),
    datasetDigest: readText(fields.dataset_digest ?? fields.datasetDigest),
  };
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

function readText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function readRunIds(message: Message): readonly string[] {
  const runIds = message.texts(message.has('run_ids') ? 'run_ids' : 'run_id');
  if (runIds.length === 0) throw missingParameter('run_ids');
  if (runIds.length > 100) {
    throw new SlipwayError('invalidParameter', {
      detail: `GetMetricHistoryBulk request must specify at most 100 run_ids. Received ${runIds.length} run_ids.`,
    });
  }
  return runIds;
}

function readSteps(message: Message): { readonly from: number; readonly to: number } | null {
  const from = message.integer('start_step');
  const to = message.integer('end_step');
  if (from === undefined && to === undefined) return null;
  if (from !== undefined && to !== undefined && from <= to) return { from, to };
  throw new SlipwayError('invalidParameter', {
    detail:
      'If either start step or end step are specified, both must be, and start step must not be greater.',
  });
}
