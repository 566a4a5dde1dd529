import { useCallback } from 'preact/hooks';
import type { LocalizedError } from '../../protocol/page.ts';
import type { MetricSeries, SeriesPartToShow } from '../../protocol/tracking.ts';
import type { Window } from '../components/decimation.ts';
import { useLoaded } from '../components/loading.ts';
import { useHost } from '../components/page.tsx';
import { type HeldMetric, hasOneStep, horizontalOf, isThinned, pointBudget } from './metricSeries.ts';

/** The points of a part of a long curve. */
export interface MetricDetail {
  readonly window: Window;
  readonly series: MetricSeries;
}

/**
 * Asks for the points of the window that a person zoomed to, where the held curve leaves out some; again when points
 * came to it.
 *
 * @returns null as `detail` while there is nothing finer than what is held
 */
export function useMetricDetail(
  runId: string,
  held: HeldMetric | null,
  window: Window | null,
  smoothing: number,
): { readonly detail: MetricDetail | null; readonly error: LocalizedError | null } {
  const host = useHost();
  const isNeeded = held !== null && window !== null && isThinned(held.series);
  const key = held?.series.key ?? '';
  const start = held && hasOneStep(held.series) ? (held.series.timestamps[0] ?? 0) : null;
  const lastX = held ? horizontalOf(held.series).at(-1) : undefined;
  const canGrow = window !== null && lastX !== undefined && window.to >= lastX;
  const growth = `${held?.generation} ${canGrow ? held?.series.represented : ''}`;

  const load = useCallback(
    async (signal: AbortSignal): Promise<MetricDetail | null> => {
      void growth;
      if (!isNeeded || window === null) return null;
      const request = { key, part: partOf(window, start), smoothing };
      const [series] = await host.request(
        'tracking/metricSeries',
        { runId, metrics: [request], budget: pointBudget },
        signal,
      );
      return series ? { window, series } : null;
    },
    [host, runId, key, isNeeded, window, start, smoothing, growth],
  );
  const { value, error } = useLoaded(load);
  return { detail: isNeeded && value?.window === window ? value : null, error: isNeeded ? error : null };
}

/** @param start when the curve begins, where it is drawn over time; else null */
function partOf({ from, to }: Window, start: number | null): SeriesPartToShow {
  return start === null ? { kind: 'steps', from, to } : { kind: 'times', from: start + from, to: start + to };
}
