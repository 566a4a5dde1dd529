import assert from 'node:assert/strict';
import fc from 'fast-check';
import { probabilityHigher, probabilityOfBetterReward } from '../../../src/statistics/betterArm.ts';
import { momentsOf, noMoments } from '../../../src/statistics/moments.ts';
import { normal, seededRandom } from './sequences.ts';

/** A gamma distributed value of scale 1 for a shape from 1 on. Source: Marsaglia and Tsang, "A simple method" (2000). */
function gammaDraw(shape: number, random: () => number): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(random()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

function betaDraw({ a, b }: { readonly a: number; readonly b: number }, random: () => number): number {
  const first = gammaDraw(a, random);
  return first / (first + gammaDraw(b, random));
}

const bernoulli = (rate: number, random: () => number) => (random() < rate ? 1 : 0);

describe('the better of two arms', () => {
  it('has the share of draws from both posteriors that Thompson sampling would send there', () => {
    const random = seededRandom(7);
    const shape = () => 1 + 200 * random() * random();
    for (let pair = 0; pair < 20; pair += 1) {
      const [first, second] = [
        { a: shape(), b: shape() },
        { a: shape(), b: shape() },
      ];
      const draws = 20_000;
      let higher = 0;
      for (let draw = 0; draw < draws; draw += 1) {
        if (betaDraw(first, random) > betaDraw(second, random)) higher += 1;
      }
      const exact = probabilityHigher(first, second);
      assert.ok(Math.abs(exact - higher / draws) < 0.016, `${JSON.stringify([first, second])}: ${exact}`);
    }
  });

  it('is a probability, and one minus that of the other', () => {
    const shape = fc.double({ min: 1, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(shape, shape, shape, shape, (a, b, c, d) => {
        const first = probabilityHigher({ a, b }, { a: c, b: d });
        const second = probabilityHigher({ a: c, b: d }, { a, b });
        assert.ok(first >= 0 && first <= 1);
        assert.ok(Math.abs(first + second - 1) < 1e-6, `${first} and ${second}`);
      }),
      {
        examples: [
          [1, 1, 1 + 1e-15, 1],
          [1, 1 + 1e-15, 1 + 3e-15, 1],
        ],
      },
    );
  });

  it('gets most of the requests of a bandit whose arms pay 10 % and 12 %', () => {
    const random = seededRandom(11);
    let betterShare = 0;
    const bandits = 40;
    for (let bandit = 0; bandit < bandits; bandit += 1) {
      let candidate = noMoments;
      let stable = noMoments;
      const requests = 5000;
      const rewards: [number[], number[]] = [[], []];
      for (let look = 0; look < 50; look += 1) {
        const share = probabilityOfBetterReward(candidate, stable);
        for (let request = 0; request < requests / 50; request += 1) {
          if (random() < share) rewards[0].push(bernoulli(0.12, random));
          else rewards[1].push(bernoulli(0.1, random));
        }
        candidate = momentsOf(rewards[0]);
        stable = momentsOf(rewards[1]);
      }
      betterShare += candidate.count / requests / bandits;
    }
    assert.ok(betterShare > 0.7 && betterShare < 0.92, String(betterShare));
  });

  it('is unknown while nothing was rewarded, and found by means where rewards are amounts', () => {
    assert.equal(probabilityOfBetterReward(noMoments, noMoments), 0.5);
    assert.ok(Math.abs(probabilityOfBetterReward(momentsOf([1]), noMoments) - 2 / 3) < 1e-6);
    const amounts = (mean: number) => momentsOf(Array.from({ length: 30 }, (_, index) => mean + (index % 3)));
    assert.ok(probabilityOfBetterReward(amounts(12), amounts(10)) > 0.999);
    assert.ok(probabilityOfBetterReward(amounts(10), amounts(12)) < 0.001);
    assert.equal(probabilityOfBetterReward(momentsOf([5, 6]), amounts(1)), 0.5, 'too few');
    assert.equal(probabilityOfBetterReward(momentsOf(Array(20).fill(3)), momentsOf(Array(20).fill(2))), 1);
  });
});
