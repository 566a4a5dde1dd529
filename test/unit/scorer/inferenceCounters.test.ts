import assert from 'node:assert/strict';
import { createInferenceCounters } from '../../../src/scorer/inferenceCounters.ts';

describe('The counters of a scorer', () => {
  const version = { name: 'wine', version: 3 };

  it('tell runs apart by their rows, and large ones by powers of two, so that their number is bounded', () => {
    const counters = createInferenceCounters();
    for (let rows = 1; rows <= 5000; rows++) {
      counters.executed(version, {
        rows,
        requests: 1,
        queueMicroseconds: 1,
        runMicroseconds: 2,
        succeeded: true,
      });
    }
    const { batches, runCount, rowCount } = counters.of(version);
    assert.equal(runCount, 5000);
    assert.equal(rowCount, (5000 * 5001) / 2);
    assert.deepEqual(
      batches.map(({ rows }) => rows),
      [...Array.from({ length: 64 }, (_, index) => index + 1), 128, 256, 512, 1024, 2048, 4096, 8192],
    );
    assert.deepEqual(batches.at(-1)?.compute, { count: 904, microseconds: 1808 });
  });

  it('count zero for what was never asked', () => {
    const none = { count: 0, microseconds: 0 };
    assert.deepEqual(createInferenceCounters().of(version), {
      lastInference: 0,
      success: none,
      failure: none,
      queue: none,
      compute: none,
      rowCount: 0,
      runCount: 0,
      batches: [],
    });
  });
});
