/** JSON with the blanks that Python's `json.dumps` puts after commas and colons, for texts that clients compare. */
export function writePythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(writePythonJson).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}: ${writePythonJson(item)}`).join(', ')}}`;
}

/** The value of a JSON text, for texts that anyone may write; null when it is no JSON. */
export function parseJsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * JSON with quotes around all outside of texts that `bare` matches, such as the NaN that Python writes and JSON lacks.
 * Texts are passed over piece by piece: a pattern that takes a long one whole would exhaust its stack.
 */
export function quoteBare(json: string, bare: RegExp): string {
  let isInText = false;
  return json.replace(new RegExp(`\\\\[^]|"|${bare.source}`, 'g'), (token) => {
    if (token === '"') isInText = !isInText;
    return isInText || token === '"' ? token : `"${token}"`;
  });
}
