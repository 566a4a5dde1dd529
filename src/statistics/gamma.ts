/** Coefficients B(2j) / (2j (2j - 1)) of Stirling's series, j = 1 to 8. */
const stirlingCoefficients = [
  1 / 12,
  -1 / 360,
  1 / 1260,
  -1 / 1680,
  1 / 1188,
  -691 / 360360,
  1 / 156,
  -3617 / 122400,
] as const;

/** From here on the eight terms of Stirling's series are exact to the last bit. */
const stirlingSeriesStart = 16;

/**
 * ln(x!) minus Stirling's formula: lnΓ(x + 1) − (x + ½) ln x + x − ½ ln 2π, for x > 0, with an absolute error near
 * 1e-16. Source: C. Loader, "Fast and accurate computation of binomial probabilities" (2000).
 */
export function stirlingError(x: number): number {
  let shifted = x;
  let correction = 0;
  while (shifted < stirlingSeriesStart) {
    correction += (shifted + 0.5) * Math.log1p(1 / shifted) - 1;
    shifted += 1;
  }
  const inverseSquare = 1 / (shifted * shifted);
  const series = stirlingCoefficients.reduceRight((sum, coefficient) => sum * inverseSquare + coefficient, 0);
  return correction + series / shifted;
}

/** ln Γ(x) for x > 0, by Stirling's formula and its error. */
export function logGamma(x: number): number {
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + stirlingError(x);
}

/**
 * The deviance x ln(x / mean) + mean − x, without cancellation where x is near the mean; both positive.
 * Source: C. Loader (2000), function `bd0`.
 */
export function deviance(x: number, mean: number): number {
  const difference = x - mean;
  if (Math.abs(difference) >= 0.1 * (x + mean)) return x * Math.log(x / mean) + mean - x;
  const ratio = difference / (x + mean);
  const square = ratio * ratio;
  let sum = difference * ratio;
  let power = 2 * x * ratio;
  for (let j = 1; ; j += 1) {
    power *= square;
    const next = sum + power / (2 * j + 1);
    if (next === sum) return sum;
    sum = next;
  }
}

/**
 * The probability of `successes` in `trials` when each succeeds with probability p, 0 < p < 1 (Loader, 2000). Both p
 * and 1 − p are given, so that neither loses digits.
 */
export function binomialDensity(successes: number, trials: number, p: number, oneMinusP: number): number {
  const failures = trials - successes;
  if (successes === 0) return Math.exp(trials * (p < 0.1 ? Math.log1p(-p) : Math.log(oneMinusP)));
  if (failures === 0) return Math.exp(trials * (oneMinusP < 0.1 ? Math.log1p(-oneMinusP) : Math.log(p)));
  return (
    Math.exp(
      stirlingError(trials) -
        stirlingError(successes) -
        stirlingError(failures) -
        deviance(successes, trials * p) -
        deviance(failures, trials * oneMinusP),
    ) * Math.sqrt(trials / (2 * Math.PI * successes * failures))
  );
}

/** e^−x x^a / Γ(a + 1) for a > 0 and x > 0, to about 1e-14 relative also for large arguments. */
export function gammaKernel(a: number, x: number): number {
  return Math.exp(-stirlingError(a) - deviance(a, x)) / Math.sqrt(2 * Math.PI * a);
}

/**
 * The regularised upper incomplete gamma function Q(a, x) = Γ(a, x) / Γ(a), for a > 0. The tail is computed as such,
 * never as one minus its complement, so that small values keep their relative accuracy (about 1e-13).
 * Sources: DLMF 8.11.4 (series) and 8.9.2 (continued fraction, evaluated by Lentz's method).
 */
export function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  if (x === Number.POSITIVE_INFINITY) return 0;
  const kernel = gammaKernel(a, x);
  return x < a + 1 ? 1 - kernel * lowerSeries(a, x) : kernel * a * upperFraction(a, x);
}

function lowerSeries(a: number, x: number): number {
  let term = 1;
  let sum = 1;
  for (let n = 1; term > sum * Number.EPSILON; n += 1) {
    term *= x / (a + n);
    sum += term;
  }
  return sum;
}

function upperFraction(a: number, x: number): number {
  const tiny = 1e-300;
  let b = x + 1 - a;
  let c = 1 / tiny;
  let d = 1 / b;
  let value = d;
  for (let n = 1; n < 1_000_000; n += 1) {
    const numerator = -n * (n - a);
    b += 2;
    d = numerator * d + b;
    if (Math.abs(d) < tiny) d = tiny;
    c = b + numerator / c;
    if (Math.abs(c) < tiny) c = tiny;
    d = 1 / d;
    const factor = d * c;
    value *= factor;
    if (Math.abs(factor - 1) <= Number.EPSILON) break;
  }
  return value;
}
