/** Texts, also one that was cut off; numbers; what follows a name or a value; anything else. */
const parts = /"(?:[^"\\]|\\.)*"?|-?\d[\d.eE+-]*|[,:]|[^",:\d-]+|-/g;
/** So many digits a number of single precision needs at most (IEEE 754-2019, 5.12.2). */
const mostDigits = 9;

/**
 * JSON, which may be cut off, as people read it: with room after commas, so that it can be broken into lines, and with
 * 6.23 for the 6.230000019073486 that a number of single precision is as a double.
 */
export function readableJson(json: string): string {
  return json.replaceAll(parts, (part) => {
    if (part === ',' || part === ':') return `${part} `;
    return /^-?\d/.test(part) ? readableNumber(part) : part;
  });
}

function readableNumber(text: string): string {
  if (text.replaceAll(/[eE].*|\D/g, '').length <= mostDigits) return text;
  const value = Number(text);
  // A number that is no such one has the digits of one by chance once in half a billion times.
  if (Number.isInteger(value) || Math.fround(value) !== value) return text;
  return String(Number(value.toPrecision(shortestDigits(value))));
}

function shortestDigits(value: number): number {
  for (let digits = 1; digits < mostDigits; digits += 1) {
    if (Math.fround(Number(value.toPrecision(digits))) === value) return digits;
  }
  return mostDigits;
}
