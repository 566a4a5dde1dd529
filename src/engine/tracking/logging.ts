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
import { writeTag } from './runTags.ts';
import type { MetricToLog, RunRecord } from './types.ts';

export interface Batch {
  readonly metrics: readonly MetricToLog[];
  readonly parameters: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
}

export interface Logging {
  logMetric(runId: string, metric: MetricToLog): void;
  /** Written once: the same value again is accepted, another throws `invalidParameter`. */
  logParameter(runId: string, key: string, value: string): void;
  /** All of it or nothing. */
  logBatch(runId: string, batch: Batch): void;
}

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
      checkMetrics(metrics);
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
  };
}

function checkMetrics(metrics: readonly MetricToLog[]): void {
  // Most batches are of one metric: its key is looked at once, and what errors would say is made up only for them.
  let checked: string | null = null;
  for (const [index, { key, value, timestamp }] of metrics.entries()) {
    if (key !== checked) checkKey(key, 'Metric name', `metrics[${index}].name`);
    checked = key;
    if (timestamp < 0) checkTimestamp(timestamp, key, value, `metrics[${index}].timestamp`);
  }
}
