import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  countBetweenEdges,
  justBelow,
  populationStabilityIndex,
  quantileBinCount,
  quantileEdges,
  stabilityLimit,
} from '../../../src/statistics/stabilityIndex.ts';
import { assertClose, scrambled } from './sequences.ts';

const counts = fc
  .array(fc.tuple(fc.nat(100), fc.nat(100)), { minLength: 1, maxLength: 12 })
  .map((pairs) => ({ first: pairs.map(([count]) => count), second: pairs.map(([, count]) => count) }));

describe('population stability index', () => {
  it('is the plain formula where every bin is filled', () => {
    // (.2 − .1) ln 2 + (.3 − .4) ln .75
    const { psi } = populationStabilityIndex([20, 30, 50], [100, 400, 500]);
    assertClose(psi, 0.09808292530117264, 1e-14, 'psi');
  });

  it('is finite, not negative, symmetric and indifferent to the order of bins', () => {
    fc.assert(
      fc.property(counts, ({ first, second }) => {
        const { psi, limit } = populationStabilityIndex(first, second);
        assert.ok(Number.isFinite(psi) && psi >= 0 && Number.isFinite(limit) && limit >= 0.1);
        assert.ok(Math.abs(populationStabilityIndex(second, first).psi - psi) <= 1e-12);
        const reversed = populationStabilityIndex([...first].reverse(), [...second].reverse());
        assert.ok(Math.abs(reversed.psi - psi) <= 1e-12);
        assert.ok(populationStabilityIndex(first, first).psi === 0);
      }),
    );
  });

  it('adds nothing for a bin in which no row was to be expected', () => {
    assert.equal(populationStabilityIndex([9999, 1], [20, 0]).psi < 0.001, true);
  });

  it('asks for more in small samples', () => {
    assertClose(stabilityLimit(10, 2000, 100), 16.91897760462045 * (1 / 2000 + 1 / 100), 1e-12, 'limit');
    assert.equal(stabilityLimit(10, 100_000, 100_000), 0.1);
    assert.equal(stabilityLimit(1, 10, 10), 0.1);
    assert.equal(quantileBinCount(100_000, 12), 2);
    assert.equal(quantileBinCount(100_000, 30), 6);
    assert.equal(quantileBinCount(100_000, 5000), 10);
    assert.equal(quantileBinCount(100_000, 1), 2);
  });
});

describe('quantile bins of the reference', () => {
  it('hold a tenth of the reference each', () => {
    const reference = scrambled(1000, 7919, 10007).sort();
    const edges = quantileEdges(reference, 10);
    assert.deepEqual(
      [...countBetweenEdges(reference, edges)],
      Array.from({ length: 10 }, () => 100),
    );
  });

  it('tell apart what lies below, at and above a constant', () => {
    const edges = quantileEdges(Float64Array.from([5, 5, 5, 5]), 10);
    assert.deepEqual([...countBetweenEdges(Float64Array.from([4, 5, 5, 6, 7]), edges)], [1, 2, 2]);
  });

  it('have distinct edges and count every row once, ties and infinities included', () => {
    const values = fc.array(fc.oneof(fc.integer({ min: -2, max: 2 }), fc.double({ noNaN: true })), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(values, values, fc.integer({ min: 2, max: 10 }), (first, second, bins) => {
        const reference = Float64Array.from(first).sort();
        const edges = quantileEdges(reference, bins);
        assert.ok(edges.every((edge, index) => index === 0 || edge > (edges[index - 1] ?? edge)));
        for (const side of [reference, Float64Array.from(second).sort()]) {
          const inBins = countBetweenEdges(side, edges);
          assert.equal(
            inBins.reduce((sum, count) => sum + count, 0),
            side.length,
          );
          assert.ok(inBins.every((count) => count >= 0));
        }
      }),
    );
  });

  it('finds the next lower double', () => {
    for (const value of [1, -1, 0, 5e-324, 1e308, Number.POSITIVE_INFINITY]) {
      const below = justBelow(value);
      assert.ok(below < value);
      const middle = below + (value - below) / 2;
      assert.ok(middle === below || middle === value || !Number.isFinite(value));
    }
    assert.equal(justBelow(1), 1 - Number.EPSILON / 2);
    assert.equal(justBelow(Number.POSITIVE_INFINITY), Number.MAX_VALUE);
  });
});
