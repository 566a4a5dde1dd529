import { binomialDensity, stirlingError } from './gamma.ts';
import { durbinCdf, pelzGoodCdf, pomeranzCdf } from './kolmogorovCdf.ts';

/**
 * P(Dₙ ≥ d): the upper tail of the one-sample, two-sided Kolmogorov-Smirnov statistic of `n` values (n ≥ 1).
 *
 * Picks among exact formulas and approximations as R. Simard and P. L'Ecuyer do in "Computing the two-sided
 * Kolmogorov-Smirnov distribution" (Journal of Statistical Software 39, 2011), in the version of scipy's `kstwo.sf`
 * (`_ksstats.py`, BSD-3-Clause), with which it agrees to about 1e-10 relative.
 */
export function kolmogorovUpperTail(d: number, n: number): number {
  if (d >= 1) return 0;
  const t = n * d;
  if (t <= 0.5) return 1;
  if (t <= 1) return 1 - rubenGambino(n, t);
  if (t >= n - 1) return 2 * (1 - d) ** n;
  if (d >= 0.5) return clip(2 * smirnovUpperTail(d, n));
  const nd2 = t * d;
  if (n <= 140) {
    if (nd2 <= 0.754693) return clip(1 - durbinCdf(d, n));
    if (nd2 <= 4) return clip(1 - pomeranzCdf(d, n));
    return clip(2 * smirnovUpperTail(d, n));
  }
  if (nd2 >= 370) return 0;
  if (nd2 >= 2.2) return clip(2 * smirnovUpperTail(d, n));
  return clip(1 - (n <= 100_000 && n * d ** 1.5 <= 1.4 ? durbinCdf(d, n) : pelzGoodCdf(d, n)));
}

/**
 * P(Dₙ⁺ ≥ d): the upper tail of the one-sided statistic, 0 < d < 1, by the formula of Smirnov and of Birnbaum and
 * Tingey. All its terms are positive binomial probabilities, so each is computed to about 1e-14 relative.
 */
export function smirnovUpperTail(d: number, n: number): number {
  let sum = 0;
  for (let j = 0; j < n; j += 1) {
    const p = d + j / n;
    const oneMinusP = (n - j - n * d) / n;
    if (oneMinusP <= 0) break;
    sum += (d / p) * binomialDensity(j, n, p, oneMinusP);
  }
  return sum;
}

/** P(Dₙ ≤ d) for 1/2n < d ≤ 1/n: n! (2d − 1/n)ⁿ, as a cumulative probability. */
function rubenGambino(n: number, t: number): number {
  const logarithm = stirlingError(n) + 0.5 * Math.log(2 * Math.PI * n) - n + n * Math.log(2 * t - 1);
  return clip(Math.exp(logarithm));
}

function clip(probability: number): number {
  return Math.min(Math.max(probability, 0), 1);
}
