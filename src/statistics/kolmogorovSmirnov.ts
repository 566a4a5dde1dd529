import { kolmogorovUpperTail } from './kolmogorovDistribution.ts';
import { exactTailProbability } from './kolmogorovExact.ts';

export interface KolmogorovSmirnovResult {
  /** The largest distance of the two empirical distribution functions, between 0 and 1. */
  readonly statistic: number;
  /** Two-sided. */
  readonly pValue: number;
}

/** Up to this size of the larger sample p is exact, as in scipy. */
const largestExactSize = 10_000;

/** Where p is surely below the smallest double: P ≤ 2.17 exp(−2 nm/(n+m) D²) (Wei and Dudley, 2012). */
const underflowExponent = 760;

/**
 * The two-sample Kolmogorov-Smirnov test, two-sided. Both samples are sorted ascending and hold no NaN; infinities
 * are values like others. Ties are handled (they make p conservative). An empty side gives statistic 0 and p 1.
 *
 * As scipy's `ks_2samp`: p is exact when neither sample has more than 10,000 values, else the tail of the one-sample
 * distribution with n m / (n + m) values, rounded. Agrees with scipy to 1e-9 relative.
 */
export function kolmogorovSmirnov(first: Float64Array, second: Float64Array): KolmogorovSmirnovResult {
  const n = first.length;
  const m = second.length;
  if (n === 0 || m === 0) return { statistic: 0, pValue: 1 };
  const distance = largestDistance(first, second);
  const statistic = distance / (n * m);
  return { statistic, pValue: pValueOf(statistic, distance, n, m) };
}

function pValueOf(statistic: number, distance: number, n: number, m: number): number {
  const effectiveSize = (n * m) / (n + m);
  if (2 * effectiveSize * statistic * statistic > underflowExponent) return 0;
  const probability =
    Math.max(n, m) <= largestExactSize
      ? exactTailProbability(n, m, distance)
      : kolmogorovUpperTail(statistic, roundHalfEven(effectiveSize));
  return Math.min(Math.max(probability, 0), 1);
}

/** The maximum of |i m − j n| over all values, i and j being how many values of each side are not above it. */
function largestDistance(first: Float64Array, second: Float64Array): number {
  const n = first.length;
  const m = second.length;
  let i = 0;
  let j = 0;
  let largest = 0;
  while (i < n && j < m) {
    const a = first[i] ?? 0;
    const b = second[j] ?? 0;
    const value = Math.min(a, b);
    while (i < n && first[i] === value) i += 1;
    while (j < m && second[j] === value) j += 1;
    const distance = Math.abs(i * m - j * n);
    if (distance > largest) largest = distance;
  }
  return largest;
}

/** As Python and numpy round, and so scipy. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
