import type { MetricSeries, MetricSummary, SeriesPartToShow } from '../../protocol/tracking.ts';
import { smooth } from '../../statistics/exponentialAverage.ts';
import { thin } from '../../statistics/thinning.ts';

/** How many points of a curve travel at most: some for each pixel of a wide chart. */
export const pointBudget = 2000;

/** A metric as a page holds it: all of its points, or those that draw the picture of all. */
export interface HeldMetric {
  readonly series: MetricSeries;
  /** Weight with which `series.smoothed` was made; 0 when there is none. */
  readonly smoothing: number;
  /** How often all of it was asked for. */
  readonly generation: number;
}

/** The points that a page holds, by metric. */
export type HeldSeries = ReadonlyMap<string, HeldMetric>;

/** What to ask for a metric. */
export interface SeriesRequest {
  readonly key: string;
  readonly part: SeriesPartToShow;
  readonly smoothing: number;
}

/** Whether points were left out, so that the curve cannot be smoothed or looked at closely here. */
export function isThinned({ steps, represented }: MetricSeries): boolean {
  return represented > steps.length;
}

/**
 * What must be asked so that the held points of the wanted metrics agree with the store again. A metric that grew is
 * asked from its last step on, or anew when its points all share a step or want another moving average. Holding more
 * than the summary counts means only that the summary is older.
 */
export function seriesToAsk(
  metrics: readonly MetricSummary[],
  wanted: ReadonlySet<string>,
  held: HeldSeries,
  smoothing: number,
): readonly SeriesRequest[] {
  const requests: SeriesRequest[] = [];
  for (const { key, pointCount } of metrics) {
    if (!wanted.has(key) || pointCount < 2) continue;
    const metric = held.get(key);
    const isSmooth = !metric || !isThinned(metric.series) || [0, metric.smoothing].includes(smoothing);
    if (metric && isSmooth && metric.series.represented >= pointCount) continue;
    const last = metric && isSmooth && !hasOneStep(metric.series) ? metric.series.steps.at(-1) : undefined;
    requests.push({
      key,
      part: last === undefined ? { kind: 'all' } : { kind: 'after', step: last },
      smoothing: smoothingFor(pointCount, last === undefined ? smoothing : (metric?.smoothing ?? 0)),
    });
  }
  return requests;
}

/** The held points with an answer added: appended where only new points were asked, else put in its place. */
export function withAnswer(
  held: HeldSeries,
  asked: readonly SeriesRequest[],
  answer: readonly MetricSeries[],
): HeldSeries {
  const next = new Map(held);
  for (const series of answer) {
    const request = asked.find(({ key }) => key === series.key);
    const before = held.get(series.key);
    const smoothing = series.smoothed === null ? 0 : (request?.smoothing ?? 0);
    next.set(
      series.key,
      before && request?.part.kind === 'after'
        ? withinBudget(joined(before, series, smoothing))
        : { series, smoothing, generation: (before?.generation ?? 0) + 1 },
    );
  }
  return next;
}

/** Metrics of which an answer leaves fewer or more points than the store holds, so that they must be asked anew. */
export function disagreeing(
  held: HeldSeries,
  answer: readonly MetricSeries[],
  smoothing: number,
): readonly SeriesRequest[] {
  return answer
    .filter(({ key, pointCount }) => held.get(key)?.series.represented !== pointCount)
    .map(({ key, pointCount }) => ({
      key,
      part: { kind: 'all' },
      smoothing: smoothingFor(pointCount, smoothing),
    }));
}

/** Only what will be thinned needs its moving average from the engine. */
function smoothingFor(pointCount: number, smoothing: number): number {
  return pointCount > pointBudget ? smoothing : 0;
}

/** The moving average at the points of a curve; null when it has to be asked first. */
export function smoothedValues({ series, smoothing }: HeldMetric, wanted: number): Float64Array | null {
  if (!isThinned(series)) return smooth(series.values, wanted);
  return smoothing > 0 ? series.smoothed : null;
}

/** Whether all points share one step, as when a script logs without steps; they are then drawn over time. */
export function hasOneStep({ steps }: MetricSeries): boolean {
  return steps.length > 0 && steps[0] === steps.at(-1);
}

/**
 * The x axis of a series: its steps, or the milliseconds since its first point when all share one step. A part of a
 * series stands on the axis of the `whole`.
 */
export function horizontalOf(series: MetricSeries, whole = series): Float64Array {
  if (!hasOneStep(whole)) return series.steps;
  const start = whole.timestamps[0] ?? 0;
  return series.timestamps.map((moment) => moment - start);
}

function joined({ series: before, ...held }: HeldMetric, after: MetricSeries, smoothing: number): HeldMetric {
  const smoothed = smoothing === held.smoothing ? [before.smoothed, after.smoothed] : [];
  const [first, second] = smoothed;
  const notFinite = after.notFinite.count > 0 ? after.notFinite : before.notFinite;
  return {
    ...held,
    smoothing: first && second ? smoothing : 0,
    series: {
      key: before.key,
      steps: concatenated(before.steps, after.steps),
      values: concatenated(before.values, after.values),
      timestamps: concatenated(before.timestamps, after.timestamps),
      smoothed: first && second ? concatenated(first, second) : null,
      represented: before.represented + after.represented,
      notFinite: { ...notFinite, count: before.notFinite.count + after.notFinite.count },
      notPositive: before.notPositive + after.notPositive,
      pointCount: after.pointCount,
    },
  };
}

/** Thins what grew to twice the budget, so that a curve that grows for days does not fill the page. */
function withinBudget(metric: HeldMetric): HeldMetric {
  const { series } = metric;
  if (series.steps.length <= 2 * pointBudget) return metric;
  const xs = horizontalOf(series);
  const points = Array.from(series.values, (y, index) => ({ x: xs[index] ?? 0, y, index }));
  const kept = thin(points, pointBudget).map(({ index }) => index);
  const chosen = (column: Float64Array) => Float64Array.from(kept, (index) => column[index] ?? Number.NaN);
  return {
    ...metric,
    series: {
      ...series,
      steps: chosen(series.steps),
      values: chosen(series.values),
      timestamps: chosen(series.timestamps),
      smoothed: series.smoothed && chosen(series.smoothed),
    },
  };
}

function concatenated(first: Float64Array, second: Float64Array): Float64Array {
  const all = new Float64Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
