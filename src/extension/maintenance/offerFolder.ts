import { commands, env, l10n, UIKind, Uri, window } from 'vscode';

/**
 * Tells that a folder was written, and offers the way to it: the file manager where it is on the person's own machine,
 * else its path. Resolves when the notification is gone.
 *
 * @param folder an absolute path.
 */
export async function offerFolder(text: string, folder: string): Promise<void> {
  if (env.uiKind === UIKind.Desktop && env.remoteName === undefined) {
    const show = l10n.t('Show in File Manager');
    if ((await window.showInformationMessage(text, show)) === show) {
      await commands.executeCommand('revealFileInOS', Uri.file(folder));
    }
    return;
  }
  const copy = l10n.t('Copy Path');
  if ((await window.showInformationMessage(text, copy)) === copy) await env.clipboard.writeText(folder);
}
