import { decodeNonFinite } from '../../../protocol/nonFinite.ts';

/** A value with its keys joined by dots, and what stands there: a scalar or a list. */
export interface Leaf {
  readonly key: string;
  readonly value: unknown;
}

/** Nobody nests deeper on purpose. */
const deepest = 64;

/** The leaves of a value whose objects are taken apart: `{ a: { b: 1 } }` has the leaf `a.b`. Lists stay whole. */
export function leavesOf(value: unknown, key = '', depth = 0): readonly Leaf[] {
  if (!isObject(value) || depth > deepest) return [{ key, value }];
  const entries = Object.entries(value);
  if (entries.length === 0) return key === '' ? [] : [{ key, value }];
  return entries.flatMap(([name, part]) => leavesOf(part, key === '' ? name : `${key}.${name}`, depth + 1));
}

/** The text that MLflow's Python client makes of a scalar when it is logged as a parameter; of a list its JSON. */
export function parameterText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'number') {
    if (Number.isNaN(value)) return 'nan';
    return Number.isFinite(value) ? String(value) : value > 0 ? 'inf' : '-inf';
  }
  return JSON.stringify(value);
}

/** Reads JSON as Python writes it, which may have NaN and infinities in it. @throws SyntaxError when it is none. */
export function parsePythonJson(text: string): unknown {
  if (!/NaN|Infinity/.test(text)) return JSON.parse(text);
  const encoded = text.replace(/"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g, (token) =>
    token.startsWith('"') ? token : `{"$number":"${token}"}`,
  );
  return decodeNonFinite(JSON.parse(encoded));
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
