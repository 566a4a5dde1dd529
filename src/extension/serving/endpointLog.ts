import { type Disposable, l10n, window } from 'vscode';
import type { EngineFolders } from '../engine/folders.ts';
import { createDisposables } from '../views/disposables.ts';

/** What endpoints have to say, in an output channel of their own. */
export interface EndpointLog extends Disposable {
  show(): void;
}

export function createEndpointLog(folders: EngineFolders): EndpointLog {
  const disposables = createDisposables();
  const channel = disposables.add(window.createOutputChannel(l10n.t('Slipway Endpoints'), { log: true }));
  disposables.add(
    folders.withEach((client) =>
      client.on('log', ({ level, message, endpoint }) => {
        if (endpoint === undefined) return;
        const name = folders.all.length > 1 ? `${client.folder.name}/${endpoint}` : endpoint;
        const line = message.startsWith(`${endpoint}: `) ? message.slice(endpoint.length + 2) : message;
        const text = `[${name}] ${line}`;
        if (level === 'error') channel.error(text);
        else if (level === 'warning') channel.warn(text);
        else channel.info(text);
      }),
    ),
  );
  return { show: () => channel.show(true), dispose: () => disposables.dispose() };
}
