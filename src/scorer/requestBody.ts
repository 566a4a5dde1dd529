import { badRequest } from '../inference/problem.ts';

/** A JSON object, as a client sent it. */
export type JsonObject = Readonly<Record<string, unknown>>;

const decoder = new TextDecoder('utf-8', { fatal: true });

/** @throws RequestProblem 400 when the bytes are no UTF-8. */
export function readUtf8(body: Uint8Array): string {
  try {
    return decoder.decode(body);
  } catch {
    throw badRequest('The body is not valid UTF-8.');
  }
}

/** @throws RequestProblem 400 when the bytes are no JSON object. */
export function readJsonObject(body: Uint8Array): JsonObject {
  const text = readUtf8(body);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    const hint = /\b(?:NaN|Infinity)\b/.test(text)
      ? ' JSON has no NaN and no Infinity: send null for NaN and "Infinity" as a string.'
      : '';
    throw badRequest(`The body is not valid JSON: ${error instanceof Error ? error.message : error}.${hint}`);
  }
  if (!isJsonObject(parsed)) throw badRequest('The body must be a JSON object.');
  return parsed;
}

/** Whether a JSON value is an object, not a list and not null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
