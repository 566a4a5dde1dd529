import type { Call } from './call.ts';

/** A `curl` command for a POSIX shell that sends a request. */
export function curlCommand({ url, body, token }: Call): string {
  const lines = [`curl -sS ${quoted(url)}`, `-H ${quoted('Content-Type: application/json')}`];
  if (token !== null) {
    lines.push(
      token.from === 'literal'
        ? `-H ${quoted(`Authorization: Bearer ${token.value}`)}`
        : `-H "Authorization: Bearer $${token.variable}"`,
    );
  }
  lines.push(`-d ${quoted(body)}`);
  return lines.join(' \\\n  ');
}

/** A word of a POSIX shell that stands for exactly this text. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
