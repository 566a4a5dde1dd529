import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { LocalizedError } from '../../protocol/page.ts';
import type { MetricSummary } from '../../protocol/tracking.ts';
import { localizedErrorOf } from '../components/loading.ts';
import { useHost } from '../components/page.tsx';
import {
  disagreeing,
  type HeldSeries,
  pointBudget,
  type SeriesRequest,
  seriesToAsk,
  withAnswer,
} from './metricSeries.ts';

const metricsPerRequest = 40;

/** The points of the metrics that the person has come to see. */
export interface MetricPoints {
  readonly held: HeldSeries;
  readonly error: LocalizedError | null;
  /** Says that a metric is in sight, so that its points are fetched and kept up to date. */
  readonly want: (key: string) => void;
  readonly retry: () => void;
}

/**
 * Fetches points when a metric comes into sight, and only the new ones whenever `metrics` says that there are more.
 *
 * @param smoothing weight of the moving average that long curves need from the engine
 */
export function useMetricSeries(
  runId: string,
  metrics: readonly MetricSummary[],
  smoothing: number,
): MetricPoints {
  const host = useHost();
  const [held, setHeld] = useState<HeldSeries>(new Map());
  const [error, setError] = useState<LocalizedError | null>(null);
  const state = useRef({
    held,
    metrics,
    smoothing,
    wanted: new Set<string>(),
    asking: false,
    abort: new AbortController(),
  });
  state.current.metrics = metrics;
  state.current.smoothing = smoothing;

  const catchUp = useCallback(async () => {
    const now = state.current;
    if (now.asking) return;
    now.asking = true;
    const answered = new Set<string>();
    const ask = async (requests: readonly SeriesRequest[]) => {
      const answer = await host.request(
        'tracking/metricSeries',
        { runId, metrics: [...requests], budget: pointBudget },
        now.abort.signal,
      );
      now.held = withAnswer(now.held, requests, answer);
      setHeld(now.held);
      return answer;
    };
    try {
      for (;;) {
        const due = seriesToAsk(now.metrics, now.wanted, now.held, now.smoothing).filter(
          (one) => !answered.has(idOf(one, now.metrics)),
        );
        const requests = due.slice(0, metricsPerRequest);
        if (requests.length === 0) break;
        for (const one of requests) answered.add(idOf(one, now.metrics));
        const answer = await ask(requests);
        const anew = disagreeing(now.held, answer, now.smoothing);
        if (anew.length > 0) await ask(anew);
      }
      setError(null);
    } catch (thrown) {
      if (!now.abort.signal.aborted) setError(localizedErrorOf(thrown));
    } finally {
      now.asking = false;
    }
  }, [host, runId]);

  useEffect(() => {
    void [metrics, smoothing];
    void catchUp();
  }, [metrics, smoothing, catchUp]);
  useEffect(() => {
    const { abort } = state.current;
    return () => abort.abort();
  }, []);

  const want = useCallback(
    (key: string) => {
      if (state.current.wanted.has(key)) return;
      state.current.wanted.add(key);
      // Cards that come into sight together are asked for together.
      queueMicrotask(() => void catchUp());
    },
    [catchUp],
  );
  return { held, error, want, retry: () => void catchUp() };
}

/** A metric at one length: asked once, so that a store that grows faster than it answers cannot keep the page asking. */
function idOf({ key, smoothing }: SeriesRequest, metrics: readonly MetricSummary[]): string {
  return `${metrics.find((metric) => metric.key === key)?.pointCount}\n${smoothing}\n${key}`;
}
