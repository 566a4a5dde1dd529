import * as l10n from '@vscode/l10n';
import { type DetailValue, type Translate, worded, wordedAll } from '../../protocol/errorDetails.ts';
import { type ErrorData, errorCatalogue } from '../../protocol/errors.ts';
import type { LocalizedError } from '../../protocol/page.ts';

/** The texts of an error that came as a part of an answer, in the person's language. */
export function localizedErrorFrom({ kind, values }: ErrorData): LocalizedError {
  const { message, remedy } = errorCatalogue[kind];
  const said = wordedAll(values, translate);
  return { kind, message: l10n.t(message, said), remedy: remedy === '' ? '' : l10n.t(remedy, said) };
}

/** A detail of an error, or a warning, in the person's language. */
export function localizedDetail(detail: DetailValue): string {
  return String(worded(detail, translate));
}

const translate: Translate = (text, values) => l10n.t(text, values);
