import type { Disposable } from 'vscode';
import { l10n, workspace } from 'vscode';
import type { EngineFolders } from '../engine/folders.ts';
import type { ContextKeys } from './contextKeys.ts';
import { createDisposables } from './disposables.ts';
import type { ErrorReporter } from './errors.ts';
import type { HealthItem } from './statusBar.ts';
import type { LiveTree } from './tree.ts';

export interface LivenessOptions {
  readonly folders: EngineFolders;
  readonly errors: ErrorReporter;
  readonly contextKeys: ContextKeys;
  readonly experiments: LiveTree;
  readonly models: LiveTree;
  readonly endpoints: LiveTree;
  readonly health: HealthItem;
}

/**
 * Keeps up with the engines that run: trees are read again when something changed, and badges, context keys and the
 * status bar say how things stand. It never starts an engine.
 */
export function keepUp(options: LivenessOptions): Disposable {
  const { folders, errors, contextKeys, experiments, models, endpoints, health } = options;

  const ready = () => folders.all.filter(({ state }) => state.name === 'ready');

  const countRuns = async () => {
    const lists = await Promise.all(ready().map((client) => client.request('tracking/experiments', {})));
    const all = lists.flat();
    const running = all.reduce((sum, { runningCount }) => sum + runningCount, 0);
    experiments.badge(
      running === 0
        ? undefined
        : {
            value: running,
            tooltip: running === 1 ? l10n.t('1 run in progress') : l10n.t('{0} runs in progress', running),
          },
    );
    contextKeys.set(
      'slipway.hasRuns',
      all.some(({ runCount }) => runCount > 0),
    );
  };

  const countModels = async () => {
    const lists = await Promise.all(ready().map((client) => client.request('registry/models', {})));
    contextKeys.set('slipway.hasModels', lists.flat().length > 0);
  };

  const countEndpoints = async () => {
    const lists = await Promise.all(ready().map((client) => client.request('serving/endpoints', {})));
    const all = lists.flat();
    const failed = all.filter(({ state }) => state === 'failed').length;
    endpoints.badge(
      failed === 0
        ? undefined
        : {
            value: failed,
            tooltip: failed === 1 ? l10n.t('1 endpoint failed') : l10n.t('{0} endpoints failed', failed),
          },
    );
    contextKeys.set('slipway.hasEndpoints', all.length > 0);
    health.serving(all.filter(({ state }) => state === 'ready').length);
  };

  const runs = oneAtATime(countRuns, errors);
  const versions = oneAtATime(countModels, errors);
  const served = oneAtATime(countEndpoints, errors);

  const disposables = createDisposables();
  const tellTrust = () => contextKeys.set('slipway.restricted', !workspace.isTrusted);
  tellTrust();
  disposables.add(workspace.onDidGrantWorkspaceTrust(tellTrust));
  disposables.add(
    folders.listen((client) => (event) => {
      if (client.state.name !== 'ready') return;
      if (event === 'tracking/changed') {
        experiments.refresh();
        runs();
      }
      if (event === 'registry/changed') {
        models.refresh();
        versions();
      }
      if (event === 'serving/changed') {
        endpoints.refresh();
        models.refresh();
        served();
      }
    }),
  );
  disposables.add(
    folders.onDidChange(() => {
      runs();
      versions();
      served();
    }),
  );
  return disposables;
}

/** While one reading is under way, any number of calls lead to one more after it. */
function oneAtATime(read: () => Promise<void>, errors: ErrorReporter): () => void {
  let running = false;
  let again = false;
  const run = async () => {
    running = true;
    do {
      again = false;
      await read().catch(errors.record);
    } while (again);
    running = false;
  };
  return () => {
    if (running) again = true;
    else void run();
  };
}
