import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fill } from '../../../src/protocol/errorDetails.ts';
import type { Speech } from '../../../src/protocol/servingSentences.ts';

/** The translations by their English texts. */
export const texts: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../l10n/bundle.l10n.pt-br.json'), 'utf8'),
);

/** How a Brazilian reads what the engine says. */
export const portuguese: Speech = {
  translate: (text, values) => fill(texts[text] ?? text, values),
  share: (share) => `${(share * 100).toLocaleString('pt-BR')}%`,
  latency: (milliseconds) => `${milliseconds.toLocaleString('pt-BR')} ms`,
  figure: (value) => value.toLocaleString('pt-BR'),
};
