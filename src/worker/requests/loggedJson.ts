declare global {
  interface JSON {
    /** A value that `JSON.stringify` writes as this text; TypeScript does not know it yet. */
    rawJSON(text: string): object;
  }
}

/** Changes a value of parsed JSON; as TypeScript does not know it yet, a third argument holds how it was written. */
type Reviver = (...entry: readonly unknown[]) => unknown;

/** Integers of more than fifteen digits may lose some as JavaScript numbers. */
const longIntegers = /(?:^|[[:,-])\d{16,}(?:[\],}]|$)/;

/** Parses what an inference log holds. Integers that a JavaScript number cannot hold are bigints. */
export function parseLogged(text: string): unknown {
  return longIntegers.test(text) ? JSON.parse(text, exactly) : JSON.parse(text);
}

const exactly: Reviver = (_key, value, context) => {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  if (typeof context !== 'object' || context === null || !('source' in context)) return value;
  const source = String(context.source);
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
};

/** JSON text of what `parseLogged` gives. Halves of characters, which other readers refuse, become U+FFFD. */
export function loggedText(value: unknown): string {
  return JSON.stringify(value, (_key, member) => {
    if (typeof member === 'bigint') return JSON.rawJSON(member.toString());
    return typeof member === 'string' ? member.toWellFormed() : member;
  });
}
