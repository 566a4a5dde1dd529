import type { MetricSeries, MetricSummary } from '../../protocol/tracking.ts';

/** The points that a page holds, by metric. */
export type HeldSeries = ReadonlyMap<string, MetricSeries>;

/** What to ask for a metric: points above a step, or all of them. */
export interface SeriesRequest {
  readonly key: string;
  readonly afterStep: number | null;
}

/**
 * What must be asked so that the held points of the wanted metrics agree with the store again. A metric that grew is
 * asked from its last step on, or anew when its points all share a step. Holding more than the summary counts means only
 * that the summary is older.
 */
export function seriesToAsk(
  metrics: readonly MetricSummary[],
  wanted: ReadonlySet<string>,
  held: HeldSeries,
): readonly SeriesRequest[] {
  const requests: SeriesRequest[] = [];
  for (const { key, pointCount } of metrics) {
    if (!wanted.has(key) || pointCount < 2) continue;
    const series = held.get(key);
    if (series && series.steps.length >= pointCount) continue;
    const last = series && !hasOneStep(series) ? series.steps.at(-1) : undefined;
    requests.push({ key, afterStep: last ?? null });
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
    next.set(series.key, before && request && request.afterStep !== null ? joined(before, series) : series);
  }
  return next;
}

/** Metrics of which an answer leaves fewer or more points than the store holds, so that they must be asked anew. */
export function disagreeing(held: HeldSeries, answer: readonly MetricSeries[]): readonly SeriesRequest[] {
  return answer
    .filter(({ key, pointCount }) => held.get(key)?.steps.length !== pointCount)
    .map(({ key }) => ({ key, afterStep: null }));
}

/** Whether all points share one step, as when a script logs without steps; they are then drawn over time. */
export function hasOneStep({ steps }: MetricSeries): boolean {
  return steps.length > 0 && steps[0] === steps.at(-1);
}

/** The x axis of a series: its steps, or the milliseconds since its first point when all share one step. */
export function horizontalOf(series: MetricSeries): Float64Array {
  if (!hasOneStep(series)) return series.steps;
  const start = series.timestamps[0] ?? 0;
  return series.timestamps.map((moment) => moment - start);
}

function joined(before: MetricSeries, after: MetricSeries): MetricSeries {
  return {
    key: before.key,
    steps: concatenated(before.steps, after.steps),
    values: concatenated(before.values, after.values),
    timestamps: concatenated(before.timestamps, after.timestamps),
    pointCount: after.pointCount,
  };
}

function concatenated(first: Float64Array, second: Float64Array): Float64Array {
  const all = new Float64Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
