import { commands, l10n, Uri, window } from 'vscode';
import { isGzipName } from '../../protocol/scoring.ts';
import { offerFolder } from '../maintenance/offerFolder.ts';

/**
 * Tells that a data file was written, and offers to open it; one that no editor shows is shown in its folder. Resolves
 * when the notification is gone.
 *
 * @param file an absolute path.
 */
export async function offerFile(text: string, file: string): Promise<void> {
  if (/\.(parquet|pq)$/i.test(file) || isGzipName(file)) return offerFolder(text, file);
  const open = l10n.t('Open');
  if ((await window.showInformationMessage(text, open)) === open) {
    await commands.executeCommand('vscode.open', Uri.file(file));
  }
}
