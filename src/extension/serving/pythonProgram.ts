import type { Call } from './call.ts';

/** A Python program that sends a request and prints the answer. It needs nothing but Python's own library. */
export function pythonProgram({ url, body, token }: Call): string {
  const authorization = authorizationOf(token);
  return [
    'import json',
    ...(token?.from === 'variable' ? ['import os'] : []),
    'import urllib.request',
    '',
    `body = ${textOf(body)}`,
    'request = urllib.request.Request(',
    `    ${JSON.stringify(url)},`,
    '    data=body.encode(),',
    '    headers={',
    '        "Content-Type": "application/json",',
    ...(authorization === null ? [] : [`        "Authorization": ${authorization},`]),
    '    },',
    ')',
    'with urllib.request.urlopen(request) as response:',
    '    print(json.dumps(json.load(response), indent=2, ensure_ascii=False))',
    '',
  ].join('\n');
}

function authorizationOf(token: Call['token']): string | null {
  if (token === null) return null;
  return token.from === 'variable'
    ? `"Bearer " + os.environ[${JSON.stringify(token.variable)}]`
    : JSON.stringify(`Bearer ${token.value}`);
}

/** The text as it stands between three quotes, so that it can be read and changed; else with escapes. */
function textOf(text: string): string {
  const fits = !text.includes("'''") && !/['\\]$/.test(text) && !text.includes('\r');
  return fits ? `r'''${text}'''` : JSON.stringify(text);
}
