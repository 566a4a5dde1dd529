/** The number that a text says as Python, JavaScript and spreadsheets write numbers; null when it says none. */
export function numberOf(text: string): number | null {
  const trimmed = text.trim();
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed)) return Number(trimmed);
  const name = /^([+-]?)(nan|inf|infinity)$/i.exec(trimmed);
  if (name === null) return null;
  if (name[2]?.toLowerCase() === 'nan') return Number.NaN;
  return name[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
