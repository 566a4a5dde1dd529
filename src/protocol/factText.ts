import type { Translator } from './translator.ts';

const metadata = 'metadata ';

/** What something is called that a model's file says of itself, by the name that it has in an answer of the scorer. */
export function factText(name: string, l10n: Translator): string {
  if (name.startsWith(metadata)) return l10n.t('metadata {0}', name.slice(metadata.length));
  switch (name) {
    case 'opset':
      return l10n.t('opset');
    case 'IR version':
      return l10n.t('IR version');
    case 'producer':
      return l10n.t('producer');
    case 'domain':
      return l10n.t('domain');
    case 'model version':
      return l10n.t('model version');
    case 'graph':
      return l10n.t('graph');
    case 'description':
      return l10n.t('description');
    case 'flavor':
      return l10n.t('flavor');
    default:
      return name;
  }
}
