import { type Disposable, l10n, StatusBarAlignment, ThemeColor, window } from 'vscode';
import type { CommandId } from '../contributions.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { createDisposables } from './disposables.ts';
import { sentenceOf } from './errors.ts';

/** The health of the engines in the status bar: there only when an engine starts or failed. */
export function createHealthItem(folders: EngineFolders): Disposable {
  const disposables = createDisposables();
  const item = disposables.add(window.createStatusBarItem('slipway.health', StatusBarAlignment.Left, -10));
  item.name = 'Slipway';

  const show = () => {
    const states = folders.all.map(({ state }) => state);
    const failed = states.find((state) => state.name === 'failed');
    item.backgroundColor = failed && new ThemeColor('statusBarItem.errorBackground');
    if (failed) {
      item.text = `$(error) ${l10n.t('Slipway stopped')}`;
      item.tooltip = sentenceOf(failed.error);
      item.command = 'slipway.restartEngine' satisfies CommandId;
    } else if (states.some(({ name }) => name === 'starting')) {
      item.text = `$(sync~spin) ${l10n.t('Slipway starts')}`;
      item.tooltip = l10n.t('The Slipway engine is starting.');
      item.command = 'slipway.showLog' satisfies CommandId;
    } else {
      item.hide();
      return;
    }
    item.show();
  };

  disposables.add(folders.onDidChange(show));
  return disposables;
}
