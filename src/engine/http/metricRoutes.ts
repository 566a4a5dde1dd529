import type { SlipwayError } from '../../protocol/errors.ts';
import { invalid } from '../tracking/limits.ts';
import type { TrackingService } from '../tracking/service.ts';
import type { Metric, MetricToLog } from '../tracking/types.ts';
import { type DialectRoutes, encodeList, queryOf } from './dialect.ts';
import {
  isFields,
  isInexact,
  type Message,
  missingParameter,
  readDouble,
  readInt64,
  wrongType,
} from './message.ts';
import { answerHistory, encodeMetric } from './metricHistory.ts';
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
      timestamp: message.requiredInt64('timestamp'),
      step: message.int64('step') ?? 0,
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
      metrics: readMetrics(message),
      parameters: readKeyValues(message, 'params'),
      tags: readKeyValues(message, 'tags'),
    });
    return {};
  });
  routes.raw('GET', '/mlflow/metrics/get-history', (request, reply) => {
    const message = queryOf(request);
    const history = {
      runId: readRunId(message),
      key: message.requiredText('metric_key'),
      maxResults: readHistorySize(message),
      pageToken: message.text('page_token') ?? '',
    };
    return answerHistory(reply, tracking, history);
  });
  routes.rpc('GET', '/mlflow/metrics/get-history-bulk', (message) => {
    const runIds = message.texts(message.has('run_ids') ? 'run_ids' : 'run_id');
    if (runIds.length === 0) throw invalidBulk('must specify at least one run_id.');
    if (runIds.length > mostRuns) {
      throw invalidBulk(`cannot specify more than ${mostRuns} run_ids. Received ${runIds.length} run_ids.`);
    }
    const key = message.text('metric_key');
    if (key === undefined) throw invalidBulk('must specify a metric_key.');
    const maxResults = Math.min(readMaxResults(message, mostPoints, Number.MAX_SAFE_INTEGER), mostPoints);
    return { metrics: tracking.metricHistoryOfRuns(runIds, key, maxResults).map(encodeMetricOfRun) };
  });
  routes.rpc('GET', '/mlflow/metrics/get-history-bulk-interval', async (message) => {
    const found = await tracking.metricSample({
      runIds: readRunIds(message),
      key: message.requiredText('metric_key'),
      steps: readSteps(message),
      maxResults: readSampleSize(message),
    });
    return { metrics: encodeList(found.map(encodeMetricOfRun)) };
  });
}

/** A history has all its points unless the client asks for pages, as in MLflow. */
const mostHistory = 2 ** 31 - 1;

function encodeMetricOfRun(metric: Metric & { readonly runId: string }): object {
  return { ...encodeMetric(metric), run_id: metric.runId };
}

/**
 * Reads the metrics of a batch. They are by far the most frequent thing that is logged, so their fields are read
 * without a `Message` for each.
 */
function readMetrics(message: Message): readonly MetricToLog[] {
  const { metrics } = message.fields;
  if (metrics === undefined || metrics === null) return [];
  if (!Array.isArray(metrics)) throw wrongType('metrics', metrics);
  const exact = metrics.some(hasInexactInteger) ? message.exactFields().metrics : metrics;
  return Array.isArray(exact) ? exact.map(readMetric) : [];
}

function hasInexactInteger(fields: unknown): boolean {
  return isFields(fields) && (isInexact(fields.step) || isInexact(fields.timestamp));
}

function readMetric(fields: unknown, index: number): MetricToLog {
  if (isPlainMetric(fields)) return fields;
  if (!isFields(fields)) throw missingParameter(`metrics[${index}]`);
  const { key, value, timestamp, step } = fields;
  if (typeof key !== 'string') throw missingParameter(`metrics[${index}].name`);
  const number = typeof value === 'number' ? value : readDouble(value, `metrics[${index}].value`);
  if (number === undefined) throw missingParameter(`metrics[${index}].value`);
  const time = isWhole(timestamp) ? timestamp : readInt64(timestamp, `metrics[${index}].timestamp`);
  if (time === undefined) throw missingParameter(`metrics[${index}].timestamp`);
  const metric = {
    key,
    value: number,
    timestamp: time,
    step: isWhole(step) ? step : (readInt64(step, `metrics[${index}].step`) ?? 0),
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

/** Whether an entry is a metric as it stands, as nearly all are: complete, of no model, and no number in need of care. */
function isPlainMetric(fields: unknown): fields is Metric {
  if (!isFields(fields)) return false;
  const { key, value, timestamp, step, model_id, modelId } = fields;
  return (
    typeof key === 'string' &&
    typeof value === 'number' &&
    isWhole(timestamp) &&
    isWhole(step) &&
    model_id === undefined &&
    modelId === undefined
  );
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

function readText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Of `get-history-bulk` and `get-history-bulk-interval`, in one request. */
const mostRuns = 100;
const mostPoints = 25_000;
const mostSampledPoints = 2500;

function readRunIds(message: Message): readonly string[] {
  const runIds = message.texts('run_ids');
  if (runIds.length === 0) throw missingParameter('run_ids');
  if (runIds.length > mostRuns) {
    throw invalid(
      `GetMetricHistoryBulkInterval request must specify at most ${mostRuns} run_ids. Received ${runIds.length} run_ids. See the API docs for more information about request parameters.`,
    );
  }
  return runIds;
}

function readHistorySize(message: Message): number {
  const size = message.integer('max_results') ?? mostHistory;
  if (size >= 1) return size;
  throw invalid(`Invalid value ${size} for parameter 'max_results' supplied. It must be a positive integer.`);
}

function readSampleSize(message: Message): number {
  const size = message.integer('max_results') ?? mostSampledPoints;
  if (size >= 1 && size <= mostSampledPoints) return size;
  throw invalid(
    `max_results must be between 1 and ${mostSampledPoints}. See the API docs for more information about request parameters.`,
  );
}

function readSteps(message: Message): { readonly from: number; readonly to: number } | null {
  const from = message.integer('start_step');
  const to = message.integer('end_step');
  if (from === undefined && to === undefined) return null;
  if (from === undefined || to === undefined) {
    throw invalid('If either start step or end step are specified, both must be specified.');
  }
  if (from <= to) return { from, to };
  throw invalid(`end_step must be greater than start_step. Found start_step=${from} and end_step=${to}.`);
}

function invalidBulk(problem: string): SlipwayError {
  return invalid(`GetMetricHistoryBulk request ${problem}`);
}
