/** Values in [shift, shift + scale) in a scrambled order, the same on every machine and in every language. */
export function scrambled(
  length: number,
  multiplier: number,
  modulus: number,
  shift = 0,
  scale = 1,
): Float64Array {
  return Float64Array.from(
    { length },
    (_, index) => shift + (scale * (((index + 1) * multiplier) % modulus)) / modulus,
  );
}

/** A seeded generator of numbers in [0, 1): mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A standard normal value, by Box and Muller. */
export function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** A sorted sample. */
export function sample(length: number, draw: () => number): Float64Array {
  return Float64Array.from({ length }, draw).sort();
}

/** Rows by level of a sample of texts. */
export function levelSample(length: number, draw: () => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (let row = 0; row < length; row += 1) {
    const level = draw();
    counts.set(level, (counts.get(level) ?? 0) + 1);
  }
  return counts;
}

/** Fails unless two numbers agree to `tolerance`, relative to the expected one. */
export function assertClose(actual: number, expected: number, tolerance: number, what: string): void {
  if (actual === expected) return;
  const error = Math.abs(actual - expected) / Math.abs(expected);
  if (!(error <= tolerance)) {
    throw new Error(`${what}: ${actual} instead of ${expected}, off by ${error} of it`);
  }
}
