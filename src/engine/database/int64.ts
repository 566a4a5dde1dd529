/** A 64-bit integer: a bigint where a JavaScript number would lose digits, else a number. */
export type Int64 = number | bigint;

/** The integers of a JavaScript number that are exact. */
const [lowest, highest] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

export const smallestInt64 = -(2n ** 63n);
export const largestInt64 = 2n ** 63n - 1n;

/** An integer column as `toInt64` reads it: as text where a JavaScript number would lose digits. */
export function exactInteger(column: string): string {
  return `CASE WHEN ${column} BETWEEN ${lowest} AND ${highest} THEN ${column} ELSE CAST(${column} AS TEXT) END`;
}

/** What a column of `exactInteger` holds. */
export function toInt64(stored: number | string): Int64 {
  return typeof stored === 'number' ? stored : BigInt(stored);
}

/** The same integer in the form that `Int64` wants. */
export function asInt64(integer: bigint): Int64 {
  return lowest <= integer && integer <= highest ? Number(integer) : integer;
}
