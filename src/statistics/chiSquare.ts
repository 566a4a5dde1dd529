import { gammaKernel, upperGamma } from './gamma.ts';

/** P(X ≥ statistic) of a chi-square distribution; `degreesOfFreedom` > 0. */
export function chiSquareUpperTail(statistic: number, degreesOfFreedom: number): number {
  return upperGamma(degreesOfFreedom / 2, statistic / 2);
}

/**
 * The value that a chi-square variable exceeds with probability `tail` (0 < tail < 1): 3.84 for a tail of 0.05 and one
 * degree of freedom. Newton's method from the Wilson-Hilferty approximation, kept positive; about 1e-13 relative.
 */
export function chiSquareQuantile(tail: number, degreesOfFreedom: number): number {
  const shape = degreesOfFreedom / 2;
  const scale = 2 / (9 * degreesOfFreedom);
  let x = Math.max(
    degreesOfFreedom * (1 - scale + normalQuantile(tail) * Math.sqrt(scale)) ** 3,
    Number.MIN_VALUE ** 0.25,
  );
  for (let step = 0; step < 100; step += 1) {
    const density = (gammaKernel(shape, x / 2) * shape) / x;
    const next = x + (upperGamma(shape, x / 2) - tail) / density;
    const positive = next > 0 ? next : x / 2;
    if (Math.abs(positive - x) <= 1e-14 * x) return positive;
    x = positive;
  }
  return x;
}

/** Upper normal quantile, good to 4.5e-4: only a starting point. Source: Abramowitz and Stegun 26.2.23. */
function normalQuantile(tail: number): number {
  if (tail > 0.5) return -normalQuantile(1 - tail);
  const t = Math.sqrt(-2 * Math.log(tail));
  return (
    t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
  );
}

export interface ContingencyResult {
  readonly statistic: number;
  readonly pValue: number;
}

/**
 * Pearson's chi-square test that two samples, given as counts by level in the same order, have one distribution
 * (a 2×K table, as scipy's `chi2_contingency` without Yates' correction). Levels that neither side has are left out.
 * With fewer than two levels, or an empty side, nothing can differ: statistic 0, p 1.
 */
export function chiSquareContingency(first: ArrayLike<number>, second: ArrayLike<number>): ContingencyResult {
  const firstTotal = total(first);
  const secondTotal = total(second);
  const all = firstTotal + secondTotal;
  let statistic = 0;
  let levels = 0;
  for (let level = 0; level < first.length; level += 1) {
    const inFirst = first[level] ?? 0;
    const inSecond = second[level] ?? 0;
    const inBoth = inFirst + inSecond;
    if (inBoth === 0) continue;
    levels += 1;
    // Both cells of a level are off by the same amount, so one difference serves both.
    const difference = (inFirst * secondTotal - inSecond * firstTotal) / all;
    statistic += (difference * difference * all * all) / (inBoth * firstTotal * secondTotal);
  }
  if (levels < 2 || firstTotal === 0 || secondTotal === 0) return { statistic: 0, pValue: 1 };
  return { statistic, pValue: chiSquareUpperTail(statistic, levels - 1) };
}

/** The sum of counts. */
export function total(counts: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < counts.length; index += 1) sum += counts[index] ?? 0;
  return sum;
}
