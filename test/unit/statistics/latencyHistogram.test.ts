import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  latencyBucket,
  latencyBucketBound,
  latencyBucketCount,
  latencyPercentile,
} from '../../../src/statistics/latencyHistogram.ts';

describe('latency histogram', () => {
  it('puts each latency into the bucket whose bounds hold it', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (microseconds) => {
        const bucket = latencyBucket(microseconds);
        assert.ok(bucket >= 0 && bucket < latencyBucketCount);
        if (bucket > 0) assert.ok(microseconds > latencyBucketBound(bucket - 1) * (1 - 1e-9));
        if (bucket < latencyBucketCount - 1)
          assert.ok(microseconds <= latencyBucketBound(bucket) * (1 + 1e-9));
      }),
    );
    assert.ok(latencyBucketBound(latencyBucketCount - 2) > 60e6, 'a minute has a bucket of its own');
    for (let bucket = 0; bucket < latencyBucketCount - 1; bucket += 1) {
      assert.equal(latencyBucket(latencyBucketBound(bucket)), bucket);
    }
  });

  it('tells every percentile to within 5 %', () => {
    const latency = fc.double({ min: 20, max: 60e6, noNaN: true });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(latency, { minLength: 1, maxLength: 200 }), share, (latencies, wanted) => {
        const counts = new Float64Array(latencyBucketCount);
        for (const value of latencies) {
          const bucket = latencyBucket(value);
          counts[bucket] = (counts[bucket] ?? 0) + 1;
        }
        const sorted = latencies.toSorted((one, other) => one - other);
        const exact = sorted[Math.max(1, Math.ceil(wanted * sorted.length)) - 1] ?? Number.NaN;
        const found = latencyPercentile(counts, wanted) ?? Number.NaN;
        assert.ok(Math.abs(found / exact - 1) < 0.05, `${found} instead of ${exact}`);
      }),
    );
    assert.equal(latencyPercentile(new Float64Array(latencyBucketCount), 0.5), null);
  });
});
