import { type Disposable, l10n, ProgressLocation, window } from 'vscode';
import type { EndpointTarget } from '../contributions.ts';
import type { EngineFolders } from '../engine/folders.ts';
import type { RegisterCommand } from '../views/commands.ts';
import { createDisposables } from '../views/disposables.ts';
import type { Formats } from '../views/formats.ts';
import type { PageHost } from '../views/pageHost.ts';
import type { ReadOnlyDocuments } from '../views/readOnlyDocuments.ts';
import { convertToOnnx } from './convertToOnnx.ts';
import { registerCopyCommands } from './copyCommands.ts';
import { type Decision, decideRollout } from './decideRollout.ts';
import type { EndpointLog } from './endpointLog.ts';
import { exportRequests } from './exportRequests.ts';
import { pickEndpoint } from './pickEndpoint.ts';
import { replayRequests } from './replayRequests.ts';
import { scoreFile } from './scoreFile.ts';
import { sendTestRequest } from './sendTestRequest.ts';
import { showRequests } from './showRequests.ts';
import { startEndpoint } from './startEndpoint.ts';
import { startRollout } from './startRollout.ts';

export interface ServingCommandsOptions {
  readonly register: RegisterCommand;
  readonly folders: EngineFolders;
  readonly formats: Formats;
  readonly documents: ReadOnlyDocuments;
  readonly pages: PageHost;
  readonly log: EndpointLog;
}

/** The commands on endpoints. */
export function registerServingCommands(options: ServingCommandsOptions): Disposable {
  const { register, folders, formats, documents, pages, log } = options;
  const disposables = createDisposables();

  const openPage = (target: EndpointTarget, part?: 'loadTest') => {
    const { folder, endpoint } = target;
    // Fails where the folder is not open any more.
    folders.of(folder);
    pages.open({ page: 'endpoint', folder, endpoint }, endpoint, part);
  };

  disposables.add(register('slipway.startEndpoint', (target) => startEndpoint(folders, formats, target)));
  disposables.add(register('slipway.scoreFile', (target) => scoreFile(folders, formats, target)));
  disposables.add(
    register('slipway.convertToOnnx', (target) => convertToOnnx(folders, formats, documents, target)),
  );
  disposables.add(
    register('slipway.stopEndpoint', async (target) => {
      const endpoint = target ?? (await pickEndpoint(folders, formats, ['ready', 'starting']));
      if (!endpoint) return;
      await window.withProgress(
        { location: ProgressLocation.Notification, title: l10n.t('Stopping "{0}"…', endpoint.endpoint) },
        () => folders.of(endpoint.folder).request('serving/stop', { endpoint: endpoint.endpoint }),
      );
    }),
  );
  disposables.add(
    register('slipway.openEndpoint', async (target) => {
      const endpoint =
        target ?? (await pickEndpoint(folders, formats, ['ready', 'starting', 'failed', 'stopped']));
      if (endpoint) openPage(endpoint);
    }),
  );
  disposables.add(
    register('slipway.loadTest', async (target) => {
      const endpoint = target ?? (await pickEndpoint(folders, formats, ['ready']));
      if (endpoint) openPage(endpoint, 'loadTest');
    }),
  );
  disposables.add(
    register('slipway.sendTestRequest', async (target) => {
      const endpoint = target ?? (await pickEndpoint(folders, formats, ['ready']));
      if (endpoint) await sendTestRequest(folders.of(endpoint.folder), endpoint, formats, documents);
    }),
  );
  disposables.add(register('slipway.showEndpointLog', async () => log.show()));
  disposables.add(
    register('slipway.showRequests', (target) => showRequests(folders, formats, documents, target)),
  );
  disposables.add(register('slipway.exportRequests', (target) => exportRequests(folders, formats, target)));
  disposables.add(
    register('slipway.replayRequests', (target) => replayRequests(folders, formats, documents, target)),
  );
  disposables.add(register('slipway.startRollout', (target) => startRollout(folders, formats, target)));
  const decide = (decision: Decision) => (target: EndpointTarget | undefined) =>
    decideRollout(folders, formats, decision, target);
  disposables.add(register('slipway.promoteCandidate', decide('promote')));
  disposables.add(register('slipway.rollBackRollout', decide('rollBack')));
  disposables.add(register('slipway.pauseRollout', decide('pause')));
  disposables.add(register('slipway.resumeRollout', decide('resume')));
  disposables.add(registerCopyCommands({ register, folders, formats }));
  return disposables;
}
