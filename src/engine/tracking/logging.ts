import type { KeyValue } from '../../protocol/tracking.ts';
import type { TrackingDependencies } from './dependencies.ts';
import {
  checkBatchSize,
  checkKey,
  checkNoDuplicates,
  checkTimestamp,
  invalid,
  parameterValue,
} from './limits.ts';
import { changeRun, findActiveRun, findLoggedModel } from './lookup.ts';
import { pageOf, readPageToken } from './paging.ts';
import { writeTag } from './runTags.ts';
import type { Metric, MetricToLog, Page, RunRecord } from './types.ts';

export interface Batch {
  readonly metrics: readonly MetricToLog[];
  readonly parameters: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
}

export interface MetricHistoryRequest {
  readonly runId: string;
  readonly key: string;
  /** Absent: all that there are. */
  readonly maxResults?: number | undefined;
  readonly pageToken: string;
}

export interface MetricSampleRequest {
  readonly runIds: readonly string[];
  readonly key: string;
  /** Both or neither. */
  readonly steps: { readonly from: number; readonly to: number } | null;
  readonly maxResults: number;
}

export interface Logging {
  logMetric(runId: string, metric: MetricToLog): void;
  /** Written once: the same value again is accepted, another throws `invalidParameter`. */
  logParameter(runId: string, key: string, value: string): void;
  /** All of it or nothing. */
  logBatch(runId: string, batch: Batch): void;
  /** Ordered by timestamp, step, value. */
  metricHistory(request: MetricHistoryRequest): Page<Metric>;
  /** Up to 25,000 points over the runs, in their order. */
  metricHistoryOfRuns(
    runIds: readonly string[],
    key: string,
    maxResults: number,
  ): readonly (Metric & { readonly runId: string })[];
  /** Of evenly spaced steps over all runs, and of each run's first and last step. */
  metricSample(request: MetricSampleRequest): readonly (Metric & { readonly runId: string })[];
}

const allPoints = 1_000_000_000;

/** The rules of what a run logs while it trains. */
export function createLogging(dependencies: TrackingDependencies): Logging {
  const { store } = dependencies;

  const change = (runId: string, work: (run: RunRecord) => void) =>
    changeRun(dependencies, findActiveRun, runId, work);
  const addMetrics = (run: RunRecord, metrics: readonly MetricToLog[]) => {
    store.metrics.add(run.key, metrics);
    for (const metric of metrics) {
      if (!metric.modelId) continue;
      const { modelId, datasetName = '', datasetDigest = '', ...point } = metric;
      const model = findLoggedModel(dependencies, modelId);
      store.models.addMetric(model.key, run.key, { ...point, datasetName, datasetDigest });
    }
  };

  return {
    logMetric(runId, metric) {
      checkKey(metric.key, 'Metric name');
      checkTimestamp(metric.timestamp, metric.key, metric.value);
      change(runId, (run) => addMetrics(run, [metric]));
    },
    logParameter(runId, key, value) {
      checkKey(key, 'Param key');
      const given = parameterValue(value);
      change(runId, (run) => {
        const kept = store.runs.setParameter(run.key, { key, value: given });
        if (kept === given) return;
        throw invalid(
          `Changing param values is not allowed. Param with key='${key}' was already logged with value='${kept}' for run ID='${runId}'. Attempted logging new value '${given}'.`,
        );
      });
    },
    logBatch(runId, { metrics, parameters, tags }) {
      checkBatchSize(metrics.length, parameters.length, tags.length);
      for (const [index, { key, value, timestamp }] of metrics.entries()) {
        checkKey(key, 'Metric name', `metrics[${index}].name`);
        checkTimestamp(timestamp, key, value, `metrics[${index}].timestamp`);
      }
      for (const [index, { key }] of parameters.entries()) checkKey(key, 'Param key', `params[${index}].key`);
      for (const [index, { key }] of tags.entries()) checkKey(key, 'Tag key', `tags[${index}].key`);
      checkNoDuplicates(parameters);
      change(runId, (run) => {
        const conflicts: string[] = [];
        for (const { key, value } of parameters) {
          const given = parameterValue(value);
          const kept = store.runs.setParameter(run.key, { key, value: given });
          if (kept !== given)
            conflicts.push(`{'key': '${key}', 'old_value': '${kept}', 'new_value': '${given}'}`);
        }
        if (conflicts.length > 0) {
          throw invalid(
            `Changing param values is not allowed. Params were already logged='[${conflicts.join(', ')}]' for run ID='${runId}'.`,
          );
        }
        addMetrics(run, metrics);
        for (const tag of tags) writeTag(store, run.key, tag);
      });
    },
    metricHistory({ runId, key, maxResults, pageToken }) {
      const subject = ['metricHistory', runId, key];
      const after = readPageToken(pageToken, subject);
      const run = store.runs.find(runId);
      if (!run) return { items: [], nextPageToken: null };
      return pageOf(store.metrics.history(run.key, key, maxResults ?? allPoints, after), subject);
    },
    metricHistoryOfRuns(runIds, key, maxResults) {
      const found: (Metric & { readonly runId: string })[] = [];
      for (const runId of runIds) {
        const run = store.runs.find(runId);
        const room = maxResults - found.length;
        if (!run || room <= 0) continue;
        const { items } = store.metrics.history(run.key, key, room, null);
        for (const metric of items) found.push({ ...metric, runId });
      }
      return found;
    },
    metricSample({ runIds, key, steps, maxResults }) {
      const found = runIds.flatMap((runId) => store.runs.find(runId) ?? []);
      const { from, to } = steps ?? { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER };
      const keys = found.map((run) => run.key);
      const chosen = spread(store.metrics.steps(keys, key, from, to), maxResults);
      return found.flatMap(({ key: runKey, runId }) => {
        const own = store.metrics.steps([runKey], key, from, to);
        const wanted = new Set([...chosen, ...own.slice(0, 1), ...own.slice(-1)]);
        return store.metrics.pointsAt(runKey, key, [...wanted]).map((metric) => ({ ...metric, runId }));
      });
    },
  };
}

/** At most `count` of the sorted values, evenly spaced, first and last among them. */
function spread(values: readonly number[], count: number): readonly number[] {
  if (values.length <= count) return values;
  if (count === 1) return values.slice(0, 1);
  const stride = (values.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, index) => values[Math.round(index * stride)] ?? 0);
}
