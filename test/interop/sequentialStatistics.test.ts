import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { probabilityHigher } from '../../src/statistics/betterArm.ts';
import { logGamma } from '../../src/statistics/gamma.ts';
import { betaDensity, incompleteBeta } from '../../src/statistics/incompleteBeta.ts';
import { meanOf, momentsOf, varianceOf } from '../../src/statistics/moments.ts';
import { compareMeans, shareAlwaysValid } from '../../src/statistics/sequentialTest.ts';
import { pythonWithPeers } from '../python.ts';
import { assertClose } from '../unit/statistics/sequences.ts';

/** What `sequentialReference.py` prints: arguments of each function, then what scipy says. */
interface ScipyReference {
  readonly means: readonly {
    readonly first: readonly number[];
    readonly second: readonly number[];
    readonly tau: number;
    readonly pValue: number;
  }[];
  readonly shares: readonly [successes: number, trials: number, expected: number, pValue: number][];
  readonly higher: readonly [a: number, b: number, c: number, d: number, probability: number][];
  readonly incompleteBetas: readonly [x: number, a: number, b: number, value: number][];
  readonly betaDensities: readonly [x: number, a: number, b: number, value: number][];
  readonly logGammas: readonly [x: number, value: number][];
}

describe('sequential statistics beside scipy', () => {
  let scipy: ScipyReference;

  before(function () {
    const script = join(import.meta.dirname, '../fixtures/python/sequentialReference.py');
    const run = spawnSync(pythonWithPeers(this), [script], { encoding: 'utf8', maxBuffer: 2 ** 28 });
    if (run.status !== 0) throw new Error(run.stderr);
    scipy = JSON.parse(run.stdout);
  });

  it('has the likelihood ratio of the normal mixture', () => {
    for (const { first, second, tau, pValue } of scipy.means) {
      const [one, other] = [momentsOf(first), momentsOf(second)].map((moments) => ({
        count: moments.count,
        mean: meanOf(moments) ?? 0,
        variance: varianceOf(moments),
      }));
      if (!one || !other) throw new Error('unreachable');
      const result = compareMeans(one, other, { tau, significance: 0.05 });
      assertClose(result.pValue, pValue, 1e-7, `${first.length} values, tau ${tau}`);
    }
  });

  it('has the likelihood ratio of the beta mixture', () => {
    for (const [successes, trials, expected, pValue] of scipy.shares) {
      const own = shareAlwaysValid(successes, trials, expected);
      assertClose(own, pValue, 1e-8, `${successes} of ${trials}, expected ${expected}`);
    }
  });

  it('has the probability that one share is higher than another', () => {
    for (const [a, b, c, d, probability] of scipy.higher) {
      assertClose(probabilityHigher({ a, b }, { a: c, b: d }), probability, 1e-6, `${a}, ${b}, ${c}, ${d}`);
    }
  });

  it('has the beta distribution and ln Γ', () => {
    for (const [x, a, b, value] of scipy.incompleteBetas) {
      assertClose(incompleteBeta(x, a, b), value, 1e-9, `I_${x}(${a}, ${b})`);
    }
    for (const [x, a, b, value] of scipy.betaDensities) {
      assertClose(betaDensity(x, a, b), value, 1e-10, `density of Beta(${a}, ${b}) at ${x}`);
    }
    for (const [x, value] of scipy.logGammas) assertClose(logGamma(x), value, 1e-12, `lnΓ(${x})`);
  });
});
