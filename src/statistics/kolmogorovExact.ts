/**
 * The probability that the two-sample Kolmogorov-Smirnov statistic of samples of `n` and `m` values without ties is
 * at least `distance` / (n m), when both come from one distribution. `distance` is an integer, the maximum of
 * |i m − j n| over the steps of the two empirical distribution functions.
 *
 * Exact but for rounding (about 1e-12 relative): the probability of leaving the band between two diagonals is
 * carried along lattice paths as a mean of two earlier ones, so nothing cancels. Takes O(n × width of the band).
 * Sources: J. L. Hodges, "The significance probability of the Smirnov two-sample test" (1958), as laid out in scipy's
 * `_compute_outer_prob_inside_method` and `_compute_prob_outside_square` (BSD-3-Clause).
 */
export function exactTailProbability(n: number, m: number, distance: number): number {
  if (distance <= 0) return 1;
  return n === m ? outsideSquare(n, distance / n) : outsideBand(Math.max(n, m), Math.min(n, m), distance);
}

/** Equal sizes: an alternating sum of ratios of binomials, evaluated like Horner's scheme. */
function outsideSquare(n: number, steps: number): number {
  let probability = 0;
  for (let k = Math.floor(n / steps); k >= 0; k -= 1) {
    let ratio = 1;
    for (let j = 0; j < steps; j += 1) {
      ratio = ((n - k * steps - j) * ratio) / (n + k * steps + j + 1);
    }
    probability = ratio * (1 - probability);
  }
  return 2 * probability;
}

/** `long` ≥ `short`; a path is outside where |i short − j long| ≥ distance. */
function outsideBand(long: number, short: number, distance: number): number {
  let first = 0;
  let end = Math.min(Math.ceil(distance / long), short + 1);
  let length = end - first;
  const outside = new Float64Array(Math.min(2 * end + 2, short + 1)).fill(1);
  outside.fill(0, first, end);
  for (let i = 1; i <= long; i += 1) {
    const lastFirst = first;
    const lastLength = length;
    first = Math.min(Math.max(Math.floor((short * i - distance) / long) + 1, 0), short);
    end = Math.min(Math.ceil((short * i + distance) / long), short + 1);
    if (end <= first) return 1;
    length = end - first;
    const shift = first - lastFirst;
    let value = first === 0 ? 0 : 1;
    for (let at = 0; at < length; at += 1) {
      const j = at + first;
      value = ((outside[at + shift] ?? 1) * i + value * j) / (i + j);
      outside[at] = value;
    }
    if (lastLength > length) outside.fill(1, length, lastLength);
  }
  return outside[length - 1] ?? 1;
}
