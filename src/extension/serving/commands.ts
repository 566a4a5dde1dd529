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
import { deleteEndpoint } from './deleteEndpoint.ts';
import type { EndpointLog } from './endpointLog.ts';
import { exportRequests } from './exportRequests.ts';
import { chooseEndpoint } from './pickEndpoint.ts';
import { replayRequests } from './replayRequests.ts';
import { scoreFile } from './scoreFile.ts';
import { sendTestRequest } from './sendTestRequest.ts';
import { showRequests } from './showRequests.ts';
import { startEndpoint } from './startEndpoint.ts';
import { startRollout } from './startRollout.ts';
import { tuneEndpoint } from './tuneEndpoint.ts';

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

  const openPage = ({ folder, endpoint }: EndpointTarget, part?: 'loadTest') =>
    pages.open({ page: 'endpoint', folder, endpoint }, endpoint, part);

  disposables.add(register('slipway.startEndpoint', (target) => startEndpoint(folders, formats, target)));
  disposables.add(register('slipway.scoreFile', (target) => scoreFile(folders, formats, target)));
  disposables.add(
    register('slipway.convertToOnnx', (target) => convertToOnnx(folders, formats, documents, target)),
  );
  disposables.add(
    register('slipway.stopEndpoint', async (target) => {
      const chosen = await chooseEndpoint(folders, formats, target, ['ready', 'starting']);
      if (!chosen) return;
      const { client, endpoint } = chosen;
      await window.withProgress(
        { location: ProgressLocation.Notification, title: l10n.t('Stopping "{0}"…', endpoint) },
        () => client.request('serving/stop', { endpoint }),
      );
    }),
  );
  disposables.add(register('slipway.deleteEndpoint', (target) => deleteEndpoint(folders, formats, target)));
  disposables.add(
    register('slipway.openEndpoint', async (target) => {
      const chosen = await chooseEndpoint(folders, formats, target);
      if (chosen) openPage(chosen);
    }),
  );
  disposables.add(
    register('slipway.loadTest', async (target) => {
      const chosen = await chooseEndpoint(folders, formats, target, ['ready']);
      if (chosen) openPage(chosen, 'loadTest');
    }),
  );
  disposables.add(
    register('slipway.sendTestRequest', async (target) => {
      const chosen = await chooseEndpoint(folders, formats, target, ['ready']);
      if (chosen) await sendTestRequest(chosen, formats, documents);
    }),
  );
  disposables.add(
    register('slipway.tuneEndpoint', (target) => tuneEndpoint(folders, formats, documents, target)),
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
