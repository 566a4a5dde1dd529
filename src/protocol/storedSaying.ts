import { z } from 'zod';
import { type DetailValue, isDetailValue } from './errorDetails.ts';
import { type ErrorKind, errorCatalogue } from './errors.ts';
import {
  type Phrase,
  type Saying,
  type Sentence,
  type SentenceKind,
  type SentenceValue,
  servingSentences,
} from './servingSentences.ts';

/** How what the engine said is read from where it was kept. The pages, which are sent it, need none of this. */

const kinds = Object.keys(servingSentences).filter(isSentenceKind);
const errorKinds = Object.keys(errorCatalogue).filter((kind): kind is ErrorKind => kind in errorCatalogue);

function isSentenceKind(kind: string): kind is SentenceKind {
  return kind in servingSentences;
}

const storedPhrase: z.ZodType<Phrase> = z.lazy(() =>
  z.object({ kind: z.enum(kinds), values: z.record(z.string(), storedValue) }),
);
const storedValue: z.ZodType<SentenceValue> = z.union([
  z.number(),
  z.string(),
  z.object({ share: z.number() }),
  z.object({ milliseconds: z.number() }),
  z.object({ figure: z.number() }),
  storedPhrase,
]);
const storedSentence: z.ZodType<Sentence> = z.union([
  storedPhrase,
  z.object({
    error: z.object({
      kind: z.enum(errorKinds),
      values: z.record(z.string(), z.custom<DetailValue>(isDetailValue)),
    }),
  }),
  z.object({ text: z.string() }),
]);

/** A saying as it is stored: an older Slipway kept an English text. */
const storedSaying: z.ZodType<Saying> = z.union([
  z.string().transform((text) => [{ text }]),
  z.array(storedSentence),
]);

/** Reads what was kept; null when it is neither a saying nor a text. */
export function readSaying(kept: unknown): Saying | null {
  const read = storedSaying.safeParse(kept);
  return read.success ? read.data : null;
}

/**
 * Reads what was kept as JSON.
 *
 * @param text what it says where it cannot be read: a trail must not lose anything.
 */
export function readSayingText(json: string, text: string = json): Saying {
  return readSaying(jsonOf(json)) ?? [{ text }];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
