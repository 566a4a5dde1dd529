import { createReadStream } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { createGunzip } from 'node:zlib';
import { detail } from '../../protocol/errorDetails.ts';
import { SlipwayError } from '../../protocol/errors.ts';

/** What the first record of a CSV file says of the others. */
export interface CsvHeader {
  /** A column without a name is called as pandas calls it, such as `Unnamed: 0`. */
  readonly names: readonly string[];
  readonly separator: string;
  readonly newLine: '\n' | '\r\n' | '\r';
}

const separators = [',', ';', '\t', '|'];
/** A header that goes on for longer is none. */
const longestHeader = 16 * 1024 * 1024;

/**
 * Reads the header of a CSV file (RFC 4180).
 *
 * @param separator null: whichever of comma, semicolon, tab and bar the header has most of.
 * @throws SlipwayError `dataUnreadable` when there is none.
 */
export async function readCsvHeader(
  file: string,
  gzip: boolean,
  separator: string | null,
): Promise<CsvHeader> {
  const { text, newLine } = await firstRecord(file, gzip);
  if (text === '') throw new SlipwayError('dataUnreadable', { path: file, detail: detail('fileEmpty') });
  const outsideQuotes = text.replaceAll(/"(?:[^"]|"")*"/g, '');
  const [likeliest = ','] = separators.toSorted(
    (one, other) => outsideQuotes.split(other).length - outsideQuotes.split(one).length,
  );
  const chosen = separator ?? likeliest;
  return { names: fieldsOf(text, chosen).map(nameOf), separator: chosen, newLine };
}

function nameOf(field: string, index: number): string {
  return field === '' ? `Unnamed: ${index}` : field;
}

async function firstRecord(
  file: string,
  gzip: boolean,
): Promise<{ readonly text: string; readonly newLine: CsvHeader['newLine'] }> {
  const bytes = createReadStream(file, { highWaterMark: 64 * 1024 });
  const decoder = new StringDecoder('utf8');
  let text = '';
  try {
    for await (const chunk of gzip ? bytes.pipe(createGunzip()) : bytes) {
      text += decoder.write(chunk);
      if (text.startsWith('\uFEFF')) text = text.slice(1);
      const end = endOfRecord(text);
      // After a lone carriage return the line feed may be still to come.
      if (end !== -1 && end + 1 < text.length) return recordUpTo(text, end);
      if (text.length > longestHeader) {
        throw new SlipwayError('dataUnreadable', { path: file, detail: detail('headerEndless') });
      }
    }
  } catch (error) {
    if (error instanceof SlipwayError) throw error;
    const said = error instanceof Error ? error.message : String(error);
    throw new SlipwayError('dataUnreadable', { path: file, detail: said }, { cause: error });
  } finally {
    bytes.destroy();
  }
  const end = endOfRecord(text);
  return end === -1 ? { text, newLine: '\n' } : recordUpTo(text, end);
}

function recordUpTo(text: string, end: number) {
  const newLine = text[end] === '\n' ? '\n' : text[end + 1] === '\n' ? '\r\n' : '\r';
  return { text: text.slice(0, end), newLine } as const;
}

/** The place of the first line end that is in no quotes; -1 when there is none yet. */
function endOfRecord(text: string): number {
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') quoted = !quoted;
    else if (!quoted && (character === '\n' || character === '\r')) return at;
  }
  return -1;
}

function fieldsOf(text: string, separator: string): readonly string[] {
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (const character of text) {
    if (character === '"') quoted = !quoted;
    if (character === separator && !quoted) {
      fields.push(field);
      field = '';
    } else field += character;
  }
  return [...fields, field].map((part) =>
    /^".*"$/s.test(part) ? part.slice(1, -1).replaceAll('""', '"') : part,
  );
}
