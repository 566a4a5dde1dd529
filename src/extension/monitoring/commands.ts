import type { Disposable } from 'vscode';
import type { EngineFolders } from '../engine/folders.ts';
import { chooseEndpoint } from '../serving/pickEndpoint.ts';
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
    const chosen = await chooseEndpoint(folders, formats, target);
    if (!chosen) return;
    const { folder, endpoint } = chosen;
    pages.open({ page: 'drift', folder, endpoint }, endpoint);
  });
}
