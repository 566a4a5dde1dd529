import assert from 'node:assert/strict';
import fc from 'fast-check';
import { smooth } from '../../../src/statistics/exponentialAverage.ts';

describe('smoothing', () => {
  it('agrees with the sum that it stands for', () => {
    const smoothed = smooth(Float64Array.of(1, 3, 2), 0.5);
    const expected = [1, (0.25 * 1 + 0.5 * 3) / 0.75, (0.125 * 1 + 0.25 * 3 + 0.5 * 2) / 0.875];
    for (const [index, value] of expected.entries()) {
      assert.ok(Math.abs((smoothed[index] ?? Number.NaN) - value) < 1e-12);
    }
  });

  it('leaves a constant as it is, also from the start', () => {
    for (const value of smooth(new Float64Array(20).fill(7), 0.9)) assert.ok(Math.abs(value - 7) < 1e-9);
  });

  it('stays within what was logged', () => {
    const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 0.99, noNaN: true }), (logged, weight) => {
        const low = Math.min(...logged);
        const high = Math.max(...logged);
        for (const value of smooth(Float64Array.from(logged), weight)) {
          assert.ok(value >= low - 1e-6 && value <= high + 1e-6);
        }
      }),
    );
  });

  it('passes non-finite values on and keeps them out of the average', () => {
    const smoothed = smooth(Float64Array.of(2, Number.NaN, Number.POSITIVE_INFINITY, 2), 0.5);
    assert.deepEqual([...smoothed], [2, Number.NaN, Number.POSITIVE_INFINITY, 2]);
  });
});
