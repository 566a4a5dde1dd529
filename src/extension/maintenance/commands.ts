import { commands, type Disposable, l10n, ProgressLocation, window } from 'vscode';
import { fromErrorData } from '../../protocol/errors.ts';
import type { CheckReport } from '../../protocol/maintenance.ts';
import type { EngineFolders } from '../engine/folders.ts';
import type { RegisterCommand } from '../views/commands.ts';
import { createDisposables } from '../views/disposables.ts';
import { type ErrorReporter, localizeError } from '../views/errors.ts';
import type { Formats } from '../views/formats.ts';
import { escaped } from '../views/markdown.ts';
import type { ReadOnlyDocuments } from '../views/readOnlyDocuments.ts';
import { backUpStore, restoreStore } from './backups.ts';
import { deletePermanently } from './deletePermanently.ts';
import { deleteExperiment, deleteRun, restoreDeleted, runsText } from './deleting.ts';
import { diskUsageDocument } from './diskUsageDocument.ts';
import { askForLong } from './longRequest.ts';
import { pickFolder } from './pickFolder.ts';

export interface MaintenanceCommandsOptions {
  readonly register: RegisterCommand;
  readonly folders: EngineFolders;
  readonly formats: Formats;
  readonly errors: ErrorReporter;
  readonly documents: ReadOnlyDocuments;
}

/** The commands on the life cycle of runs and experiments, and on the store itself. */
export function registerMaintenanceCommands(options: MaintenanceCommandsOptions): Disposable {
  const { register, folders, formats, documents } = options;
  const disposables = createDisposables();
  const show = async (name: string, text: string) => {
    await commands.executeCommand('markdown.showPreview', documents.put(`/${name}`, text));
  };

  disposables.add(register('slipway.deleteRun', (target) => deleteRun(options, target)));
  disposables.add(register('slipway.deleteExperiment', (target) => deleteExperiment(options, target)));
  disposables.add(register('slipway.restoreDeleted', () => restoreDeleted(folders, formats)));
  disposables.add(register('slipway.deletePermanently', () => deletePermanently(folders, formats)));
  disposables.add(
    register('slipway.showDiskUsage', async () => {
      const client = await pickFolder(folders);
      if (!client) return;
      const usage = await window.withProgress(
        { location: ProgressLocation.Notification, title: l10n.t('Measuring disk usage…') },
        () => client.request('maintenance/diskUsage', {}),
      );
      const { name } = client.folder;
      await show(l10n.t('Disk usage of {0}', name), diskUsageDocument(name, usage, formats));
    }),
  );
  disposables.add(register('slipway.backUpStore', () => backUpStore(folders, formats)));
  disposables.add(register('slipway.restoreStore', () => restoreStore(folders, formats)));
  disposables.add(
    register('slipway.checkStore', async () => {
      const client = await pickFolder(folders);
      if (!client) return;
      const report = await askForLong(client, l10n.t('Checking the store…'), 'maintenance/check', {});
      const { name } = client.folder;
      if (report.findingCount > 0) {
        await show(l10n.t('Store check of {0}', name), findingsDocument(name, report, formats));
        return;
      }
      void window.showInformationMessage(
        l10n.t(
          'The store of "{0}" is sound: {1}; experiments: {2}, model versions: {3}.',
          name,
          runsText(report.content.runs, formats),
          report.content.experiments,
          report.content.modelVersions,
        ),
      );
    }),
  );
  return disposables;
}

function findingsDocument(folder: string, report: CheckReport, formats: Formats): string {
  const more = report.findingCount - report.findings.length;
  return [
    `# ${escaped(l10n.t('Store check of {0}', folder))}`,
    escaped(l10n.t('Findings: {0}', formats.count(report.findingCount))),
    report.findings
      .map((finding) => {
        const { message, remedy } = localizeError(fromErrorData(finding));
        return `- **${escaped(message)}** ${escaped(remedy)}`;
      })
      .join('\n'),
    ...(more > 0 ? [escaped(l10n.t('and {0} more', formats.count(more)))] : []),
    '',
  ].join('\n\n');
}
