import assert from 'node:assert/strict';
import fc from 'fast-check';
import { meanOf, momentsOf, varianceOf } from '../../../src/statistics/moments.ts';
import { compareMeans, compareShares, shareAlwaysValid } from '../../../src/statistics/sequentialTest.ts';
import { normal, seededRandom } from './sequences.ts';

/** Looks that are taken of each simulated test, evenly over it. */
const looks = 50;
const simulations = 2000;
const options = { tau: 0.02, significance: 0.05 };

interface Split {
  readonly first: number;
  readonly second: number;
}

interface Simulated {
  readonly rates: Split;
  /** Of each side in all. */
  readonly counts: Split;
}

type Counted = { readonly count: number; readonly successes: number };

/** The share of simulated tests in which some look at both sides decides. */
function decided(
  seed: number,
  { rates, counts }: Simulated,
  decides: (first: Counted, second: Counted) => boolean,
) {
  const random = seededRandom(seed);
  const draw = (count: number, rate: number) => {
    let successes = 0;
    for (let trial = 0; trial < count; trial += 1) if (random() < rate) successes += 1;
    return successes;
  };
  let decisions = 0;
  for (let simulation = 0; simulation < simulations; simulation += 1) {
    let first: Counted = { count: 0, successes: 0 };
    let second: Counted = { count: 0, successes: 0 };
    for (let look = 0; look < looks; look += 1) {
      const [here, there] = [counts.first / looks, counts.second / looks];
      first = { count: first.count + here, successes: first.successes + draw(here, rates.first) };
      second = { count: second.count + there, successes: second.successes + draw(there, rates.second) };
      if (decides(first, second)) {
        decisions += 1;
        break;
      }
    }
  }
  return decisions / simulations;
}

/** The test of two shares that books teach, for one look. */
function zTest(first: Counted, second: Counted): boolean {
  const pooled = (first.successes + second.successes) / (first.count + second.count);
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / first.count + 1 / second.count));
  const difference = first.successes / first.count - second.successes / second.count;
  return deviation > 0 && Math.abs(difference) / deviation > 1.959964;
}

const mixtureTest = (first: Counted, second: Counted) => compareShares(first, second, options).pValue <= 0.05;

/** Whether the first side has more than its share of all successes. */
const failuresTest = (first: Counted, second: Counted) =>
  shareAlwaysValid(
    first.successes,
    first.successes + second.successes,
    first.count / (first.count + second.count),
  ) <= 0.05;

describe('sequential tests', function () {
  this.timeout(120_000);
  const even = { first: 5000, second: 5000 };
  const same = { rates: { first: 0.1, second: 0.1 }, counts: even };

  describe('looked at fifty times while nothing differs', () => {
    it('the ordinary test is wrong in about 30 %, the mSPRT in at most 5 %', () => {
      const naive = decided(1, same, zTest);
      const sequential = decided(1, same, mixtureTest);
      assert.ok(naive > 0.25 && naive < 0.36, `ordinary test: ${naive}`);
      assert.ok(sequential < 0.03, `mSPRT: ${sequential}`);
    });

    it('the test of rare failures is wrong in at most 5 %, also where a canary has a twentieth of the requests', () => {
      for (const rate of [0.001, 0.01, 0.1]) {
        const wrong = decided(
          2,
          { rates: { first: rate, second: rate }, counts: { first: 500, second: 9500 } },
          failuresTest,
        );
        assert.ok(wrong < 0.05, `rate ${rate}: ${wrong}`);
      }
    });

    it('the mSPRT of means is wrong in at most 5 %, of skewed values too', () => {
      for (const draw of [normal, (random: () => number) => -Math.log(1 - random())]) {
        const random = seededRandom(3);
        let wrong = 0;
        for (let simulation = 0; simulation < 1000; simulation += 1) {
          const [first, second] = [0, 1].map(() => Array.from({ length: 1500 }, () => draw(random)));
          const decides = Array.from({ length: 30 }, (_, look) => (look + 1) * 50).some((count) => {
            const [one, other] = [first, second].map((values) => {
              const moments = momentsOf(values?.slice(0, count) ?? []);
              return { count, mean: meanOf(moments) ?? 0, variance: varianceOf(moments) };
            });
            return one && other && compareMeans(one, other, { tau: 0.1, significance: 0.05 }).pValue <= 0.05;
          });
          if (decides) wrong += 1;
        }
        assert.ok(wrong / 1000 < 0.05, String(wrong / 1000));
      }
    });
  });

  it('find a rise from 10 % to 13 % in more than nine of ten cases', () => {
    const rise = { rates: { first: 0.13, second: 0.1 }, counts: even };
    const found = decided(4, rise, mixtureTest);
    assert.ok(found >= 0.9, `mSPRT: ${found}`);
    const failuresFound = decided(4, rise, failuresTest);
    assert.ok(failuresFound >= 0.8, `test of failures: ${failuresFound}`);
  });

  it('find that a canary fails one in ten requests after a handful of failures', () => {
    assert.ok(shareAlwaysValid(1, 1, 0.05) > 0.05, 'one failure is no evidence');
    assert.ok(shareAlwaysValid(3, 3, 0.05) < 0.01);
    assert.equal(shareAlwaysValid(0, 0, 0.05), 1);
  });

  it('the confidence sequence leaves out zero just when the p-value is below the significance', () => {
    const side = fc
      .record({
        count: fc.integer({ min: 2, max: 100_000 }),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      })
      .map(({ count, share }) => ({ count, successes: Math.round(count * share) }));
    fc.assert(
      fc.property(
        side,
        side,
        fc.double({ min: 0.001, max: 0.4, noNaN: true }),
        (first, second, significance) => {
          const { pValue, low, high, difference } = compareShares(first, second, { tau: 0.03, significance });
          assert.ok(pValue >= 0 && pValue <= 1);
          assert.ok(low <= difference && difference <= high);
          if (Math.abs(pValue - significance) > 1e-9)
            assert.equal(low > 0 || high < 0, pValue < significance);
          const mirrored = compareShares(second, first, { tau: 0.03, significance });
          assert.ok(Math.abs(mirrored.pValue - pValue) < 1e-12);
        },
      ),
    );
  });

  it('without two values on each side say nothing', () => {
    const one = { count: 1, mean: 5, variance: 0 };
    const many = { count: 100, mean: 0, variance: 1 };
    assert.equal(compareMeans(one, many, options).pValue, 1);
    assert.equal(compareMeans(many, one, options).low, Number.NEGATIVE_INFINITY);
    assert.equal(compareMeans(many, many, { ...options, tau: 0 }).pValue, 1);
    const constant = { count: 100, mean: 5, variance: 0 };
    assert.equal(compareMeans(constant, constant, options).pValue, 1);
    assert.equal(compareMeans(constant, { ...constant, mean: 4 }, options).pValue, 0);
  });
});
