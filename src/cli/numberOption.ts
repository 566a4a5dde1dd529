import { UsageError } from './usageError.ts';

/** Reads the value of an option that is a whole number; undefined when it was not given. Throws `UsageError`. */
export function numberOption(
  name: string,
  text: string | undefined,
  least: number,
  most: number,
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(`--${name} must be a whole number from ${least} to ${most}, not "${text}"`);
}
