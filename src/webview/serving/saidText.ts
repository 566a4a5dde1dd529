import * as l10n from '@vscode/l10n';
import { type Saying, type Speech, say } from '../../protocol/servingSentences.ts';
import { formatLatency, formatNumber, formatShare } from '../components/numbers.ts';

const speech: Speech = {
  translate: (text, values) => l10n.t(text, values),
  share: formatShare,
  latency: formatLatency,
  figure: formatNumber,
};

/** What the engine says, in the person's language. */
export function saidText(saying: Saying): string {
  return say(saying, speech);
}
