import { type Int64, toInt64 } from '../database/int64.ts';
import { type MetricSeriesStore, type SeriesPart, toMetricPoint, wholeSeries } from './metricSeriesStore.ts';
import { readSeries } from './seriesReading.ts';
import type { MetricPoint } from './types.ts';

/** Steps from one to another, both included. */
export interface StepRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Of each of some series, in the order given, the points at the same chosen steps: `size` steps evenly spaced among all
 * that the series have, the last of all, and the first and last of each series. Null takes the steps of all of them.
 *
 * So that curves can be compared step by step, MLflow chooses them for all runs at once; see
 * `get_metric_history_bulk_interval` in its abstract tracking store.
 */
export async function sampleSeries(
  store: MetricSeriesStore,
  series: readonly number[],
  range: StepRange | null,
  size: number,
): Promise<readonly (readonly MetricPoint[])[]> {
  const part = partOf(range);
  const own: (readonly Int64[])[] = [];
  for (const id of series) {
    own.push(await stepsOf(store, id, part));
  }
  const ends = own.flatMap((steps) => [...steps.slice(0, 1), ...steps.slice(-1)]);
  const chosen = [...new Set([...spread(merge(own), size), ...ends])];
  return series.map((id) => store.at(id, chosen, mostPoints).map(toMetricPoint));
}

/** Of a run whose points share their steps, MLflow gives no more than these. */
const mostPoints = 25_000;

/** The distinct steps of a part, in order. */
async function stepsOf(store: MetricSeriesStore, id: number, part: SeriesPart): Promise<readonly Int64[]> {
  const steps: Int64[] = [];
  for await (const piece of readSeries(store, id, part)) {
    for (const [step] of piece) {
      const exact = toInt64(step);
      if (exact !== steps.at(-1)) steps.push(exact);
    }
  }
  return steps;
}

function partOf(range: StepRange | null): SeriesPart {
  if (range === null) return wholeSeries;
  return {
    from: { ...wholeSeries.from, step: range.from },
    to: { ...wholeSeries.to, step: range.to },
  };
}

/** The distinct values of sorted lists, sorted. */
function merge(lists: readonly (readonly Int64[])[]): readonly Int64[] {
  const [first = [], ...others] = lists;
  if (others.length === 0) return first;
  return [...new Set(lists.flat())].sort((a, b) => (a < b ? -1 : Number(a > b)));
}

/** `size` evenly spaced ones of the sorted values, and the last. */
function spread(values: readonly Int64[], size: number): readonly Int64[] {
  if (values.length <= size) return values;
  const stride = values.length / size;
  const chosen = Array.from({ length: size }, (_, index) => values[Math.floor(index * stride)] ?? 0);
  return [...chosen, ...values.slice(-1)];
}
