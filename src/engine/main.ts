import { join } from 'node:path';
import { createMessageConnection, IPCMessageReader, IPCMessageWriter } from 'vscode-jsonrpc/node';
import type { EngineEvent } from '../protocol/engine.ts';
import { keepCompiledCode } from '../supervision/compiledCode.ts';
import { describeBackup, type Engine, openEngine, restoreStore } from './engine.ts';
import { createHandlers } from './handlers.ts';
import { answerRequests } from './rpc.ts';

/**
 * The engine as a child process of the extension host: requests and events travel over the IPC channel, and the
 * process ends when the channel does, however its parent ended.
 */
const connection = createMessageConnection(new IPCMessageReader(process), new IPCMessageWriter(process));

const tell = (event: EngineEvent, data: unknown): void => {
  if (process.connected) void connection.sendNotification(event, data);
};

const scripts = {
  scorer: join(import.meta.dirname, 'scorer.cjs'),
  worker: join(import.meta.dirname, 'worker.cjs'),
};

// For the scorers that it starts.
keepCompiledCode();

let opening: Promise<Engine> | null = null;

answerRequests(
  connection,
  createHandlers({
    open(params) {
      opening = openEngine({
        workspace: params.workspace,
        host: '127.0.0.1',
        port: params.preferredPort ?? 0,
        token: params.token,
        trusted: params.trusted,
        // Clients run in the terminals of the editor, which begin there.
        clientFolder: params.workspace,
        listener: tell,
        python: { all: false, python: null, consents: params.pythonConsents ?? [] },
        scripts,
      });
      return opening;
    },
    restore: (options, control) => restoreStore({ ...options, worker: scripts.worker }, control),
    describeBackup,
    progress: (progress) => tell('job/progress', progress),
  }),
);
connection.listen();

const end = async (): Promise<void> => {
  const engine = await opening?.catch(() => null);
  await engine?.close();
  process.exit(0);
};
process.once('disconnect', end);
process.once('SIGTERM', end);
// The editor ends its children itself; Ctrl+C in the terminal it was started from must not overtake it.
process.on('SIGINT', () => undefined);
