import { badRequest } from '../inference/problem.ts';

/**
 * Reads comma-separated values (RFC 4180): quoted fields may hold commas, line ends and doubled quotes. Empty lines
 * are left out.
 *
 * @throws RequestProblem 400 when a quote is never closed or stands in the middle of a field.
 */
export function readCsv(text: string): readonly (readonly string[])[] {
  const lines: string[][] = [];
  let line: string[] = [];
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  while (at <= text.length) {
    const quoted = text[at] === '"';
    const [field, end] = quoted ? readQuoted(text, at) : readPlain(text, at);
    line.push(field);
    at = end;
    if (text[at] === ',') at++;
    else if (at >= text.length || text[at] === '\n' || text[at] === '\r') {
      if (line.length > 1 || line[0] !== '' || quoted) lines.push(line);
      line = [];
      at += text.startsWith('\r\n', at) ? 2 : 1;
    } else throw badRequest(`The CSV has something after a closing quote at character ${at}.`);
  }
  return lines;
}

function readPlain(text: string, from: number): readonly [string, number] {
  let end = from;
  while (end < text.length && text[end] !== ',' && text[end] !== '\n' && text[end] !== '\r') end++;
  return [text.slice(from, end), end];
}

function readQuoted(text: string, from: number): readonly [string, number] {
  let field = '';
  let at = from + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) throw badRequest(`The CSV has a quote at character ${from} that is never closed.`);
    field += text.slice(at, quote);
    if (text[quote + 1] !== '"') return [field, quote + 1];
    field += '"';
    at = quote + 2;
  }
}
