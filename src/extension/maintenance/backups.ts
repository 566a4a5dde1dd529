import { l10n, window } from 'vscode';
import { toSlipwayError } from '../../protocol/errors.ts';
import type { StoreContent } from '../../protocol/maintenance.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import type { Formats } from '../views/formats.ts';
import { choose } from '../views/quickPick.ts';
import { runsText } from './deleting.ts';
import { askForLong } from './longRequest.ts';
import { offerFolder } from './offerFolder.ts';
import { pickFolder } from './pickFolder.ts';

/** Copies the store of a folder, with or without artifacts, to where the person says. */
export async function backUpStore(folders: EngineFolders, formats: Formats): Promise<void> {
  const client = await pickFolder(folders);
  if (!client) return;
  const artifacts = await choose({
    title: l10n.t('What shall be backed up?'),
    placeholder: l10n.t('Training and logging go on meanwhile'),
    choices: [
      {
        label: l10n.t('The store with all artifacts'),
        description: l10n.t('runs, models and their files'),
        value: true,
      },
      {
        label: l10n.t('The store only'),
        description: l10n.t('runs and the registry, without files'),
        value: false,
      },
    ],
    none: '',
  });
  if (artifacts === undefined) return;
  const [parent] =
    (await window.showOpenDialog({
      title: l10n.t('Choose where to put the backup'),
      openLabel: l10n.t('Back Up Here'),
      canSelectFiles: false,
      canSelectFolders: true,
    })) ?? [];
  if (!parent) return;
  const report = await askForLong(client, l10n.t('Backing up the store…'), 'maintenance/backup', {
    path: parent.fsPath,
    artifacts,
  });
  void offerFolder(
    l10n.t(
      'Backed up {0} ({1}) to {2}. The copy was checked.',
      runsText(report.content.runs, formats),
      formats.bytes(report.storeBytes + report.artifactBytes),
      report.path,
    ),
    report.path,
  );
}

/** Puts a backup in the place of a folder's store: says in a modal what will be lost, and where it is kept. */
export async function restoreStore(folders: EngineFolders, formats: Formats): Promise<void> {
  const client = await pickFolder(folders);
  if (!client) return;
  const kind = await choose({
    title: l10n.t('Which kind of backup shall be restored?'),
    placeholder: l10n.t('As it was written'),
    choices: [
      { label: l10n.t('A folder'), description: l10n.t('with store.db in it'), value: 'folder' },
      { label: l10n.t('A file'), description: '*.db', value: 'file' },
    ],
    none: '',
  });
  if (kind === undefined) return;
  const [source] =
    (await window.showOpenDialog({
      title: l10n.t('Choose the backup'),
      openLabel: l10n.t('Restore'),
      canSelectFiles: kind === 'file',
      canSelectFolders: kind === 'folder',
      ...(kind === 'file' ? { filters: { SQLite: ['db'] } } : {}),
    })) ?? [];
  if (!source) return;
  const [backup, now] = await Promise.all([
    client.request('maintenance/describeBackup', { path: source.fsPath }),
    contentOf(client),
  ]);
  const restore = l10n.t('Restore');
  const detail = [
    l10n.t(
      'The backup is of {0}. It holds {1}; experiments: {2}, model versions: {3}.',
      formats.moment(backup.createdAt),
      runsText(backup.content.runs, formats),
      formats.count(backup.content.experiments),
      formats.count(backup.content.modelVersions),
    ),
    now === null
      ? l10n.t('The store is damaged; what was recorded after the backup will be gone from it.')
      : l10n.t(
          'The store holds {0} now; experiments: {1}, model versions: {2}. What was recorded after the backup will be gone from it.',
          runsText(now.runs, formats),
          formats.count(now.experiments),
          formats.count(now.modelVersions),
        ),
    backup.hasArtifacts
      ? l10n.t('The files of runs and models are restored, too.')
      : l10n.t('The backup has no files of runs and models; those that are here stay.'),
    l10n.t('The store of now is kept beside it, and can be restored in the same way.'),
  ];
  const answer = await window.showWarningMessage(
    l10n.t('Replace the store of "{0}" by the backup?', client.folder.name),
    { modal: true, detail: detail.join('\n') },
    restore,
  );
  if (answer !== restore) return;
  const report = await askForLong(client, l10n.t('Restoring the store…'), 'maintenance/restore', {
    path: source.fsPath,
  });
  const done = l10n.t('Restored {0}.', runsText(report.content.runs, formats));
  if (report.replaced === null) void window.showInformationMessage(done);
  else {
    const kept = l10n.t('The store that was there before is kept in {0}.', report.replaced);
    void offerFolder(`${done} ${kept}`, report.replaced);
  }
}

/** Null when the store is too damaged to be opened, which restoring a backup mends. */
async function contentOf(client: EngineClient): Promise<StoreContent | null> {
  try {
    return await client.request('maintenance/content', {});
  } catch (error) {
    if (toSlipwayError(error).kind === 'storeDamaged') return null;
    throw error;
  }
}
