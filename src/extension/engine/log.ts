import type { Disposable, LogOutputChannel } from 'vscode';
import type { EngineFolders } from './folders.ts';

/** Writes what engines have to say into the output channel. */
export function forwardEngineLog(folders: EngineFolders, log: LogOutputChannel): Disposable {
  return folders.withEach((client) =>
    client.on('log', ({ level, message, endpoint }) => {
      // Endpoints have a channel of their own.
      if (endpoint !== undefined) return;
      const line = `[engine ${client.folder.name}] ${message}`;
      if (level === 'error') log.error(line);
      else if (level === 'warning') log.warn(line);
      else log.info(line);
    }),
  );
}
