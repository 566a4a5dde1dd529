import { StringDecoder } from 'node:string_decoder';
import type { ByteSource } from '../tracker/byteSource.ts';

/** A record of a CSV file, which may take several lines. */
export interface Row {
  /** The number of its first line, from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

const blockBytes = 256 * 1024;
/** A quote that is never closed makes the rest of a file one field; it is not taken into memory whole. */
const longestField = 16 * 1024 * 1024;
const quote = '"';

/**
 * Reads comma-separated values (RFC 4180) record by record: quoted fields may hold separators, line ends and doubled
 * quotes. Empty lines are left out, and so is a byte order mark.
 *
 * @param separator such as `,`, `;` or a tab.
 * @param isGrowing whether the last record may be in the middle of being written; then it is left out.
 * @returns the line at which a quote is opened that is never closed, because of which nothing behind it was read; null
 *   when there is none.
 */
export function* readRows(
  source: ByteSource,
  separator: string,
  isGrowing = false,
): Generator<Row, number | null, void> {
  const decoder = new StringDecoder('utf8');
  let fields: string[] = [];
  let field = '';
  let state: 'start' | 'plain' | 'quoted' | 'quoteInQuoted' = 'start';
  let line = 1;
  let firstLine = 1;
  let isQuotedRow = false;

  for (const text of blocks(source, decoder)) {
    let begun = 0;
    for (let at = 0; at < text.length; at++) {
      const character = text[at];
      if (character === '\n') line += 1;
      if (state === 'quoted') {
        if (character !== quote) continue;
        field += text.slice(begun, at);
        begun = at + 1;
        state = 'quoteInQuoted';
        continue;
      }
      if (character === quote && state === 'start') {
        begun = at + 1;
        state = 'quoted';
        isQuotedRow = true;
      } else if (character === quote && state === 'quoteInQuoted') {
        // Of two quotes, one is meant.
        begun = at;
        state = 'quoted';
      } else if (character === separator || character === '\n') {
        field += text.slice(begun, at);
        begun = at + 1;
        const isEnd = character === '\n';
        fields.push(isEnd && field.endsWith('\r') ? field.slice(0, -1) : field);
        field = '';
        state = 'start';
        if (!isEnd) continue;
        if (fields.length > 1 || fields[0] !== '' || isQuotedRow) yield { line: firstLine, fields };
        fields = [];
        firstLine = line;
        isQuotedRow = false;
      } else {
        state = 'plain';
      }
    }
    field += text.slice(begun);
    if (field.length > longestField) return firstLine;
  }
  if (isGrowing) return null;
  if (state === 'quoted') return firstLine;
  if (field !== '' || fields.length > 0 || isQuotedRow) {
    fields.push(field.endsWith('\r') ? field.slice(0, -1) : field);
    yield { line: firstLine, fields };
  }
  return null;
}

function* blocks(source: ByteSource, decoder: StringDecoder): Generator<string> {
  for (let at = 0; at < source.size; at += blockBytes) {
    const bytes = source.bytes(at, Math.min(blockBytes, source.size - at));
    if (bytes === null) return;
    const text = decoder.write(bytes);
    yield at === 0 ? text.replace(/^\uFEFF/, '') : text;
  }
  yield decoder.end();
}

/** The separator that a header line has most of. */
export function separatorOf(source: ByteSource): string {
  const beginning = source.bytes(0, Math.min(source.size, 64 * 1024)) ?? new Uint8Array(0);
  const header =
    new TextDecoder()
      .decode(beginning)
      .split(/\r?\n/, 1)[0]
      ?.replace(/"[^"]*"/g, '') ?? '';
  const count = (separator: string) => header.split(separator).length;
  return [',', ';', '\t'].reduce((best, next) => (count(next) > count(best) ? next : best));
}
