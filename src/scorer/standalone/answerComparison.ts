/**
 * Says where two JSON texts differ, or null when they say the same. Numbers may differ by 1e-4 in relation, as
 * processors round differently.
 */
export function answerDifference(expected: string, given: string): string | null {
  return difference(JSON.parse(expected), JSON.parse(given), '');
}

const tolerance = 1e-4;

function difference(expected: unknown, given: unknown, path: string): string | null {
  if (typeof expected === 'number' && typeof given === 'number') {
    const allowed = tolerance * Math.max(1e-3, Math.abs(expected), Math.abs(given));
    return Math.abs(expected - given) <= allowed ? null : told(expected, given, path);
  }
  if (isList(expected) && isList(given)) {
    if (expected.length !== given.length) {
      return `${path || 'the answer'} has ${given.length} elements in place of ${expected.length}`;
    }
    return first(expected.map((_, index) => difference(expected[index], given[index], `${path}[${index}]`)));
  }
  if (isMap(expected) && isMap(given)) {
    const names = [...new Set([...Object.keys(expected), ...Object.keys(given)])];
    return first(
      names.map((name) => difference(expected[name], given[name], path ? `${path}.${name}` : name)),
    );
  }
  return expected === given ? null : told(expected, given, path);
}

function told(expected: unknown, given: unknown, path: string): string {
  return `${path || 'the answer'} is ${JSON.stringify(given)} in place of ${JSON.stringify(expected)}`;
}

function first(found: readonly (string | null)[]): string | null {
  return found.find((one) => one !== null) ?? null;
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
