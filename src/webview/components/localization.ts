import * as l10n from '@vscode/l10n';

let language = 'en';
const numberFormats = new Map<string, Intl.NumberFormat>();

/** The person's language as a BCP 47 tag, for numbers and dates. */
export function locale(): string {
  return language;
}

/** How numbers are written in the person's language. Kept, as making one takes far longer than writing with it. */
export function numberFormat(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = JSON.stringify([language, options]);
  const kept = numberFormats.get(key) ?? new Intl.NumberFormat(language, options);
  numberFormats.set(key, kept);
  return kept;
}

/** Sets the language of all texts, numbers and dates. A tag that the browser does not know counts as English. */
export function configureLanguage(tag: string, bundle: string): void {
  language = Intl.NumberFormat.supportedLocalesOf(isWellFormed(tag) ? tag : 'en')[0] ?? 'en';
  l10n.config({ contents: bundle });
}

/** Reads language and translations from the page's frame: `<html lang>` and `<script id="l10n">`. */
export function configureLanguageFrom(document: Document): void {
  configureLanguage(
    document.documentElement.lang || 'en',
    document.getElementById('l10n')?.textContent || '{}',
  );
}

function isWellFormed(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}
