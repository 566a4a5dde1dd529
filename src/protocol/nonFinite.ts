/**
 * Messages between extension host and page travel as JSON, where NaN and infinities would turn into null. So they
 * travel as objects with this one key; typed arrays travel as they are.
 */
const key = '$number';

/** The message with each NaN or infinity in a form that survives JSON. */
export function encodeNonFinite(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : { [key]: String(value) };
  return mapped(value, encodeNonFinite);
}

/** The message that `encodeNonFinite` made, as it was. */
export function decodeNonFinite(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) {
    const encoded: unknown = Reflect.get(value, key);
    if (typeof encoded === 'string') return Number(encoded);
  }
  return mapped(value, decodeNonFinite);
}

function mapped(value: unknown, change: (part: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(change);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, change(part)]));
}
