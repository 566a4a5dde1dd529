import { l10n, Uri } from 'vscode';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { choose } from '../views/quickPick.ts';

/**
 * The folder whose store is meant: the only one, or the one that the person chooses.
 *
 * @throws SlipwayError `noWorkspaceFolder` or `workspaceUntrusted` when there is none.
 */
export async function pickFolder(folders: EngineFolders): Promise<EngineClient | undefined> {
  const clients = await folders.needed();
  if (clients.length === 1) return clients[0];
  return choose({
    title: l10n.t('Choose a folder'),
    placeholder: l10n.t('Each folder has a store of its own'),
    choices: clients.map((client) => ({
      label: client.folder.name,
      description: Uri.parse(client.id).fsPath,
      value: client,
    })),
    none: '',
  });
}
