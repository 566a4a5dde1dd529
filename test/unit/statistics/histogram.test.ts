import assert from 'node:assert/strict';
import fc from 'fast-check';
import { categoricalHistogram } from '../../../src/statistics/categories.ts';
import { numericHistogram } from '../../../src/statistics/histogram.ts';
import { normal, sample, seededRandom } from './sequences.ts';

const sum = (shares: readonly number[]) => shares.reduce((total, share) => total + share, 0);

describe('histogram of numbers', () => {
  it('is not stretched by an outlier, and counts it in the last bin', () => {
    const random = seededRandom(1);
    const reference = sample(1000, () => normal(random));
    reference[999] = 1e6;
    const { edges, reference: shares } = numericHistogram(
      reference,
      sample(1000, () => normal(random) + 2),
    );
    assert.ok((edges[0] ?? 0) > -6 && (edges.at(-1) ?? 0) < 10, String(edges));
    assert.ok((shares.at(-1) ?? 0) >= 0.001);
  });

  it('is not stretched by an outlier in twenty rows', () => {
    const reference = Float64Array.from({ length: 20 }, (_, index) => index / 20);
    reference[19] = 1e9;
    assert.ok((numericHistogram(reference, reference).edges.at(-1) ?? 0) < 5);
  });

  it('puts whole numbers into bins of whole width', () => {
    const { edges, reference } = numericHistogram(Float64Array.from([1, 2, 2, 3]), Float64Array.from([2]));
    assert.deepEqual(edges, [0.5, 1.5, 2.5, 3.5]);
    assert.deepEqual(reference, [0.25, 0.5, 0.25]);
  });

  it('has finite ascending edges and shares that sum to 1, whatever the values', () => {
    const values = fc.array(
      fc.oneof(fc.double({ noNaN: true }), fc.integer({ min: -5, max: 5 }), fc.constant(0.1)),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(values, values, (first, second) => {
        const histogram = numericHistogram(Float64Array.from(first).sort(), Float64Array.from(second).sort());
        assert.ok(histogram.edges.every(Number.isFinite));
        assert.ok(
          histogram.edges.every((edge, index) => index === 0 || edge > (histogram.edges[index - 1] ?? edge)),
        );
        for (const [side, shares] of [
          [first, histogram.reference],
          [second, histogram.current],
        ] as const) {
          assert.equal(shares.length, histogram.edges.length - 1);
          assert.ok(Math.abs(sum(shares) - (side.length > 0 ? 1 : 0)) < 1e-9);
        }
      }),
    );
  });
});

describe('histogram of categories', () => {
  it('shows the most frequent levels first and sums up the rest', () => {
    const reference = new Map(Array.from({ length: 30 }, (_, index) => [`level ${index}`, 100 - index]));
    const {
      levels,
      hasOther,
      reference: shares,
      current,
    } = categoricalHistogram(reference, new Map([['new', 10]]));
    assert.equal(levels.length, 20);
    assert.equal(levels[0], 'new');
    assert.equal(levels[1], 'level 0');
    assert.equal(hasOther, true);
    assert.ok(Math.abs(sum(shares) - 1) < 1e-12);
    assert.deepEqual([current[0], sum(current)], [1, 1]);
  });

  it('has no rest when all levels fit', () => {
    assert.equal(categoricalHistogram(new Map([['other', 3]]), new Map()).hasOther, false);
  });
});
