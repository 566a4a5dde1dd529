import { l10n } from 'vscode';
import { type Saying, say } from '../../protocol/servingSentences.ts';
import type { Formats } from '../views/formats.ts';

/** What the engine says, in the person's language. */
export function saidText(saying: Saying, { share, latency, metric }: Formats): string {
  return say(saying, { translate: (text, values) => l10n.t(text, values), share, latency, figure: metric });
}
