/** The words of search filters and orders, with where they stand. */
import { invalid } from './limits.ts';

export interface Token {
  readonly type: 'word' | 'quoted' | 'symbol' | 'unclosed';
  /** As it was written, quotes included. */
  readonly source: string;
  /** Without its quotes; a doubled quote inside is one quote. */
  readonly text: string;
  /** The quote of a `quoted` token, else empty. */
  readonly quote: string;
  /** Offsets in the text that was read: of its first character, and behind its last. */
  readonly start: number;
  readonly end: number;
}

const tokenPattern =
  /\s*(?:(?<symbol>>=|<=|<>|!=|==|~=|[=<>~!(),;])|(?<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`)|(?<unclosed>['"`].*)|(?<word>[^\s=<>~!(),;'"`]+))/gsy;

/** Splits a text into its tokens. Any text can be split: an unclosed quote is a token to its end. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const length = text.trimEnd().length;
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < length) {
    const groups = tokenPattern.exec(text)?.groups;
    if (!groups) break;
    const { symbol, quoted, unclosed } = groups;
    const source = symbol ?? quoted ?? unclosed ?? groups.word ?? '';
    const end = tokenPattern.lastIndex;
    const quote = quoted?.charAt(0) ?? '';
    tokens.push({
      type: quoted ? 'quoted' : symbol ? 'symbol' : unclosed ? 'unclosed' : 'word',
      source,
      text: quoted ? quoted.slice(1, -1).replaceAll(quote + quote, quote) : source,
      quote,
      start: end - source.length,
      end,
    });
  }
  return tokens;
}

/** Whether a token is this keyword, in any case. */
export function isWord(token: Token | undefined, word: string): boolean {
  return token?.type === 'word' && token.text.toUpperCase() === word;
}

export function isNumber(token: Token | undefined): boolean {
  return token?.type === 'word' && /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(token.text);
}

/** Where an offset in a text stands for its reader: characters, from 1. */
export function columnOf(text: string, offset: number): number {
  return [...text.slice(0, offset)].length + 1;
}

/**
 * A complaint about a text: what MLflow says of it, which clients look for, and one sentence that tells where it went
 * wrong and what would be right there.
 */
export function complaint(saying: string, text: string, found: Token | undefined, expected: string) {
  const column = columnOf(text, found?.start ?? text.length);
  const what = found ? `found ${shorten(found.source)}` : 'it ended';
  return invalid(`${saying}. At column ${column}: expected ${expected}, but ${what}.`);
}

/** Enough of a text to know it by. */
export function shorten(source: string): string {
  return source.length > 200 ? `${source.slice(0, 200)}…` : source;
}
