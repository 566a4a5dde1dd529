import { commands, type Disposable, type LogOutputChannel, l10n, ProgressLocation, window } from 'vscode';
import type { CommandId } from '../contributions.ts';
import type { RegisterCommand } from '../views/commands.ts';
import { createDisposables } from '../views/disposables.ts';
import type { EngineFolders } from './folders.ts';

export interface EngineCommandsOptions {
  readonly register: RegisterCommand;
  readonly folders: EngineFolders;
  readonly log: LogOutputChannel;
  /** Reads everything that is shown again. */
  refresh(): void;
}

/** The commands on the engines themselves. */
export function registerEngineCommands({
  register,
  folders,
  log,
  refresh,
}: EngineCommandsOptions): Disposable {
  const disposables = createDisposables();
  disposables.add(register('slipway.refresh', async () => refresh()));
  disposables.add(register('slipway.showLog', async () => log.show()));
  disposables.add(
    register('slipway.restartEngine', async () => {
      await window.withProgress(
        { location: ProgressLocation.Window, title: l10n.t('Restarting the Slipway engine…') },
        () => Promise.all(folders.all.map((client) => client.restart())),
      );
    }),
  );
  return disposables;
}

/** Tells the person when an engine crashed and was restarted, and when Slipway gave up on restarting it. */
export function tellCrashes(folders: EngineFolders, onError: (error: unknown) => void): Disposable {
  return folders.withEach((client) => {
    const disposables = createDisposables();
    let crashed = false;
    disposables.add(
      client.onDidCrash(async () => {
        crashed = true;
        const showLog = l10n.t('Show Log');
        const message =
          folders.all.length === 1
            ? l10n.t('The Slipway engine stopped unexpectedly and was restarted. What was recorded is safe.')
            : l10n.t(
                'The Slipway engine of "{0}" stopped unexpectedly and was restarted. What was recorded is safe.',
                client.folder.name,
              );
        const chosen = await window.showWarningMessage(message, showLog);
        if (chosen === showLog) await commands.executeCommand('slipway.showLog' satisfies CommandId);
      }),
    );
    disposables.add(
      client.onDidChangeState((state) => {
        if (state.name === 'ready') crashed = false;
        if (state.name === 'failed' && crashed) onError(state.error);
      }),
    );
    return disposables;
  });
}
