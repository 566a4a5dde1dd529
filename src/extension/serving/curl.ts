import type { EndpointDescription } from '../../protocol/serving.ts';

/** Where the command gets the token from: written into it, or read from the variable that terminals have. */
export type TokenSource = 'literal' | 'variable';

/** A `curl` command for a POSIX shell that sends the endpoint's example request. */
export function curlCommand(description: EndpointDescription, tokenSource: TokenSource): string {
  const { inferUrl, exampleRequest, token } = description;
  const lines = [`curl -sS ${quoted(inferUrl)}`, `-H ${quoted('Content-Type: application/json')}`];
  if (token !== null) {
    lines.push(
      tokenSource === 'literal'
        ? `-H ${quoted(`Authorization: Bearer ${token}`)}`
        : '-H "Authorization: Bearer $MLFLOW_TRACKING_TOKEN"',
    );
  }
  lines.push(`-d ${quoted(exampleRequest)}`);
  return lines.join(' \\\n  ');
}

/** A word of a POSIX shell that stands for exactly this text. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
