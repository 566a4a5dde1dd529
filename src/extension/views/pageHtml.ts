import { randomBytes } from 'node:crypto';
import type { PageType } from '../../protocol/page.ts';

/** What a page's frame is made of. */
export interface PageFrame {
  readonly page: PageType;
  /** The person's language, such as "pt-br". */
  readonly language: string;
  /** Translations by English text. */
  readonly translations: Readonly<Record<string, unknown>>;
  readonly title: string;
  /** `webview.cspSource`. */
  readonly source: string;
  /** Turns a file name of `dist/webview` into an address that the page may load. */
  resource(file: string): string;
}

/** The HTML of a page. Only scripts that carry this page's nonce run, and nothing is loaded from the network. */
export function pageHtml(frame: PageFrame): string {
  const nonce = randomBytes(16).toString('base64url');
  const policy = [
    "default-src 'none'",
    `img-src ${frame.source} data: blob:`,
    `font-src ${frame.source}`,
    `style-src ${frame.source} 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="${attribute(frame.language)}">
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy" content="${attribute(policy)}">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <link rel="stylesheet" nonce="${nonce}" id="vscode-codicon-stylesheet" href="${attribute(frame.resource('codicon.css'))}">
  <link rel="stylesheet" nonce="${nonce}" href="${attribute(frame.resource(`${frame.page}.css`))}">
  <title>${attribute(frame.title)}</title>
</head>
<body>
  <script id="l10n" type="application/json" nonce="${nonce}">${json(frame.translations)}</script>
  <script nonce="${nonce}" src="${attribute(frame.resource(`${frame.page}.js`))}"></script>
</body>
</html>
`;
}

function attribute(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('"', '&quot;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

/** JSON that cannot end the script element that holds it. */
function json(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}
