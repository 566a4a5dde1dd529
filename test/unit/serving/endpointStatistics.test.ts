import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createStatisticsSum } from '../../../src/engine/serving/endpointStatistics.ts';
import type { ShadowStatistics, VariantStatistics } from '../../../src/protocol/scorer.ts';
import { latencyBucketCount } from '../../../src/statistics/latencyHistogram.ts';
import type { ScorerStatistics } from '../../../src/supervision/scorerProcess.ts';

/** What a process was asked: the variant, its status, and the bucket of its latency; null was refused at the door. */
type Asked = { readonly version: number; readonly status: number; readonly bucket: number } | null;

function told(asked: readonly Asked[], shadows: readonly ShadowStatistics[] = []): ScorerStatistics {
  const variants = new Map<number, VariantStatistics>();
  for (const request of asked) {
    if (!request) continue;
    const { version, status, bucket } = request;
    const { requestCount, errorCount, failureCount, latencies } = variants.get(version) ?? {
      requestCount: 0,
      errorCount: 0,
      failureCount: 0,
      latencies: [],
    };
    const counts = new Map(latencies).set(bucket, (new Map(latencies).get(bucket) ?? 0) + 1);
    variants.set(version, {
      model: 'wine',
      version,
      variant: 'stable',
      requestCount: requestCount + 1,
      errorCount: errorCount + (status >= 400 ? 1 : 0),
      failureCount: failureCount + (status >= 500 ? 1 : 0),
      rowCount: requestCount + 1,
      latencies: [...counts],
    });
  }
  const refusedCount = asked.filter((request) => request === null).length;
  return { type: 'statistics', variants: [...variants.values()], shadows, refusedCount };
}

const request = fc.option(
  fc.record({
    version: fc.integer({ min: 1, max: 3 }),
    status: fc.constantFrom(200, 400, 500),
    bucket: fc.integer({ min: 0, max: latencyBucketCount - 1 }),
  }),
);

function shadowOf(rows: number, mean: number, largest: number): ShadowStatistics {
  return {
    model: 'wine',
    stableVersion: 1,
    shadowVersion: 2,
    comparedRows: rows,
    equalRows: 1,
    outputs: [
      { name: 'y', equalRows: null, meanAbsoluteDifference: mean, largestAbsoluteDifference: largest },
    ],
    failedRequests: 1,
    skippedRequests: 2,
  };
}

describe('statistics of an endpoint', () => {
  it('are the sum of what all processes were asked, those that are gone included, however often they tell it', () => {
    const processes = fc.array(fc.array(fc.array(request, { maxLength: 5 }), { maxLength: 5 }), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(processes, (batches) => {
        const sum = createStatisticsSum();
        const added = { requests: 0, refused: 0 };
        for (const messages of batches) {
          const count = sum.source();
          for (let index = 1; index <= messages.length; index++) {
            const delta = count(told(messages.slice(0, index).flat()));
            added.refused += delta.refused;
            for (const { requestCount } of delta.variants) added.requests += requestCount;
          }
        }
        const all = batches.flat(2);
        const expected = told(all);
        const totals = sum.totals();
        assert.equal(totals.refusedCount, expected.refusedCount);
        assert.equal(added.refused, expected.refusedCount);
        assert.equal(added.requests, all.length - expected.refusedCount);
        const plain = totals.variants
          .filter(({ requestCount }) => requestCount > 0)
          .map(({ latencies, ...counts }) => ({
            ...counts,
            latencies: [...latencies.entries()].filter(([, count]) => count > 0),
          }));
        const byVersion = (one: { version: number }, other: { version: number }) =>
          one.version - other.version;
        assert.deepEqual(
          plain.sort(byVersion),
          expected.variants
            .map((variant) => ({ ...variant, latencies: [...variant.latencies].sort(([a], [b]) => a - b) }))
            .sort(byVersion),
        );
      }),
    );
  });

  it('tell the shadows of all processes together, the mean weighted by rows', () => {
    const sum = createStatisticsSum();
    const [first, second] = [sum.source(), sum.source()];
    first(told([], [shadowOf(10, 1, 3)]));
    first(told([], [shadowOf(30, 1, 4)]));
    second(told([], [shadowOf(10, 5, 2)]));
    sum.source()(told([]));
    assert.deepEqual(sum.totals().shadows, [
      { ...shadowOf(40, 2, 4), equalRows: 2, failedRequests: 2, skippedRequests: 4 },
    ]);
  });
});
