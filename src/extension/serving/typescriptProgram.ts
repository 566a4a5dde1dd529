import type { Call } from './call.ts';

/** A TypeScript program (and a JavaScript one, as a module) that sends a request with `fetch` and prints the answer. */
export function typescriptProgram({ url, body, token }: Call): string {
  const authorization = authorizationOf(token);
  return [
    `const response = await fetch(${JSON.stringify(url)}, {`,
    "  method: 'POST',",
    '  headers: {',
    "    'Content-Type': 'application/json',",
    ...(authorization === null ? [] : [`    Authorization: ${authorization},`]),
    '  },',
    `  body: ${bodyOf(body)},`,
    '});',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the program that fills it in.
    'if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);',
    'console.log(JSON.stringify(await response.json(), null, 2));',
    '',
  ].join('\n');
}

function authorizationOf(token: Call['token']): string | null {
  if (token === null) return null;
  return token.from === 'variable'
    ? `\`Bearer \${process.env.${token.variable}}\``
    : JSON.stringify(`Bearer ${token.value}`);
}

/** As an expression that can be changed; a body with numbers that JavaScript would round stays a text. */
function bodyOf(body: string): string {
  if (/\d{16}/.test(body)) return JSON.stringify(body);
  const lines = body.trim().split('\n');
  return `JSON.stringify(${lines.map((line, index) => (index === 0 ? line : `  ${line}`)).join('\n')})`;
}
