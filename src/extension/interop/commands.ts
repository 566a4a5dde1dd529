import { basename } from 'node:path';
import { type Disposable, l10n, Uri, window } from 'vscode';
import type { ExperimentTarget, RunTarget } from '../contributions.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { runsText } from '../maintenance/deleting.ts';
import { askForLong } from '../maintenance/longRequest.ts';
import { offerFolder } from '../maintenance/offerFolder.ts';
import { pickExperiment, pickRun } from '../tracking/pickRun.ts';
import type { RegisterCommand } from '../views/commands.ts';
import { createDisposables } from '../views/disposables.ts';
import type { Formats } from '../views/formats.ts';
import type { ReadOnlyDocuments } from '../views/readOnlyDocuments.ts';
import { countsText } from './countsText.ts';
import { importRuns } from './importRuns.ts';
import { showOmissions } from './omissionsDocument.ts';
import { chooseStopSync } from './stopSync.ts';

export interface InteropCommandsOptions {
  readonly register: RegisterCommand;
  readonly folders: EngineFolders;
  readonly formats: Formats;
  readonly documents: ReadOnlyDocuments;
}

/** The commands that bring runs in from other tools, and hand them out. */
export function registerInteropCommands(options: InteropCommandsOptions): Disposable {
  const { register, folders, formats } = options;
  const disposables = createDisposables();

  disposables.add(register('slipway.importRuns', (target) => importRuns(options, target)));
  disposables.add(register('slipway.stopSync', () => chooseStopSync(folders)));
  disposables.add(
    register('slipway.exportRun', async (target) => {
      const run = target ?? (await pickRun(folders, formats, l10n.t('Choose the run to export')));
      if (run) await exportAsMlruns(options, run);
    }),
  );
  disposables.add(
    register('slipway.exportExperiment', async (target) => {
      const experiment =
        target ?? (await pickExperiment(folders, formats, l10n.t('Choose the experiment to export')));
      if (experiment) await exportAsMlruns(options, experiment);
    }),
  );
  return disposables;
}

async function exportAsMlruns(
  { folders, formats, documents }: InteropCommandsOptions,
  target: RunTarget | ExperimentTarget,
): Promise<void> {
  const client = folders.of(target.folder);
  const [chosen] =
    (await window.showOpenDialog({
      title: l10n.t('Choose the folder in which to put mlruns'),
      openLabel: l10n.t('Export Here'),
      canSelectFiles: false,
      canSelectFolders: true,
      defaultUri: Uri.parse(client.id),
    })) ?? [];
  if (!chosen) return;
  const report = await askForLong(client, l10n.t('Exporting…'), 'interop/export', {
    runId: 'runId' in target ? target.runId : null,
    experimentId: 'experimentId' in target ? target.experimentId : null,
    folder: chosen.fsPath,
  });
  const counts = countsText(report, formats) || runsText(0, formats);
  const done = l10n.t('Exported to {0}: {1}.', report.folder, counts);
  if (report.omissions.length === 0) {
    void offerFolder(done, report.folder);
    return;
  }
  const show = l10n.t('Show What Was Not Written');
  const wanted = await window.showWarningMessage(
    `${done} ${l10n.t('Not written: {0}.', formats.count(report.omissions.length))}`,
    show,
  );
  if (wanted === show) {
    const title = l10n.t('Not written to {0}', basename(report.folder));
    const { omissions, folder: place } = report;
    await showOmissions(documents, { title, heading: title, place, omissions });
  }
}
