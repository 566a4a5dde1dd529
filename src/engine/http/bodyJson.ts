import { SlipwayError } from '../../protocol/errors.ts';
import { quoteBare } from '../tracking/jsonText.ts';

/** Changes a value of parsed JSON; as TypeScript does not know it yet, a third argument holds how it was written. */
type Reviver = (...entry: readonly unknown[]) => unknown;

/**
 * Parses the JSON of a body. Some clients encode twice, so a text that holds JSON is read once more.
 *
 * @throws SlipwayError `invalidParameter` when it is no JSON
 */
export function parseJsonBody(body: string): unknown {
  return parseTwice(body);
}

/** As `parseJsonBody`, with the integers that lose digits as JavaScript numbers as bigints; ten times slower. */
export function parseJsonBodyExactly(body: string): unknown {
  return parseTwice(body, (_key, value, context) => {
    const isExact = typeof value !== 'number' || Number.isSafeInteger(value);
    if (isExact || typeof context !== 'object' || context === null || !('source' in context)) return value;
    const source = String(context.source);
    return /^-?\d+$/.test(source) ? BigInt(source) : value;
  });
}

function parseTwice(body: string, reviver?: Reviver): unknown {
  const parsed = parse(body, reviver);
  return typeof parsed === 'string' ? parse(parsed, reviver) : parsed;
}

function parse(text: string, reviver: Reviver | undefined): unknown {
  try {
    return JSON.parse(text, reviver);
  } catch (error) {
    return parsePythonJson(text, reviver, error);
  }
}

/** Python's json module writes NaN and Infinity bare. They are quoted outside of texts, then parsed again. */
function parsePythonJson(text: string, reviver: Reviver | undefined, original: unknown): unknown {
  try {
    return JSON.parse(quoteBare(text, /-?\b(?:NaN|Infinity)\b/), reviver);
  } catch {
    const reason = original instanceof Error ? original.message : String(original);
    throw new SlipwayError('invalidParameter', { detail: `The request body is not valid JSON: ${reason}` });
  }
}
