import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import {
  chiSquareContingency,
  chiSquareQuantile,
  chiSquareUpperTail,
} from '../../src/statistics/chiSquare.ts';
import { upperGamma } from '../../src/statistics/gamma.ts';
import { hypergeometricUpperTail } from '../../src/statistics/hypergeometric.ts';
import { kolmogorovUpperTail } from '../../src/statistics/kolmogorovDistribution.ts';
import { kolmogorovSmirnov } from '../../src/statistics/kolmogorovSmirnov.ts';
import { pythonWithPeers } from '../python.ts';
import { assertClose } from '../unit/statistics/sequences.ts';

/** What `scipyReference.py` prints: arguments of each function, then what scipy says. */
interface ScipyReference {
  readonly samples: readonly {
    readonly first: number[];
    readonly second: number[];
    readonly statistic: number;
    readonly pValue: number;
  }[];
  readonly kolmogorovTails: readonly [d: number, n: number, tail: number][];
  readonly gammas: readonly [a: number, x: number, value: number][];
  readonly chiSquareTails: readonly [statistic: number, degrees: number, tail: number][];
  readonly chiSquareQuantiles: readonly [tail: number, degrees: number, quantile: number][];
  readonly tables: readonly {
    readonly first: number[];
    readonly second: number[];
    readonly statistic: number;
    readonly pValue: number;
  }[];
  readonly hypergeometrics: readonly [
    found: number,
    drawn: number,
    marked: number,
    all: number,
    tail: number,
  ][];
}

describe('statistics beside scipy', () => {
  let scipy: ScipyReference;

  before(function () {
    const script = join(import.meta.dirname, '../fixtures/python/scipyReference.py');
    const run = spawnSync(pythonWithPeers(this), [script], { encoding: 'utf8', maxBuffer: 2 ** 28 });
    if (run.status !== 0) throw new Error(run.stderr);
    scipy = JSON.parse(run.stdout);
  });

  it('has the Kolmogorov-Smirnov test of two samples, exact and large, tied and not', () => {
    for (const { first, second, statistic, pValue } of scipy.samples) {
      const result = kolmogorovSmirnov(Float64Array.from(first).sort(), Float64Array.from(second).sort());
      const what = `${first.length} and ${second.length} values`;
      assertClose(result.statistic, statistic, 1e-12, `statistic of ${what}`);
      assertClose(result.pValue, pValue, 1e-10, `p of ${what}`);
    }
  });

  it('has the tail of the Kolmogorov distribution', () => {
    for (const [d, n, tail] of scipy.kolmogorovTails) {
      assertClose(kolmogorovUpperTail(d, n), tail, 1e-10, `P(D ≥ ${d}) of ${n}`);
    }
  });

  it('has the upper incomplete gamma function', () => {
    for (const [a, x, value] of scipy.gammas) assertClose(upperGamma(a, x), value, 1e-11, `Q(${a}, ${x})`);
  });

  it('has tails and quantiles of chi-square', () => {
    for (const [statistic, degrees, tail] of scipy.chiSquareTails) {
      assertClose(chiSquareUpperTail(statistic, degrees), tail, 1e-11, `tail of ${statistic}, ${degrees}`);
    }
    for (const [tail, degrees, quantile] of scipy.chiSquareQuantiles) {
      assertClose(chiSquareQuantile(tail, degrees), quantile, 1e-11, `quantile of ${tail}, ${degrees}`);
    }
  });

  it('has the chi-square test of a contingency table', () => {
    for (const { first, second, statistic, pValue } of scipy.tables) {
      const result = chiSquareContingency(first, second);
      assertClose(result.statistic, statistic, 1e-11, `statistic of ${first} and ${second}`);
      assertClose(result.pValue, pValue, 1e-9, `p of ${first} and ${second}`);
    }
  });

  it('has the hypergeometric tail', () => {
    for (const [found, drawn, marked, all, tail] of scipy.hypergeometrics) {
      assertClose(
        hypergeometricUpperTail(found, drawn, marked, all),
        tail,
        1e-9,
        `${found} of ${drawn}, ${marked}, ${all}`,
      );
    }
  });
});
