import { type Disposable, l10n, ProgressLocation, window } from 'vscode';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { followProgress } from './longRequest.ts';

/**
 * Shows a notification while an engine that starts brings a large store of an older version up to date, so that the start
 * does not look hung.
 */
export function tellStoreUpgrades(folders: EngineFolders): Disposable {
  return folders.withEach((client) => {
    let close: (() => void) | null = null;
    const listening = client.on('job/progress', ({ method }) => {
      // A restore opens the store, too, and shows its own progress.
      if (method !== 'engine/open' || close !== null || client.state.name !== 'starting') return;
      const closed = new Promise<void>((resolve) => {
        close = resolve;
      });
      void showUntil(closed, client).then(() => {
        close = null;
      });
    });
    const watching = client.onDidChangeState(({ name }) => {
      if (name !== 'starting') close?.();
    });
    return {
      dispose() {
        listening.dispose();
        watching.dispose();
        close?.();
      },
    };
  });
}

function showUntil(closed: Promise<void>, client: EngineClient): Thenable<void> {
  const title = l10n.t('Bringing the store of "{0}" up to date…', client.folder.name);
  return window.withProgress({ location: ProgressLocation.Notification, title }, async (progress) => {
    const following = followProgress(client, 'engine/open', progress);
    try {
      await closed;
    } finally {
      following.dispose();
    }
  });
}
