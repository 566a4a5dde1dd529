const powersOfTen = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);

/**
 * The number with the fewest decimals that FP32 holds as `value`: 8.6 for 8.600000381469727. What is not finite stays
 * as it is.
 *
 * @param value a number that FP32 holds exactly, such as an element of a `Float32Array`.
 */
export function shortestFloat(value: number): number {
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return value;
  const size = Math.abs(value);
  // Rounding to decimals is far faster than writing digits; outside of this range it would lose some.
  if (size >= 1e-5 && size < 1e6) {
    for (const power of powersOfTen) {
      const rounded = Math.round(value * power) / power;
      if (Math.fround(rounded) === value) return rounded;
    }
  }
  // Nine digits always suffice (IEEE 754-2019, 5.12.2).
  for (let digits = 1; digits <= 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}
