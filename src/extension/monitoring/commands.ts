import type { Disposable } from 'vscode';
import type { EngineFolders } from '../engine/folders.ts';
import { pickEndpoint } from '../serving/pickEndpoint.ts';
import type { RegisterCommand } from '../views/commands.ts';
import type { Formats } from '../views/formats.ts';
import type { PageHost } from '../views/pageHost.ts';

export interface MonitoringCommandsOptions {
  readonly register: RegisterCommand;
  readonly folders: EngineFolders;
  readonly formats: Formats;
  readonly pages: PageHost;
}

/** The commands on drift. */
export function registerMonitoringCommands({
  register,
  folders,
  formats,
  pages,
}: MonitoringCommandsOptions): Disposable {
  return register('slipway.showDrift', async (target) => {
    const endpoint =
      target ?? (await pickEndpoint(folders, formats, ['ready', 'starting', 'stopped', 'failed']));
    if (!endpoint) return;
    folders.of(endpoint.folder);
    pages.open({ page: 'drift', folder: endpoint.folder, endpoint: endpoint.endpoint }, endpoint.endpoint);
  });
}
