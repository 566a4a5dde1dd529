import { badRequest } from '../inference/problem.ts';
import { isJsonObject, type JsonObject, readUtf8 } from './requestBody.ts';

/**
 * Reads JSON as Python's `json` module writes it, in which NaN, Infinity and -Infinity may stand bare: clients of
 * MLflow and of TensorFlow Serving send them so. They become null, "Infinity" and "-Infinity", the forms in which
 * `elementWriter` (src/inference/datatypes.ts) reads them.
 *
 * @throws RequestProblem 400 when the bytes are no such JSON.
 */
export function readPythonJson(body: Uint8Array): unknown {
  return parsePythonJson(readUtf8(body));
}

/** The same of a text. @throws RequestProblem 400. */
export function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const quoted = quoteNonFinite(text);
    if (quoted === null) throw notJson(error);
    try {
      return JSON.parse(quoted);
    } catch (stillWrong) {
      throw notJson(stillWrong);
    }
  }
}

/** @throws RequestProblem 400 when the bytes are no JSON object. */
export function readPythonJsonObject(body: Uint8Array): JsonObject {
  const parsed = readPythonJson(body);
  if (!isJsonObject(parsed)) throw badRequest('The body must be a JSON object.');
  return parsed;
}

function notJson(error: unknown): Error {
  return badRequest(`The body is not valid JSON: ${error instanceof Error ? error.message : error}.`);
}

const nonFinite: readonly (readonly [word: string, replacement: string])[] = [
  ['NaN', 'null'],
  ['Infinity', '"Infinity"'],
  ['-Infinity', '"-Infinity"'],
];

/** The text with the bare words replaced; null when it has none outside of its strings. */
function quoteNonFinite(text: string): string | null {
  if (!/NaN|Infinity/.test(text)) return null;
  const parts: string[] = [];
  let from = 0;
  let at = 0;
  while (at < text.length) {
    if (text[at] === '"') {
      at = endOfString(text, at);
      continue;
    }
    const found = nonFinite.find(([word]) => text.startsWith(word, at));
    if (found) {
      const [word, replacement] = found;
      parts.push(text.slice(from, at), replacement);
      at += word.length;
      from = at;
    } else at += 1;
  }
  return parts.length === 0 ? null : parts.join('') + text.slice(from);
}

/** The place behind the string that begins at a quote; the end of the text when it is never closed. */
function endOfString(text: string, quote: number): number {
  let at = quote + 1;
  for (;;) {
    const end = text.indexOf('"', at);
    if (end === -1) return text.length;
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return end + 1;
    at = end + 1;
  }
}
