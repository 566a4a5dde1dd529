/**
 * Takes the text of a `traces.json` apart while it is read, so that no more than one span of it must be parsed at once:
 * a file may have tens of megabytes.
 */
export interface SpanScanner {
  /** Takes the next bytes; gives the spans that end in them, as JSON texts. */
  take(bytes: Buffer): readonly string[];
  /** The JSON of the whole file, in which the n-th of the spans is `{"span": n}`. */
  outline(): string;
}

/** What a byte means outside of a text. */
const [other, word, quote, opensObject, closesObject, opensList, closesList] = [0, 1, 2, 3, 4, 5, 6];
const backslash = 0x5c;
const quoteMark = 0x22;
const meanings = new Uint8Array(256);
for (const character of '+-.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ') {
  meanings[character.charCodeAt(0)] = word;
}
for (const [character, meaning] of [
  ['"', quote],
  ['{', opensObject],
  ['}', closesObject],
  ['[', opensList],
  [']', closesList],
] as const) {
  meanings[character.charCodeAt(0)] = meaning;
}

/** Nanoseconds are longer than a number can hold, and Python writes NaN and Infinity bare: texts stand in for them. */
const bareNumber = /^-?(?:NaN|Infinity|\d{16,})$/;
/** A bare word that is longer is none of those. */
const longestWord = 100;

const nothing = Buffer.alloc(0);
const quotes = Buffer.from('"');

/** A scanner for one file. What is no JSON leaves an outline, or spans, that are none either. */
export function createSpanScanner(): SpanScanner {
  const outline: Buffer[] = [];
  let span: Buffer[] | null = null;
  let spanCount = 0;
  let depth = 0;
  let isInText = false;
  let isEscaped = false;
  /** How the last text directly in the file's object begins: the key of what follows. */
  let key = '';
  let isInSpans = false;
  /** A bare word in which the last bytes ended. */
  let begun: Buffer = nothing;

  return {
    take(next) {
      const bytes = begun.length > 0 ? Buffer.concat([begun, next]) : next;
      const found: string[] = [];
      let kept = 0;
      let wordStart = -1;
      const keepTo = (end: number) => {
        if (end > kept) (span ?? outline).push(bytes.subarray(kept, end));
        kept = end;
      };
      const endWord = (end: number) => {
        if (end - wordStart <= longestWord && bareNumber.test(bytes.toString('latin1', wordStart, end))) {
          keepTo(wordStart);
          (span ?? outline).push(quotes, bytes.subarray(wordStart, end), quotes);
          kept = end;
        }
        wordStart = -1;
      };

      for (let index = 0; index < bytes.length; index += 1) {
        const byte = bytes[index] ?? 0;
        if (isInText) {
          if (isEscaped) isEscaped = false;
          else if (byte === backslash) isEscaped = true;
          else if (byte === quoteMark) isInText = false;
          else if (depth === 1 && key.length < 8) key += String.fromCharCode(byte);
          continue;
        }
        const meaning = meanings[byte];
        if (meaning === word) {
          if (wordStart < 0) wordStart = index;
          continue;
        }
        if (wordStart >= 0) endWord(index);
        if (meaning === other) continue;
        if (meaning === quote) {
          isInText = true;
          if (depth === 1) key = '';
        } else if (meaning === opensObject || meaning === opensList) {
          if (depth === 1) isInSpans = meaning === opensList && key === 'spans';
          if (depth === 2 && isInSpans && meaning === opensObject) {
            keepTo(index);
            span = [];
          }
          depth += 1;
        } else {
          depth -= 1;
          if (depth === 2 && span && meaning === closesObject) {
            keepTo(index + 1);
            found.push(Buffer.concat(span).toString('utf8'));
            span = null;
            outline.push(Buffer.from(`{"span": ${spanCount}}`));
            spanCount += 1;
          }
        }
      }
      if (wordStart >= 0 && bytes.length - wordStart > longestWord) endWord(bytes.length);
      keepTo(wordStart < 0 ? bytes.length : wordStart);
      begun = bytes.subarray(kept);
      return found;
    },
    outline: () => Buffer.concat([...outline, begun]).toString('utf8'),
  };
}
