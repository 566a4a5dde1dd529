import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { MetricSeries, MetricSummary } from '../../../src/protocol/tracking.ts';
import {
  disagreeing,
  type HeldSeries,
  horizontalOf,
  type SeriesRequest,
  seriesToAsk,
  withAnswer,
} from '../../../src/webview/tracking/metricSeries.ts';

interface Point {
  readonly step: number;
  readonly value: number;
}

/** What the store would answer: points ordered by step, of which those after a step are sent. */
function answerOf(points: readonly Point[], { key, afterStep }: SeriesRequest): MetricSeries {
  const sent = points
    .toSorted((left, right) => left.step - right.step)
    .filter(({ step }) => afterStep === null || step > afterStep);
  return {
    key,
    steps: Float64Array.from(sent, ({ step }) => step),
    values: Float64Array.from(sent, ({ value }) => value),
    timestamps: Float64Array.from(sent, ({ value }) => value),
    pointCount: points.length,
  };
}

function summaryOf(points: readonly Point[]): MetricSummary {
  return { key: 'loss', value: 0, step: 0, timestamp: 0, pointCount: points.length };
}

/** Brings what is held up to date as the page does, and gives what was asked. */
function catchUp(held: HeldSeries, points: readonly Point[]): { held: HeldSeries; asked: SeriesRequest[] } {
  const asked: SeriesRequest[] = [];
  let current = held;
  const ask = (requests: readonly SeriesRequest[]) => {
    asked.push(...requests);
    const answer = requests.map((request) => answerOf(points, request));
    current = withAnswer(current, requests, answer);
    return answer;
  };
  const answer = ask(seriesToAsk([summaryOf(points)], new Set(['loss']), current));
  const anew = disagreeing(current, answer);
  if (anew.length > 0) ask(anew);
  return { held: current, asked };
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
          const whole = answerOf(points, { key: 'loss', afterStep: null });
          assert.deepEqual(held.get('loss'), whole);
        }
      }),
    );
  });

  it('are asked only from the last step on while a run grows', () => {
    const points = [0, 1, 2].map((step) => ({ step, value: step }));
    const first = catchUp(new Map(), points);
    assert.deepEqual(first.asked, [{ key: 'loss', afterStep: null }]);
    points.push({ step: 3, value: 3 });
    const second = catchUp(first.held, points);
    assert.deepEqual(second.asked, [{ key: 'loss', afterStep: 2 }]);
    assert.deepEqual(catchUp(second.held, points).asked, []);
  });

  it('are asked anew when a late point came in before the last step', () => {
    const points = [0, 5].map((step) => ({ step, value: step }));
    const first = catchUp(new Map(), points);
    points.push({ step: 3, value: 3 });
    const second = catchUp(first.held, points);
    assert.deepEqual(second.asked, [
      { key: 'loss', afterStep: 5 },
      { key: 'loss', afterStep: null },
    ]);
    assert.deepEqual([...(second.held.get('loss')?.steps ?? [])], [0, 3, 5]);
  });

  it('are not asked for what nobody sees, nor for single values', () => {
    const metrics = [summaryOf([]), { ...summaryOf([]), key: 'other', pointCount: 9 }];
    assert.deepEqual(seriesToAsk(metrics, new Set(['loss']), new Map()), []);
  });

  it('are not asked again when they are newer than the summary', () => {
    const points = [0, 1, 2].map((step) => ({ step, value: step }));
    const { held } = catchUp(new Map(), points);
    assert.deepEqual(seriesToAsk([summaryOf(points.slice(0, 2))], new Set(['loss']), held), []);
  });

  it('stand over time when all share one step', () => {
    const series = {
      key: 'loss',
      steps: Float64Array.of(0, 0, 0),
      values: Float64Array.of(1, 2, 3),
      timestamps: Float64Array.of(1000, 1500, 3000),
      pointCount: 3,
    };
    assert.deepEqual([...horizontalOf(series)], [0, 500, 2000]);
    assert.deepEqual([...horizontalOf({ ...series, steps: Float64Array.of(0, 1, 2) })], [0, 1, 2]);
  });
});
