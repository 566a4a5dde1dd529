import type { Disposable } from 'vscode';
import { l10n, workspace } from 'vscode';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { needsAttention } from '../serving/endpointDescription.ts';
import type { EndpointStatus, FolderEndpoint } from '../serving/endpointStatus.ts';
import type { ContextKeys } from './contextKeys.ts';
import { createDisposables } from './disposables.ts';
import type { ErrorReporter } from './errors.ts';
import type { LiveTree } from './tree.ts';

export interface LivenessOptions {
  readonly folders: EngineFolders;
  readonly errors: ErrorReporter;
  readonly contextKeys: ContextKeys;
  readonly experiments: LiveTree;
  readonly models: LiveTree;
  readonly endpoints: LiveTree;
  readonly status: EndpointStatus;
}

/** Rates are of the last ten seconds. */
const rateMilliseconds = 5_000;

/**
 * Keeps up with the engines that run: trees are read again when something changed, and badges, context keys and the
 * status bar say how things stand. It never starts an engine.
 */
export function keepUp(options: LivenessOptions): Disposable {
  const { folders, errors, contextKeys, experiments, models, endpoints, status } = options;

  const ready = () => folders.all.filter(({ state }) => state.name === 'ready');

  /** That there is nothing is known only when every folder was asked. */
  const tell = (what: 'Runs' | 'Models' | 'Endpoints', asked: readonly EngineClient[], some: boolean) => {
    contextKeys.set(`slipway.has${what}`, some);
    contextKeys.set(`slipway.no${what}`, !some && folders.all.every((client) => asked.includes(client)));
  };

  const countRuns = async () => {
    const asked = ready();
    const lists = await Promise.all(asked.map((client) => client.request('tracking/experiments', {})));
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
    tell(
      'Runs',
      asked,
      all.some(({ runCount }) => runCount > 0),
    );
  };

  const countModels = async () => {
    const asked = ready();
    const lists = await Promise.all(asked.map((client) => client.request('registry/models', {})));
    tell('Models', asked, lists.flat().length > 0);
  };

  const readEndpoints = async () => {
    const asked = ready();
    const lists = await Promise.all(
      asked.map(async (client) => {
        const found = await client.request('serving/endpoints', {});
        return found.map((endpoint): FolderEndpoint => ({ folder: client.id, endpoint }));
      }),
    );
    const all = lists.flat();
    const unhealthy = all.filter(({ endpoint }) => needsAttention(endpoint)).length;
    endpoints.badge(
      unhealthy === 0
        ? undefined
        : {
            value: unhealthy,
            tooltip:
              unhealthy === 1
                ? l10n.t('1 endpoint needs attention')
                : l10n.t('{0} endpoints need attention', unhealthy),
          },
    );
    tell('Endpoints', asked, all.length > 0);
    status.show(all);
    // Traffic tells many times a second, and what it tells says nothing new of models.
    const served = servedVersions(all);
    if (served !== servedBefore) models.refresh();
    servedBefore = served;
    return all;
  };
  let servedBefore = '';

  /** Nobody tells that requests stopped coming, so rates are read again until they are zero. */
  let quiet: NodeJS.Timeout | undefined;
  const countEndpoints = async () => {
    const all = await readEndpoints();
    clearTimeout(quiet);
    if (all.every(({ endpoint }) => endpoint.rate === 0)) return;
    quiet = setTimeout(() => {
      endpoints.refresh();
      served();
    }, rateMilliseconds);
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
        served();
      }
    }),
  );
  const readAll = () => {
    runs();
    versions();
    served();
  };
  readAll();
  disposables.add(folders.onDidChange(readAll));
  disposables.add({ dispose: () => clearTimeout(quiet) });
  return disposables;
}

/** What is served where, as one text to compare. */
function servedVersions(all: readonly FolderEndpoint[]): string {
  return JSON.stringify(
    all.map(({ folder, endpoint: { name, state, url, modelName, modelVersion, variants } }) => [
      folder,
      name,
      state,
      url,
      modelName,
      modelVersion,
      variants.map(({ model, version }) => [model, version]),
    ]),
  );
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
