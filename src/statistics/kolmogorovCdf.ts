const scaleExponent = 128;
const large = 2 ** scaleExponent;
const small = 2 ** -scaleExponent;

/**
 * P(Dₙ ≤ d) by Durbin's matrix, exact, best for small n d.
 * Source: G. Marsaglia, W. W. Tsang and J. Wang, "Evaluating Kolmogorov's distribution" (2003).
 */
export function durbinCdf(d: number, n: number): number {
  const k = Math.ceil(n * d);
  const h = k - n * d;
  const size = 2 * k - 1;
  let base: ScaledMatrix = { values: durbinMatrix(size, h), exponent: 0 };
  let power: ScaledMatrix = { values: identity(size), exponent: 0 };
  const centre = (k - 1) * size + (k - 1);
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = multiply(power, base, size);
    base = rescale(multiply(base, base, size), centre);
  }
  let probability = power.values[centre] ?? 0;
  let exponent = power.exponent;
  for (let i = 1; i <= n; i += 1) {
    probability = (i * probability) / n;
    if (Math.abs(probability) < small) {
      probability *= large;
      exponent -= scaleExponent;
    }
  }
  return timesPowerOfTwo(probability, exponent);
}

/** A square matrix, row by row, times 2 to the exponent. */
interface ScaledMatrix {
  readonly values: Float64Array;
  readonly exponent: number;
}

function durbinMatrix(size: number, h: number): Float64Array {
  const inverseFactorials = new Float64Array(size + 1);
  inverseFactorials[0] = 1;
  for (let j = 1; j <= size; j += 1) inverseFactorials[j] = (inverseFactorials[j - 1] ?? 0) / j;
  const border = new Float64Array(size);
  for (let j = 1; j <= size; j += 1) border[j - 1] = (1 - h ** j) * (inverseFactorials[j] ?? 0);
  border[size - 1] = (1 + Math.max(2 * h - 1, 0) ** size - 2 * h ** size) * (inverseFactorials[size] ?? 0);
  const matrix = new Float64Array(size * size);
  for (let row = 0; row < size; row += 1) {
    for (let column = 1; column <= Math.min(row + 1, size - 1); column += 1) {
      matrix[row * size + column] = inverseFactorials[row - column + 1] ?? 0;
    }
  }
  for (let row = 0; row < size; row += 1) matrix[row * size] = border[row] ?? 0;
  for (let column = 0; column < size; column += 1) {
    matrix[(size - 1) * size + column] = border[size - 1 - column] ?? 0;
  }
  return matrix;
}

function identity(size: number): Float64Array {
  const matrix = new Float64Array(size * size);
  for (let row = 0; row < size; row += 1) matrix[row * size + row] = 1;
  return matrix;
}

function multiply(first: ScaledMatrix, second: ScaledMatrix, size: number): ScaledMatrix {
  const values = new Float64Array(size * size);
  for (let row = 0; row < size; row += 1) {
    for (let inner = 0; inner < size; inner += 1) {
      const factor = first.values[row * size + inner] ?? 0;
      if (factor === 0) continue;
      for (let column = 0; column < size; column += 1) {
        const at = row * size + column;
        values[at] = (values[at] ?? 0) + factor * (second.values[inner * size + column] ?? 0);
      }
    }
  }
  return { values, exponent: first.exponent + second.exponent };
}

function rescale(matrix: ScaledMatrix, at: number): ScaledMatrix {
  if (Math.abs(matrix.values[at] ?? 0) <= large) return matrix;
  return { values: matrix.values.map((value) => value * small), exponent: matrix.exponent + scaleExponent };
}

/**
 * P(Dₙ ≤ d) by the recursion of J. Pomeranz, "Exact cumulative distribution of the Kolmogorov-Smirnov statistic for
 * small samples" (1974), exact, best for n up to a few hundred.
 */
export function pomeranzCdf(d: number, n: number): number {
  const t = n * d;
  const whole = Math.floor(t);
  const fraction = t - whole;
  const g = Math.min(fraction, 1 - fraction);
  const band = { whole, ceil: fraction > 0 ? 1 : 0, round: fraction > 0.5 ? 1 : 0 };
  const size = 2 * (whole + 1);
  const edgeTerms = poissonTerms(g / n, size);
  const oddTerms = poissonTerms((2 * g) / n, size);
  const evenTerms = poissonTerms((1 - 2 * g) / n, size);

  let previous = new Float64Array(size);
  let current = new Float64Array(size);
  current[0] = 1;
  let previousStart = 0;
  let currentStart = 0;
  let from = pomeranzInterval(0, n, band).from;
  let exponent = 0;
  for (let i = 1; i < 2 * n + 2; i += 1) {
    const lastFrom = from;
    [previous, current] = [current, previous];
    [previousStart, currentStart] = [currentStart, previousStart];
    current.fill(0);
    const interval = pomeranzInterval(i, n, band);
    from = interval.from;
    const terms = i === 1 || i === 2 * n + 1 ? edgeTerms : i % 2 === 1 ? oddTerms : evenTerms;
    if (interval.to < lastFrom) continue;
    let largest = 0;
    for (let j = interval.from; j <= interval.to; j += 1) {
      let sum = 0;
      for (let source = lastFrom; source <= j; source += 1) {
        sum += (previous[source - previousStart] ?? 0) * (terms[j - source] ?? 0);
      }
      current[j - interval.from] = sum;
      if (sum > largest) largest = sum;
    }
    if (largest > 0 && largest < small) {
      for (let at = 0; at < size; at += 1) current[at] = (current[at] ?? 0) * large;
      exponent -= scaleExponent;
    }
    currentStart = interval.from;
  }
  let probability = current[n - currentStart] ?? 0;
  for (let factor = 1; factor <= n; factor += 1) {
    if (Math.abs(probability) > large) {
      probability *= small;
      exponent += scaleExponent;
    }
    probability *= factor;
  }
  return timesPowerOfTwo(probability, exponent);
}

/** rateʲ / j! for j from 0. */
function poissonTerms(rate: number, length: number): Float64Array {
  const terms = new Float64Array(length);
  terms[0] = 1;
  for (let j = 1; j < length; j += 1) terms[j] = ((terms[j - 1] ?? 0) * rate) / j;
  return terms;
}

interface PomeranzBand {
  readonly whole: number;
  readonly ceil: number;
  readonly round: number;
}

function pomeranzInterval(i: number, n: number, { whole, ceil, round }: PomeranzBand) {
  const clipped = (from: number, to: number) => ({ from: Math.max(from + 2, 0), to: Math.min(to, n) });
  if (i === 0) return clipped(-whole - ceil - 1, whole + ceil - 1);
  const half = Math.floor((i + 1) / 2);
  if (i % 2 === 0) return clipped(half - 1 - whole - 1, half + whole + round - 1);
  if (half === n + 1) return clipped(n - whole - ceil - 1, n + whole + ceil - 1);
  return clipped(half - 1 - whole - round - 1, half + whole - 1 + ceil - 1);
}

/**
 * P(Dₙ ≤ d) for large n: the series of W. Pelz and I. J. Good, "Approximating the lower tail-areas of the
 * Kolmogorov-Smirnov one-sample statistic" (1976), up to n^−3/2.
 */
export function pelzGoodCdf(d: number, n: number): number {
  const z = Math.sqrt(n) * d;
  const z2 = z * z;
  const z4 = z2 * z2;
  const z6 = z4 * z2;
  const pi2 = Math.PI ** 2;
  const logQ = -pi2 / 8 / z2;
  if (logQ < -708) return 0;
  const q = Math.exp(logQ);
  const terms = Math.ceil((16 * z) / Math.PI);
  let [k0, k1, k2, k3] = [0, 0, 0, 0];
  for (let k = terms; k > 0; k -= 1) {
    const m2 = (2 * k - 1) ** 2;
    const m4 = m2 * m2;
    const power = q ** (8 * k);
    k0 = k0 * power + 1;
    k1 = k1 * power - z2 + (pi2 / 4) * m2;
    k2 =
      k2 * power +
      6 * z6 +
      2 * z4 +
      ((2 * z4 - 5 * z2) * pi2 * m2) / 4 +
      (Math.PI ** 4 * (1 - 2 * z2) * m4) / 16;
    k3 =
      k3 * power -
      30 * z6 -
      90 * z4 * z4 +
      (pi2 * (135 * z4 - 96 * z6) * m2) / 4 +
      (Math.PI ** 4 * (-60 * z2 + 212 * z4) * m4) / 16 +
      (Math.PI ** 6 * (5 - 30 * z2) * m4 * m2) / 64;
  }
  const factor = q * Math.sqrt(2 * Math.PI);
  k0 *= factor / z;
  k1 *= factor / (6 * z4);
  k2 *= factor / (72 * z4 * z2 * z);
  k3 *= factor / (6480 * z6 * z4);

  const q2 = Math.exp(-pi2 / 2 / z2);
  let extra2 = 0;
  let extra3 = 0;
  for (let k = terms; k > 0; k -= 1) {
    const weight = k * k * q2 ** (k * k);
    extra2 += weight;
    extra3 += (3 * z2 - pi2 * k * k) * weight;
  }
  k2 += (extra2 * pi2 * Math.sqrt(2 * Math.PI)) / (-36 * z2 * z);
  k3 += (extra3 * pi2 * Math.sqrt(2 * Math.PI)) / (216 * z6);
  return k0 + k1 / Math.sqrt(n) + k2 / n + k3 / n ** 1.5;
}

/** In two steps, as 2 to the exponent alone may be too small for a number. */
function timesPowerOfTwo(value: number, exponent: number): number {
  const half = Math.trunc(exponent / 2);
  return value * 2 ** half * 2 ** (exponent - half);
}
