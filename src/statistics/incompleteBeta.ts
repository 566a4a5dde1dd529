import { binomialDensity } from './gamma.ts';

/**
 * The density of the beta distribution at x, 0 < x < 1, for a ≥ 1 and b ≥ 1 (C. Loader, 2000, as in R's `dbeta`).
 */
export function betaDensity(x: number, a: number, b: number): number {
  // a + b − 2 can be less than a − 1 where both are hardly more than 1, as it is rounded at their size.
  return (a + b - 1) * binomialDensity(a - 1, a - 1 + (b - 1), x, 1 - x);
}

/**
 * The regularised incomplete beta function I_x(a, b), for a > 0 and b > 0: the probability that a beta distributed
 * value is at most x. Evaluated by the continued fraction of DLMF 8.17.22 with Lentz's method, on the side where it
 * converges fast.
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const kernel = binomialDensity(a, a + b, x, 1 - x) / (a + b);
  return x <= (a + 1) / (a + b + 2)
    ? kernel * b * continuedFraction(x, a, b)
    : 1 - kernel * a * continuedFraction(1 - x, b, a);
}

function continuedFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const awayFromZero = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m < 100_000; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / awayFromZero(1 + even * d);
    c = awayFromZero(1 + even / c);
    value *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / awayFromZero(1 + odd * d);
    c = awayFromZero(1 + odd / c);
    const factor = d * c;
    value *= factor;
    if (Math.abs(factor - 1) <= Number.EPSILON) break;
  }
  return value;
}
