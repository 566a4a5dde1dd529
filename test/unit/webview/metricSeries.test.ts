import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { MetricSeries, MetricSummary } from '../../../src/protocol/tracking.ts';
import { createExponentialAverage } from '../../../src/statistics/exponentialAverage.ts';
import { thin } from '../../../src/statistics/thinning.ts';
import {
  disagreeing,
  type HeldSeries,
  horizontalOf,
  isThinned,
  pointBudget,
  type SeriesRequest,
  seriesToAsk,
  smoothedValues,
  withAnswer,
} from '../../../src/webview/tracking/metricSeries.ts';

interface Point {
  readonly step: number;
  readonly value: number;
}

/** What the engine would answer: points ordered by step, as many as the budget allows. */
function answerOf(points: readonly Point[], { key, part, smoothing }: SeriesRequest): MetricSeries {
  const average = createExponentialAverage(smoothing);
  const sorted = points
    .toSorted((left, right) => left.step - right.step)
    .map(({ step, value }) => ({ x: step, y: value, smoothed: average(value) }));
  const asked = sorted.filter(({ x }) => part.kind !== 'after' || x > part.step);
  const sent = thin(asked, pointBudget);
  const notFinite = asked.filter(({ y }) => !Number.isFinite(y));
  return {
    key,
    steps: Float64Array.from(sent, ({ x }) => x),
    values: Float64Array.from(sent, ({ y }) => y),
    timestamps: Float64Array.from(sent, ({ y }) => y),
    smoothed: smoothing > 0 ? Float64Array.from(sent, ({ smoothed }) => smoothed) : null,
    represented: asked.length,
    notFinite: { count: notFinite.length, lastStep: notFinite.at(-1)?.x ?? 0 },
    notPositive: asked.filter(({ y }) => Number.isFinite(y) && y <= 0).length,
    pointCount: points.length,
  };
}

const all = { kind: 'all' } as const;

function summaryOf(points: readonly Point[]): MetricSummary {
  return { key: 'loss', value: 0, step: 0, timestamp: 0, pointCount: points.length };
}

/** Brings what is held up to date as the page does, and gives what was asked. */
function catchUp(
  held: HeldSeries,
  points: readonly Point[],
  smoothing = 0,
): { held: HeldSeries; asked: SeriesRequest[] } {
  const asked: SeriesRequest[] = [];
  let current = held;
  const ask = (requests: readonly SeriesRequest[]) => {
    asked.push(...requests);
    const answer = requests.map((request) => answerOf(points, request));
    current = withAnswer(current, requests, answer);
    return answer;
  };
  const answer = ask(seriesToAsk([summaryOf(points)], new Set(['loss']), current, smoothing));
  const anew = disagreeing(current, answer, smoothing);
  if (anew.length > 0) ask(anew);
  return { held: current, asked };
}

function ramp(from: number, count: number): Point[] {
  return Array.from({ length: count }, (_, index) => ({ step: from + index, value: Math.sin(from + index) }));
}

describe('the points that a page holds', () => {
  it('agree with the store after each batch, in whatever order steps are logged', () => {
    const batch = fc.array(
      fc.record({ step: fc.integer({ min: 0, max: 20 }), value: fc.integer({ min: 0, max: 1000 }) }),
      { minLength: 2, maxLength: 8 },
    );
    fc.assert(
      fc.property(fc.array(batch, { minLength: 1, maxLength: 6 }), (batches) => {
        let held: HeldSeries = new Map();
        const points: Point[] = [];
        for (const added of batches) {
          points.push(...added);
          held = catchUp(held, points).held;
          const whole = answerOf(points, { key: 'loss', part: all, smoothing: 0 });
          assert.deepEqual(held.get('loss')?.series, whole);
        }
      }),
    );
  });

  it('are asked only from the last step on while a run grows', () => {
    const points = [0, 1, 2].map((step) => ({ step, value: step }));
    const first = catchUp(new Map(), points);
    assert.deepEqual(first.asked, [{ key: 'loss', part: all, smoothing: 0 }]);
    points.push({ step: 3, value: 3 });
    const second = catchUp(first.held, points);
    assert.deepEqual(second.asked, [{ key: 'loss', part: { kind: 'after', step: 2 }, smoothing: 0 }]);
    assert.deepEqual(catchUp(second.held, points).asked, []);
  });

  it('are asked anew when a late point came in before the last step', () => {
    const points = [0, 5].map((step) => ({ step, value: step }));
    const first = catchUp(new Map(), points);
    points.push({ step: 3, value: 3 });
    const second = catchUp(first.held, points);
    assert.deepEqual(second.asked, [
      { key: 'loss', part: { kind: 'after', step: 5 }, smoothing: 0 },
      { key: 'loss', part: all, smoothing: 0 },
    ]);
    assert.deepEqual([...(second.held.get('loss')?.series.steps ?? [])], [0, 3, 5]);
  });

  it('are not asked for what nobody sees, nor for single values', () => {
    const metrics = [summaryOf([]), { ...summaryOf([]), key: 'other', pointCount: 9 }];
    assert.deepEqual(seriesToAsk(metrics, new Set(['loss']), new Map(), 0), []);
  });

  it('are not asked again when they are newer than the summary', () => {
    const points = [0, 1, 2].map((step) => ({ step, value: step }));
    const { held } = catchUp(new Map(), points);
    assert.deepEqual(seriesToAsk([summaryOf(points.slice(0, 2))], new Set(['loss']), held, 0), []);
  });

  it('stand over time when all share one step', () => {
    const series = {
      ...answerOf([], { key: 'loss', part: all, smoothing: 0 }),
      steps: Float64Array.of(0, 0, 0),
      values: Float64Array.of(1, 2, 3),
      timestamps: Float64Array.of(1000, 1500, 3000),
    };
    assert.deepEqual([...horizontalOf(series)], [0, 500, 2000]);
    const part = { ...series, steps: Float64Array.of(0), timestamps: Float64Array.of(1500) };
    assert.deepEqual([...horizontalOf(part, series)], [500]);
    assert.deepEqual([...horizontalOf({ ...series, steps: Float64Array.of(0, 1, 2) })], [0, 1, 2]);
  });

  it('of a long curve never fill the page, however it grows, and keep its extremes and its count', () => {
    let held: HeldSeries = new Map();
    const points: Point[] = [];
    for (const added of [10, 1500, 900, 3000, 1, 40_000, 700]) {
      points.push(...ramp(points.length, added));
      held = catchUp(held, points).held;
      const series = held.get('loss')?.series;
      assert.ok(series && series.steps.length <= 2 * pointBudget);
      assert.equal(series.represented, points.length);
      assert.equal(series.steps.at(-1), points.length - 1);
      assert.equal(Math.max(...series.values), Math.max(...points.map(({ value }) => value)));
      assert.equal(Math.min(...series.values), Math.min(...points.map(({ value }) => value)));
    }
  });

  it('of a long curve are asked again for another moving average, of a short one not', () => {
    const long = ramp(0, 5000);
    const first = catchUp(new Map(), long);
    assert.deepEqual(catchUp(first.held, long).asked, []);
    const smooth = catchUp(first.held, long, 0.9);
    assert.deepEqual(smooth.asked, [{ key: 'loss', part: all, smoothing: 0.9 }]);
    assert.deepEqual(catchUp(smooth.held, long, 0.9).asked, []);
    assert.deepEqual(catchUp(smooth.held, long, 0).asked, []);
    const short = catchUp(new Map(), ramp(0, 50));
    assert.deepEqual(catchUp(short.held, ramp(0, 50), 0.9).asked, []);
  });

  it('have the moving average of all points, also where some were left out and more came', () => {
    const points = ramp(0, 5000);
    let { held } = catchUp(new Map(), points, 0.9);
    points.push(...ramp(5000, 300));
    held = catchUp(held, points, 0.9).held;
    const metric = held.get('loss');
    assert.ok(metric && isThinned(metric.series));
    const average = createExponentialAverage(0.9);
    const expected = points.map(({ value }) => average(value));
    const smoothed = smoothedValues(metric, 0.9);
    assert.ok(smoothed);
    for (const [index, step] of metric.series.steps.entries()) assert.equal(smoothed[index], expected[step]);
  });

  it('have no moving average yet while it has to be asked', () => {
    const metric = catchUp(new Map(), ramp(0, 5000)).held.get('loss');
    assert.ok(metric);
    assert.equal(smoothedValues(metric, 0.5), null);
  });

  it('keep the count of what cannot be drawn', () => {
    const points = ramp(1, 3000).map((point) => (point.step % 100 ? point : { ...point, value: Number.NaN }));
    let { held } = catchUp(new Map(), points);
    points.push({ step: 9000, value: -1 }, { step: 9001, value: Number.POSITIVE_INFINITY });
    held = catchUp(held, points).held;
    const series = held.get('loss')?.series;
    assert.deepEqual(series?.notFinite, { count: 31, lastStep: 9001 });
    assert.equal(series?.notPositive, points.filter(({ value }) => value <= 0).length);
  });
});
