import { l10n, window } from 'vscode';
import type { ImportKind } from '../../protocol/importing.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { choose } from '../views/quickPick.ts';

/** Asks which source shall no longer be kept in sync, and ends its sync. */
export async function chooseStopSync(folders: EngineFolders): Promise<void> {
  const found = await Promise.all(
    (await folders.needed()).map(async (client) => {
      const syncs = await client.request('interop/syncs', {});
      return syncs.map((source) => ({
        label: source.path,
        description: client.folder.name,
        value: { client, source },
      }));
    }),
  );
  const chosen = await choose({
    title: l10n.t('Stop keeping in sync'),
    placeholder: l10n.t('What was imported stays'),
    choices: found.flat(),
    none: l10n.t('Nothing is kept in sync.'),
  });
  if (chosen) await stopSync(chosen.client, chosen.source);
}

/** Ends the sync of a source, and says so. */
export async function stopSync(
  client: EngineClient,
  { kind, path }: { readonly kind: ImportKind; readonly path: string },
): Promise<void> {
  await client.request('interop/stopSync', { kind, path });
  window.setStatusBarMessage(l10n.t('{0} is no longer kept in sync.', path), 5_000);
}
