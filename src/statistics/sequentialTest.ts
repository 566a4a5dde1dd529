import { logGamma } from './gamma.ts';

/**
 * Tests whose result may be looked at any number of times. With an ordinary test, whoever looks fifty times and stops at
 * the first p-value below 5 % is wrong in about 30 % of the cases in which nothing differs; with these in at most 5 %.
 */

/** One side of a comparison of means. */
export interface MeanOfSide {
  /** Of the values; may be infinite for a mean that is known. */
  readonly count: number;
  readonly mean: number;
  /** Of one value. */
  readonly variance: number;
}

export interface SequentialComparison {
  /** The first side's mean minus the second one's. */
  readonly difference: number;
  /**
   * The probability of ever meeting so clear a difference when there is none. Whoever looks repeatedly keeps the
   * smallest one.
   */
  readonly pValue: number;
  /** The confidence sequence: holds the true difference at all looks together with probability 1 − significance. */
  readonly low: number;
  readonly high: number;
}

export interface SequentialOptions {
  /** The standard deviation of the differences that the test is tuned to find, in the unit of the means. */
  readonly tau: number;
  readonly significance: number;
}

/**
 * The mixture sequential probability ratio test (mSPRT) of the difference of two means, with a normal mixture
 * N(0, tau²) over the alternatives. With V the variance of the difference d, the likelihood ratio is
 *
 *     Λ = √(V / (V + tau²)) · exp(tau² d² / (2 V (V + tau²)))
 *
 * and 1 / Λ the always valid p-value. Source: R. Johari, P. Koomen, L. Pekelis, D. Walsh, "Always valid inference:
 * continuous monitoring of A/B tests", Operations Research 70 (2022).
 */
export function compareMeans(
  first: MeanOfSide,
  second: MeanOfSide,
  { tau, significance }: SequentialOptions,
): SequentialComparison {
  const difference = first.mean - second.mean;
  const variance = first.variance / first.count + second.variance / second.count;
  const nothing = { difference, pValue: 1, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  if (first.count < 2 || second.count < 2) return nothing;
  if (variance === 0)
    return { ...nothing, pValue: difference === 0 ? 1 : 0, low: difference, high: difference };
  if (tau <= 0) return nothing;
  const mixed = variance + tau * tau;
  const logRatio =
    0.5 * Math.log(variance / mixed) + (tau * tau * difference * difference) / (2 * variance * mixed);
  const reach = Math.sqrt(
    ((2 * variance * mixed) / (tau * tau)) * (0.5 * Math.log(mixed / variance) - Math.log(significance)),
  );
  return {
    difference,
    pValue: Math.min(1, Math.exp(-logRatio)),
    low: difference - reach,
    high: difference + reach,
  };
}

/**
 * The mSPRT of the difference of two shares. For rare events, such as failures, or when one side is much smaller,
 * `shareAlwaysValid` is exact where this is not.
 */
export function compareShares(
  first: { readonly count: number; readonly successes: number },
  second: { readonly count: number; readonly successes: number },
  options: SequentialOptions,
): SequentialComparison {
  return compareMeans(shareAsMean(first), shareAsMean(second), options);
}

/**
 * A share as the mean of zeros and ones. Half a success and half a failure are added for its variance, so that a side
 * without successes is not taken for one that cannot have any.
 */
export function shareAsMean({
  count,
  successes,
}: {
  readonly count: number;
  readonly successes: number;
}): MeanOfSide {
  const smoothed = (successes + 0.5) / (count + 1);
  return { count, mean: count === 0 ? 0 : successes / count, variance: smoothed * (1 - smoothed) };
}

/**
 * The always valid p-value of the hypothesis that events come with the probability `expected`, 0 < expected < 1, after
 * `successes` of `trials`: the mSPRT with a Beta(½, ½) mixture. Exact for any number of trials, so that it serves for rare
 * events; the likelihood ratio is B(s + ½, n − s + ½) / (π pˢ (1 − p)ⁿ⁻ˢ).
 *
 * Source: H. Robbins, "Statistical methods related to the law of the iterated logarithm" (1970), with the mixture of
 * Krichevsky and Trofimov.
 */
export function shareAlwaysValid(successes: number, trials: number, expected: number): number {
  const failures = trials - successes;
  const logRatio =
    logGamma(successes + 0.5) +
    logGamma(failures + 0.5) -
    logGamma(trials + 1) -
    Math.log(Math.PI) -
    successes * Math.log(expected) -
    failures * Math.log1p(-expected);
  return Math.min(1, Math.exp(-logRatio));
}
