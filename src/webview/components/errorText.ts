import * as l10n from '@vscode/l10n';
import { type ErrorData, errorCatalogue } from '../../protocol/errors.ts';
import type { LocalizedError } from '../../protocol/page.ts';

/** The texts of an error that came as a part of an answer, in the person's language. */
export function localizedErrorFrom({ kind, values }: ErrorData): LocalizedError {
  const { message, remedy } = errorCatalogue[kind];
  return { kind, message: l10n.t(message, values), remedy: remedy === '' ? '' : l10n.t(remedy, values) };
}
