import type { TrackingDependencies } from './dependencies.ts';
import { type StepRange, sampleSeries } from './metricSample.ts';
import { pageOf, readPageToken } from './paging.ts';
import type { Metric, Page } from './types.ts';

export interface MetricHistoryRequest {
  readonly runId: string;
  readonly key: string;
  readonly maxResults: number;
  readonly pageToken: string;
}

export interface MetricSampleRequest {
  readonly runIds: readonly string[];
  readonly key: string;
  /** Null: all. */
  readonly steps: StepRange | null;
  /** How many steps are chosen, evenly spaced; the first and last of each run come on top. */
  readonly maxResults: number;
}

export type MetricOfRun = Metric & { readonly runId: string };

/** What clients ask about all that was logged to a metric. */
export interface MetricHistories {
  /** Ordered by timestamp, step, value. Empty when there is no such run or metric. */
  metricHistory(request: MetricHistoryRequest): Page<Metric>;
  /** Up to `maxResults` points over the runs, ordered by run id, timestamp, step, value. */
  metricHistoryOfRuns(runIds: readonly string[], key: string, maxResults: number): readonly MetricOfRun[];
  /** Of each run, in the order given, the points at steps that are chosen for all runs at once, in order of step. */
  metricSample(request: MetricSampleRequest): Promise<readonly MetricOfRun[]>;
}

export function createMetricHistories({ store }: TrackingDependencies): MetricHistories {
  return {
    metricHistory({ runId, key, maxResults, pageToken }) {
      const subject = ['metricHistory', runId, key];
      const after = readPageToken(pageToken, subject);
      const run = store.runs.find(runId);
      if (!run) return { items: [], nextPageToken: null };
      return pageOf(store.metricHistory.page(run.key, key, maxResults, after), subject);
    },
    metricHistoryOfRuns(runIds, key, maxResults) {
      const found: MetricOfRun[] = [];
      for (const runId of [...new Set(runIds)].sort()) {
        const run = store.runs.find(runId);
        const room = maxResults - found.length;
        if (!run || room <= 0) continue;
        const { items } = store.metricHistory.page(run.key, key, room, null);
        for (const metric of items) found.push({ ...metric, runId });
      }
      return found;
    },
    async metricSample({ runIds, key, steps, maxResults }) {
      const series = runIds.flatMap((runId) => {
        const run = store.runs.find(runId);
        const found = run === null ? null : store.metricSeries.find(run.key, key);
        return found === null ? [] : { runId, id: found.id };
      });
      const samples = await sampleSeries(
        store.metricSeries,
        series.map(({ id }) => id),
        steps,
        maxResults,
      );
      return samples.flatMap((points, index) =>
        points.map((point) => ({ ...point, key, runId: series[index]?.runId ?? '' })),
      );
    },
  };
}
