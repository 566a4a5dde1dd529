/** What is kept of the values of one side of a comparison: enough for their mean and variance, and easily added up. */
export interface Moments {
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** Infinity and -Infinity when there are no values. */
  readonly least: number;
  readonly greatest: number;
}

export const noMoments: Moments = {
  count: 0,
  sum: 0,
  sumOfSquares: 0,
  least: Number.POSITIVE_INFINITY,
  greatest: Number.NEGATIVE_INFINITY,
};

/** The moments of finite values. */
export function momentsOf(values: Iterable<number>): Moments {
  let { count, sum, sumOfSquares, least, greatest } = noMoments;
  for (const value of values) {
    count += 1;
    sum += value;
    sumOfSquares += value * value;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return { count, sum, sumOfSquares, least, greatest };
}

/** Null when there are no values. */
export function meanOf({ count, sum }: Moments): number | null {
  return count === 0 ? null : sum / count;
}

/** The variance with the divisor n − 1; 0 for fewer than two values. */
export function varianceOf({ count, sum, sumOfSquares }: Moments): number {
  return count < 2 ? 0 : Math.max(0, (sumOfSquares - (sum * sum) / count) / (count - 1));
}
