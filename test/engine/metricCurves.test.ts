import assert from 'node:assert/strict';
import type { SeriesPartToShow } from '../../src/protocol/tracking.ts';
import { createExponentialAverage } from '../../src/statistics/exponentialAverage.ts';
import { errorOfKind } from '../errorOfKind.ts';
import { openTrackingEngine, type TrackingEngine } from './trackingEngine.ts';

describe('Curves for charts', () => {
  let engine: TrackingEngine;
  let runId: string;
  before(async () => {
    engine = await openTrackingEngine();
  });
  after(() => engine.close());
  beforeEach(() => {
    runId = engine.tracking.createRun({ experimentId: '0', name: '', userId: '', tags: [] }).info.runId;
  });

  const log = (
    points: readonly {
      readonly step: number | bigint;
      readonly value: number;
      readonly timestamp?: number;
    }[],
    key = 'loss',
  ) => {
    for (let from = 0; from < points.length; from += 1000) {
      const metrics = points
        .slice(from, from + 1000)
        .map(({ step, value, timestamp = Number(step) }) => ({ key, step, value, timestamp }));
      engine.tracking.logBatch(runId, { metrics, parameters: [], tags: [] });
    }
  };
  const wave = (count: number) =>
    Array.from({ length: count }, (_, step) => ({ step, value: Math.sin(step / 300) }));
  const curve = async (
    part: SeriesPartToShow,
    { budget = 100, smoothing = 0, key = 'loss' }: { budget?: number; smoothing?: number; key?: string } = {},
  ) => {
    const [found] = await engine.tracking.metricSeries({
      runId,
      metrics: [{ key, part, smoothing }],
      budget,
    });
    assert.ok(found);
    return found;
  };
  const all = { kind: 'all' } as const;

  it('have all points of short metrics, or only those after a step', async () => {
    log([2, 0, 1].map((step) => ({ step, value: step === 1 ? Number.POSITIVE_INFINITY : step })));
    log([{ step: 5, value: Number.NaN }], 'odd');
    const whole = await curve(all);
    assert.deepEqual([...whole.steps], [0, 1, 2]);
    assert.deepEqual([...whole.values], [0, Number.POSITIVE_INFINITY, 2]);
    assert.equal(whole.timestamps.length, 3);
    assert.deepEqual(
      [whole.represented, whole.pointCount, whole.notPositive, whole.smoothed],
      [3, 3, 1, null],
    );
    assert.deepEqual(whole.notFinite, { count: 1, lastStep: 1 });
    const rest = await curve({ kind: 'after', step: 0 });
    assert.deepEqual([...rest.steps], [1, 2]);
    assert.deepEqual([rest.represented, rest.pointCount], [2, 3]);
    assert.deepEqual([...(await curve(all, { key: 'odd' })).values], [Number.NaN]);
    assert.equal((await curve(all, { key: 'nope' })).pointCount, 0);
  });

  it('have no more points than the budget, the extremes and gaps among them', async () => {
    const points = wave(12_000);
    points[4321] = { step: 4321, value: 77 };
    points[8765] = { step: 8765, value: Number.NaN };
    log(points);
    const found = await curve(all);
    assert.ok(found.steps.length <= 100);
    assert.deepEqual([found.represented, found.pointCount, found.notFinite.count], [12_000, 12_000, 1]);
    const steps = [...found.steps];
    for (const step of [0, 4321, 8765, 11_999]) assert.ok(steps.includes(step), `step ${step}`);
    assert.deepEqual(
      steps,
      steps.toSorted((left, right) => left - right),
    );
    for (const [index, step] of steps.entries()) assert.equal(found.values[index], points[step]?.value);
  });

  it('are whole up to the budget', async () => {
    log(wave(100));
    assert.equal((await curve(all)).steps.length, 100);
    assert.equal((await curve({ kind: 'after', step: -1 })).steps.length, 100);
  });

  it('of a window have its points, and one on either side', async () => {
    log(wave(3000));
    const found = await curve({ kind: 'steps', from: 999.5, to: 1004 });
    assert.deepEqual([...found.steps], [999, 1000, 1001, 1002, 1003, 1004, 1005]);
    assert.deepEqual([found.represented, found.pointCount], [5, 3000]);
    const start = await curve({ kind: 'steps', from: -10, to: 1 });
    assert.deepEqual([...start.steps], [0, 1, 2]);
    const beyond = await curve({ kind: 'steps', from: 5000, to: 6000 });
    assert.deepEqual([...beyond.steps], [2999]);
    const wide = await curve({ kind: 'steps', from: 100, to: 2900 });
    assert.ok(wide.steps.length <= 100);
    assert.equal(wide.represented, 2801);
  });

  it('stand over time when all points share a step', async () => {
    log(wave(500).map(({ step, value }) => ({ step: 7, value, timestamp: 1000 + step * 10 })));
    const whole = await curve(all);
    assert.ok(whole.steps.length <= 100 && whole.represented === 500);
    assert.equal(whole.timestamps.at(-1), 1000 + 499 * 10);
    const window = await curve({ kind: 'times', from: 1100, to: 1120 });
    assert.deepEqual([...window.timestamps], [1090, 1100, 1110, 1120, 1130]);
    assert.equal(window.represented, 3);
  });

  it('have the moving average of all points, in a part as in the whole', async () => {
    const points = wave(9000).map(({ step, value }) => ({ step, value: value + (step % 13 === 0 ? 5 : 0) }));
    log(points);
    const average = createExponentialAverage(0.99);
    const expected = points.map(({ value }) => average(value));
    for (const part of [
      all,
      { kind: 'steps', from: 6000, to: 8000 },
      { kind: 'after', step: 8990 },
      { kind: 'after', step: 5 },
    ] as const) {
      const { steps, smoothed } = await curve(part, { smoothing: 0.99 });
      assert.ok(smoothed && smoothed.length === steps.length);
      for (const [index, step] of steps.entries()) {
        const difference = Math.abs((smoothed[index] ?? Number.NaN) - (expected[step] ?? Number.NaN));
        assert.ok(difference < 1e-7, `${part.kind}: step ${step} is off by ${difference}`);
      }
    }
  });

  it('of huge steps lose digits, but no point', async () => {
    const huge = 2n ** 62n;
    log(
      Array.from({ length: 12_000 }, (_, index) => ({
        step: huge + BigInt(index),
        value: index,
        timestamp: index,
      })),
    );
    const found = await curve(all);
    assert.deepEqual([found.represented, found.pointCount], [12_000, 12_000]);
    assert.equal(found.steps[0], Number(huge));
    assert.equal(engine.tracking.runDetail(runId).metrics[0]?.step, Number(huge + 11_999n));
  });

  it('let other requests in while a long one is read, and stop when nobody waits', async () => {
    log(wave(30_000));
    const order: string[] = [];
    const reading = curve(all).then(() => order.push('curve'));
    setImmediate(() => order.push('other'));
    await reading;
    assert.deepEqual(order, ['other', 'curve']);
    const abort = new AbortController();
    const request = { runId, metrics: [{ key: 'loss', part: all, smoothing: 0 }], budget: 100 };
    const stopped = engine.tracking.metricSeries(request, abort.signal);
    abort.abort();
    await assert.rejects(stopped, errorOfKind('cancelled'));
  });

  it('are of a run', async () => {
    const request = { runId: 'f'.repeat(32), metrics: [], budget: 100 };
    await assert.rejects(engine.tracking.metricSeries(request), errorOfKind('notFound'));
  });
});
