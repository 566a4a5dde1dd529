import type { Translator } from './translator.ts';

/** What a variant of an endpoint is there for, by its name. */
export function roleText(name: string, l10n: Translator): string {
  switch (name) {
    case 'stable':
      return l10n.t('stable');
    case 'candidate':
      return l10n.t('candidate');
    case 'shadow':
      return l10n.t('shadow');
    case 'version':
      return l10n.t('asked for by number');
    default:
      return name;
  }
}
