/** Translates a text whose `{0}`, `{1}` are the arguments: `vscode.l10n`, `@vscode/l10n`, or a stand-in for them. */
export interface Translator {
  t(message: string, ...values: (string | number)[]): string;
}
