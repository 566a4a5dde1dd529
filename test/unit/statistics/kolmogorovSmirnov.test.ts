import assert from 'node:assert/strict';
import fc from 'fast-check';
import { kolmogorovUpperTail } from '../../../src/statistics/kolmogorovDistribution.ts';
import { kolmogorovSmirnov } from '../../../src/statistics/kolmogorovSmirnov.ts';
import { assertClose, scrambled } from './sequences.ts';

/** n, m, shift and scale of the second sample; statistic and p of scipy 1.17's `ks_2samp`. */
const golden = [
  [8, 5, 0.2, 1, 0.275, 0.9160839160839161],
  [20, 20, 0.1, 1, 0.1, 0.9999923931635496],
  [100, 57, 0.05, 1.1, 0.1480701754385965, 0.36066388885920786],
  [1000, 999, 0.03, 1, 0.03199099099099099, 0.6664806687787855],
  [1000, 1000, 0.03, 1, 0.032, 0.6854967337920594],
  [9000, 10000, 0.02, 1, 0.020177777777777777, 0.04158523539633373],
  [12000, 30, 0.1, 1, 0.12541666666666668, 0.6865627032175384],
  [20000, 15000, 0.01, 1, 0.010349999999999998, 0.3153676053876753],
  [20000, 15000, 0.3, 1, 0.3003166666666667, 0],
  [10001, 3, 0, 1, 0.27840549278405496, 0.9330341245216867],
  [150, 20000, 0, 1.05, 0.05086666666666673, 0.8164572190317853],
] as const;

/** n, m, and how many distinct values; statistic and p of scipy's `ks_2samp`. */
const goldenTies = [
  [200, 300, 5, 0.26666666666666666, 5.7286827398050775e-8],
  [50, 40, 3, 0.235, 0.1476644302036443],
  [11000, 500, 7, 0.28309090909090917, 2.1911123415181686e-34],
] as const;

/** n and d; scipy's `kstwo.sf(d, n)`. At least one in each branch of the algorithm. */
const goldenTail = [
  [1, 0.7, 0.6000000000000001],
  [3, 0.3, 0.8862222222222222],
  [10, 0.09, 0.9999610360566907],
  [10, 0.1, 0.99963712],
  [10, 0.25, 0.4841115325000003],
  [50, 0.07, 0.9527143282206619],
  [50, 0.11, 0.5439007965907301],
  [50, 0.2, 0.03143877776953241],
  [50, 0.6, 9.634070456142374e-18],
  [139, 0.15, 0.0033999069984010214],
  [200, 0.04, 0.8932878117043649],
  [200, 0.09, 0.07358925139953587],
  [200, 0.15, 0.0002154191244887308],
  [5000, 0.005, 0.9995858441477996],
  [5000, 0.012, 0.4639912166690191],
  [5000, 0.02, 0.03613941395325637],
  [5000, 0.2, 9.004289573855005e-176],
  [150000, 0.002, 0.5852546878861703],
  [150000, 0.005, 0.001102453936024622],
  [500000, 0.0169, 1.7761140352055134e-124],
] as const;

const values = fc.array(
  fc.oneof(
    fc.integer({ min: -3, max: 3 }),
    fc.double({ noNaN: true }),
    fc.constant(Number.NEGATIVE_INFINITY),
  ),
  { minLength: 1, maxLength: 40 },
);
const test = (first: readonly number[], second: readonly number[]) =>
  kolmogorovSmirnov(Float64Array.from(first).sort(), Float64Array.from(second).sort());

describe('Kolmogorov-Smirnov test', () => {
  it('gives the statistic and p-value of scipy', () => {
    for (const [n, m, shift, scale, statistic, pValue] of golden) {
      const result = test([...scrambled(n, 7919, 10007)], [...scrambled(m, 6101, 9973, shift, scale)]);
      assertClose(result.statistic, statistic, 1e-12, `D of ${n} and ${m}`);
      assertClose(result.pValue, pValue, 1e-11, `p of ${n} and ${m}`);
    }
  });

  it('gives the statistic and p-value of scipy where values are tied', () => {
    for (const [n, m, distinct, statistic, pValue] of goldenTies) {
      const first = Array.from({ length: n }, (_, index) => ((index + 1) * 7919) % distinct);
      const second = Array.from({ length: m }, (_, index) =>
        (index + 1) % 3 === 0 ? distinct - 1 : Math.floor((((index + 1) * 6101) % distinct ** 2) / distinct),
      );
      const result = test(first, second);
      assertClose(result.statistic, statistic, 1e-12, `D of ${n} and ${m}`);
      assertClose(result.pValue, pValue, 1e-11, `p of ${n} and ${m}`);
    }
  });

  it('gives the one-sample tail of scipy in every range of its algorithm', () => {
    for (const [n, d, tail] of goldenTail) {
      assertClose(kolmogorovUpperTail(d, n), tail, 1e-11, `P(D ≥ ${d}) of ${n}`);
    }
  });

  it('counts the distance as its definition says', () => {
    fc.assert(
      fc.property(values, values, (first, second) => {
        const share = (side: readonly number[], limit: number) =>
          side.filter((value) => value <= limit).length / side.length;
        const distance = Math.max(
          ...[...first, ...second].map((limit) => Math.abs(share(first, limit) - share(second, limit))),
        );
        assert.ok(Math.abs(test(first, second).statistic - distance) < 1e-12);
      }),
    );
  });

  it('is symmetric, and does not depend on an order or on a monotone change of scale', () => {
    fc.assert(
      fc.property(values, values, (first, second) => {
        const result = test(first, second);
        assert.deepEqual(test(second, first), result);
        assert.deepEqual(test([...first].reverse(), second), result);
        const stretched = (side: readonly number[]) =>
          side.map((value) => Math.sign(value) * Math.log1p(Math.abs(value)));
        assert.ok(test(stretched(first), stretched(second)).statistic <= result.statistic + 1e-12);
      }),
    );
  });

  it('stays between 0 and 1, and says 0 and 1 for a sample and itself', () => {
    fc.assert(
      fc.property(values, values, (first, second) => {
        const { statistic, pValue } = test(first, second);
        assert.ok(statistic >= 0 && statistic <= 1 && pValue >= 0 && pValue <= 1);
        assert.deepEqual(test(first, first), { statistic: 0, pValue: 1 });
      }),
    );
  });

  it('says nothing about an empty side', () => {
    assert.deepEqual(test([], [1, 2]), { statistic: 0, pValue: 1 });
  });

  it('gives the exact probability that all of one sample lies below the other', () => {
    // 2 of the C(7, 3) orders of two samples are as extreme.
    assertClose(test([1, 2, 3], [4, 5, 6, 7]).pValue, 2 / 35, 1e-14, 'p');
  });
});
