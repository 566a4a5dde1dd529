import assert from 'node:assert/strict';
import fc from 'fast-check';
import { add, emptyTotals, type VariantTotals } from '../../../src/engine/serving/endpointStatistics.ts';
import { endpointSummary } from '../../../src/engine/serving/endpointSummary.ts';
import { createLiveSeries, recentBegin } from '../../../src/engine/serving/liveSeries.ts';
import { latencyBucket } from '../../../src/statistics/latencyHistogram.ts';
import { scriptedSupervisor } from './scriptedScorers.ts';

const names = { model: 'wine', version: 1, variant: 'stable' };

/** So many requests that took so long. */
function asked(requestCount: number, milliseconds = 1): VariantTotals {
  const totals = emptyTotals(names);
  totals.requestCount = requestCount;
  totals.latencies[latencyBucket(milliseconds * 1000)] = requestCount;
  return totals;
}

const delta = (variant: VariantTotals) => ({ variants: [variant], refused: 0 });

describe('live series of an endpoint', () => {
  it('has each request in the second in which it was told, and none of the second that goes on', () => {
    const moments = fc.array(
      fc.record({ after: fc.integer({ min: 0, max: 2500 }), count: fc.integer({ min: 1, max: 9 }) }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(moments, fc.integer({ min: 0, max: 60_000 }), (steps, from) => {
        const live = createLiveSeries();
        const bySecond = new Map<number, number>();
        let now = 0;
        for (const { after, count } of steps) {
          now += after;
          live.add(delta(asked(count)), now);
          const start = now - (now % 1000);
          bySecond.set(start, (bySecond.get(start) ?? 0) + count);
        }
        const { times, variants } = live.since(from, now);
        const expected: number[] = [];
        for (let at = Math.ceil(from / 1000) * 1000; at + 1000 <= now; at += 1000) expected.push(at);
        assert.deepEqual(times, expected);
        const counted = expected.map((at) => bySecond.get(at) ?? 0);
        const [variant] = variants;
        assert.deepEqual(variant?.requests ?? counted.map(() => 0), counted);
        for (const [index, p50] of (variant?.latencyP50 ?? []).entries()) {
          assert.equal(p50 === null, counted[index] === 0);
        }
      }),
    );
  });

  it('keeps a quarter of an hour', () => {
    const live = createLiveSeries();
    for (let second = 0; second < 2000; second++) live.add(delta(asked(1)), second * 1000);
    const { times, variants } = live.since(0, 2000 * 1000);
    assert.equal(times.length, 15 * 60);
    assert.equal(times[0], 1100 * 1000);
    assert.deepEqual(new Set(variants[0]?.requests), new Set([1]));
  });

  it('sums up what was asked since the beginning of the second in which a duration began', () => {
    fc.assert(
      fc.property(fc.integer({ min: 20_000, max: 40_000 }), (now) => {
        const live = createLiveSeries();
        for (let at = 0; at < now; at += 100) live.add(delta(asked(1, 5)), at);
        const covered = now - recentBegin(10_000, now);
        assert.ok(covered >= 10_000 && covered < 11_000);
        const sum = emptyTotals(names);
        for (const variant of live.recent(10_000, now).values()) add(sum, variant);
        assert.equal(sum.requestCount, Math.ceil(covered / 100));
      }),
    );
  });

  it('gives a rate that is right at every moment of a second', () => {
    for (const part of [0, 250, 500, 999]) {
      const now = 30_000 + part;
      const { supervisor } = scriptedSupervisor();
      for (let at = 0; at < now; at += 10) supervisor.live.add(delta(asked(1)), at);
      const supervised = {
        ...supervisor,
        statistics: () => ({ variants: [asked(3000)], shadows: [], refusedCount: 0 }),
      };
      const { rate } = endpointSummary(
        {
          definition: { name: 'wine', modelName: 'wine', modelVersion: 1, enabled: true, port: null },
          supervisor: supervised,
          host: '127.0.0.1',
          rollout: null,
          follows: { type: 'pinned' },
          declared: false,
        },
        now,
      );
      assert.ok(Math.abs(rate - 100) < 1, `${rate} instead of 100`);
    }
  });
});
