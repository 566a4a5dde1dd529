import type { MetricSeries, SeriesPartToShow } from '../../protocol/tracking.ts';
import { createExponentialAverage } from '../../statistics/exponentialAverage.ts';
import { createThinning } from '../../statistics/thinning.ts';
import { type Int64, largestInt64, toInt64 } from '../database/int64.ts';
import type { TrackingDependencies } from './dependencies.ts';
import { findRun } from './lookup.ts';
import { type SeriesBound, type SeriesPart, type StoredPoint, wholeSeries } from './metricSeriesStore.ts';
import { readSeries } from './seriesReading.ts';

export interface MetricSeriesRequest {
  readonly runId: string;
  readonly metrics: readonly CurveRequest[];
  /** How many points of a metric are given at most. */
  readonly budget: number;
}

export interface CurveRequest {
  readonly key: string;
  readonly part: SeriesPartToShow;
  /** Weight of the moving average; 0 for none. */
  readonly smoothing: number;
}

/** What charts ask about metrics. */
export interface Curves {
  metricSeries(request: MetricSeriesRequest, signal?: AbortSignal): Promise<readonly MetricSeries[]>;
}

/**
 * So many points before a part are read to begin its moving average: with the largest weight that the page offers, what
 * lies before them has a share of less than 2e-9 in it.
 */
const pointsToBeginAverage = 2000;

/** A point on its way through the thinning. */
interface ChartPoint {
  readonly x: number;
  readonly y: number;
  readonly step: number;
  readonly timestamp: number;
  readonly smoothed: number;
}

/** Reads curves of any length in a bounded number of points, a piece at a time. */
export function createCurves(dependencies: TrackingDependencies): Curves {
  const { metricSeries: store } = dependencies.store;

  const curveOf = async (
    run: number,
    { key, part: shown, smoothing }: CurveRequest,
    budget: number,
    signal: AbortSignal | undefined,
  ): Promise<MetricSeries> => {
    const series = store.find(run, key);
    if (series === null) return toMetricSeries(key, [], createTally(), smoothing, 0);
    const first = store.firstAfter(series.id, wholeSeries.from);
    const end = store.last(series.id, wholeSeries);
    const part = partOf(shown, first);
    const overTime = shown.kind === 'times' || (shown.kind === 'all' && first?.[0] === end?.[0]);

    const average = createExponentialAverage(smoothing);
    const toChartPoint = (point: StoredPoint): ChartPoint => {
      const [step, timestamp] = [Number(point[0]), Number(point[1])];
      const y = point[3] === 1 ? Number.NaN : point[2];
      return { x: overTime ? timestamp : step, y, step, timestamp, smoothed: average(y) };
    };
    const count = shown.kind === 'all' ? series.pointCount : store.count(series.id, part);
    const isWindow = shown.kind === 'steps' || shown.kind === 'times';
    const thinning = createThinning<ChartPoint>(count, isWindow ? budget - neighbours : budget);
    const before =
      shown.kind === 'all'
        ? []
        : store.before(series.id, part.from, smoothing > 0 ? pointsToBeginAverage : 1);
    const reached = before.map(toChartPoint).at(-1);
    const tally = createTally();
    for await (const piece of readSeries(store, series.id, part, signal)) {
      for (const row of piece) {
        const point = toChartPoint(row);
        tally.add(point);
        thinning.add(point);
      }
    }
    const points = [...thinning.finish()];
    if (isWindow) {
      // A line to the edges of the window needs a point beyond each.
      const next = store.firstAfter(series.id, part.to);
      if (reached) points.unshift(reached);
      if (next) points.push(toChartPoint(next));
    }
    const pointCount = store.find(run, key)?.pointCount ?? 0;
    return toMetricSeries(key, points, tally, smoothing, pointCount);
  };

  return {
    async metricSeries(request, signal) {
      const run = findRun(dependencies, request.runId);
      const found: MetricSeries[] = [];
      for (const metric of request.metrics) {
        found.push(await curveOf(run.key, metric, request.budget, signal));
      }
      return found;
    },
  };
}

/** One on either side of a window. */
const neighbours = 2;

function partOf(shown: SeriesPartToShow, first: StoredPoint | null): SeriesPart {
  switch (shown.kind) {
    case 'all':
      return wholeSeries;
    case 'after':
      return { from: { ...wholeSeries.from, step: nextInteger(shown.step) }, to: wholeSeries.to };
    case 'steps':
      return {
        from: { ...wholeSeries.from, step: shown.from },
        to: { ...wholeSeries.to, step: shown.to },
      };
    case 'times': {
      const at = (timestamp: number): SeriesBound => ({ step: first ? toInt64(first[0]) : 0, timestamp });
      return { from: at(shown.from), to: at(shown.to) };
    }
  }
}

function nextInteger(step: number): Int64 {
  if (!Number.isFinite(step)) return 0;
  const next = BigInt(Math.floor(step)) + 1n;
  return next > largestInt64 ? largestInt64 : next;
}

/** Counts what a thinned curve can no longer tell. */
function createTally() {
  const counts = { represented: 0, notFinite: { count: 0, lastStep: 0 }, notPositive: 0 };
  return {
    counts,
    add({ y, step }: ChartPoint): void {
      counts.represented += 1;
      if (Number.isFinite(y)) {
        if (y <= 0) counts.notPositive += 1;
        return;
      }
      counts.notFinite.count += 1;
      counts.notFinite.lastStep = step;
    },
  };
}

function toMetricSeries(
  key: string,
  points: readonly ChartPoint[],
  { counts }: ReturnType<typeof createTally>,
  smoothing: number,
  pointCount: number,
): MetricSeries {
  return {
    key,
    steps: Float64Array.from(points, ({ step }) => step),
    values: Float64Array.from(points, ({ y }) => y),
    timestamps: Float64Array.from(points, ({ timestamp }) => timestamp),
    smoothed: smoothing > 0 ? Float64Array.from(points, ({ smoothed }) => smoothed) : null,
    ...counts,
    pointCount,
  };
}
