import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  chiSquareContingency,
  chiSquareQuantile,
  chiSquareUpperTail,
} from '../../../src/statistics/chiSquare.ts';
import { hypergeometricUpperTail } from '../../../src/statistics/hypergeometric.ts';
import { assertClose } from './sequences.ts';

/** Statistic, degrees of freedom; scipy's `chi2.sf`. */
const goldenTail = [
  [3.84, 1, 0.05004352124870519],
  [0.1, 3, 0.9918374237318764],
  [200, 5, 2.8406228986415534e-41],
  [1200, 1000, 1.2255942330622893e-5],
  [50, 50, 0.47339846855634937],
  [1000, 2, 7.124576406741474e-218],
  [1400, 3, 2.945619361016289e-303],
] as const;

/** Tail, degrees of freedom; scipy's `chi2.isf`. */
const goldenQuantile = [
  [0.05, 1, 3.8414588206941285],
  [0.05, 9, 16.91897760462045],
  [0.05, 99, 123.22522145336181],
  [0.01, 4, 13.276704135987625],
  [0.5, 2, 1.386294361119891],
  [0.95, 3, 0.35184631774927166],
] as const;

/** Both rows; scipy's `chi2_contingency(…, correction=False)`. */
const goldenContingency = [
  [[10, 20, 30], [12, 14, 40], 2.388915896937289, 0.3028680798023079],
  [[5, 5], [10, 1], 4.295454545454546, 0.03821437969666881],
  [[100, 0, 30, 7], [80, 9, 60, 1], 25.18504528250879, 1.4124272216983507e-5],
  [[1000, 2000], [1100, 1800], 13.597211419352965, 0.00022652176357753856],
] as const;

/** Found, drawn, marked, all; scipy's `hypergeom.sf(found - 1, …)`. */
const goldenHypergeometric = [
  [3, 50, 10, 1000, 0.011016130146932993],
  [1, 50, 1, 10050, 0.004975124378109453],
  [30, 100, 130, 10100, 8.003223735444913e-34],
  [5, 20, 40, 100, 0.965846017508647],
] as const;

describe('chi-square distribution', () => {
  it('gives the tail of scipy, also where it is tiny', () => {
    for (const [statistic, degrees, tail] of goldenTail) {
      assertClose(chiSquareUpperTail(statistic, degrees), tail, 1e-11, `tail of ${statistic}`);
    }
  });

  it('gives the quantiles of scipy', () => {
    for (const [tail, degrees, quantile] of goldenQuantile) {
      assertClose(chiSquareQuantile(tail, degrees), quantile, 1e-12, `quantile of ${tail}`);
    }
  });

  it('inverts its own tail', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-8, max: 0.999, noNaN: true }),
        fc.integer({ min: 1, max: 500 }),
        (tail, degrees) => {
          assertClose(chiSquareUpperTail(chiSquareQuantile(tail, degrees), degrees), tail, 1e-9, 'tail');
        },
      ),
    );
  });
});

describe('chi-square test of a contingency table', () => {
  it('gives the statistic and p-value of scipy', () => {
    for (const [first, second, statistic, pValue] of goldenContingency) {
      const result = chiSquareContingency(first, second);
      assertClose(result.statistic, statistic, 1e-12, 'statistic');
      assertClose(result.pValue, pValue, 1e-11, 'p');
    }
  });

  it('says p = 1 of two constants, and of an empty side', () => {
    assert.equal(chiSquareContingency([50], [40]).pValue, 1);
    assert.equal(chiSquareContingency([50, 0], [40, 0]).pValue, 1);
    assert.equal(chiSquareContingency([0, 0], [40, 3]).pValue, 1);
  });

  it('is symmetric, and leaves out levels that neither side has', () => {
    const counts = fc.array(fc.tuple(fc.nat(50), fc.nat(50)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(counts, (pairs) => {
        const [first, second] = [pairs.map(([count]) => count), pairs.map(([, count]) => count)];
        const result = chiSquareContingency(first, second);
        const swapped = chiSquareContingency(second, first);
        assert.ok(Math.abs(swapped.statistic - result.statistic) <= 1e-12 * (1 + result.statistic));
        assert.deepEqual(chiSquareContingency([0, ...first], [0, ...second]), result);
        assert.ok(result.pValue >= 0 && result.pValue <= 1);
      }),
    );
  });
});

describe('hypergeometric tail', () => {
  it('gives the tail of scipy', () => {
    for (const [found, drawn, marked, all, tail] of goldenHypergeometric) {
      assertClose(hypergeometricUpperTail(found, drawn, marked, all), tail, 1e-12, `tail of ${found}`);
    }
  });

  it('is 1 for what must happen and 0 for what cannot', () => {
    assert.equal(hypergeometricUpperTail(0, 5, 3, 20), 1);
    assert.equal(hypergeometricUpperTail(4, 5, 3, 20), 0);
    assert.equal(hypergeometricUpperTail(3, 20, 3, 20), 1);
  });
});
