import { type ExtensionContext, env, l10n, Uri, window } from 'vscode';
import { startEnginesInBackground } from './engine/autoStart.ts';
import { createEngineClient } from './engine/client.ts';
import { registerEngineCommands, tellCrashes } from './engine/commands.ts';
import { createEngineFolders, type EngineFolders } from './engine/folders.ts';
import { forwardEngineLog } from './engine/log.ts';
import { registerInteropCommands } from './interop/commands.ts';
import { registerMaintenanceCommands } from './maintenance/commands.ts';
import { tellStoreUpgrades } from './maintenance/storeUpgrade.ts';
import { registerMonitoringCommands } from './monitoring/commands.ts';
import { registerRegistryCommands } from './registry/commands.ts';
import { createModelsTree } from './registry/modelsTree.ts';
import { greetSample, openSampleProject } from './sample/openSampleProject.ts';
import { registerServingCommands } from './serving/commands.ts';
import { createEndpointLog } from './serving/endpointLog.ts';
import { createEndpointStatus } from './serving/endpointStatus.ts';
import { createEndpointsTree } from './serving/endpointsTree.ts';
import { tellReplacedRollouts } from './serving/replacedRollouts.ts';
import { showSettingsProblems } from './serving/settingsProblems.ts';
import { registerTrackingCommands } from './tracking/commands.ts';
import { createExperimentsTree } from './tracking/experimentsTree.ts';
import { provideTerminalEnvironment } from './tracking/terminals.ts';
import { createCommandRegistration } from './views/commands.ts';
import { createContextKeys } from './views/contextKeys.ts';
import { createErrorReporter } from './views/errors.ts';
import { createFormats } from './views/formats.ts';
import { keepUp } from './views/liveness.ts';
import { createPageHost } from './views/pageHost.ts';
import { createReadOnlyDocuments } from './views/readOnlyDocuments.ts';
import { createHealthItem } from './views/statusBar.ts';

let engines: EngineFolders | undefined;

/** Registers everything; starts nothing that the person would have to wait for. */
export function activate(context: ExtensionContext): void {
  const { extensionUri, globalState, secrets, subscriptions, workspaceState } = context;
  const add = <Item extends { dispose(): unknown }>(item: Item): Item => {
    subscriptions.push(item);
    return item;
  };

  const log = add(window.createOutputChannel('Slipway', { log: true }));
  const errors = createErrorReporter(log);
  const formats = createFormats(l10n, env.language);
  const register = createCommandRegistration(errors);
  const script = Uri.joinPath(extensionUri, 'dist', 'engine.cjs').fsPath;
  const folders = add(
    createEngineFolders((folder) =>
      createEngineClient({ folder, script, memory: workspaceState, secrets, log }),
    ),
  );
  engines = folders;
  add(forwardEngineLog(folders, log));

  const experiments = add(createExperimentsTree({ folders, errors, formats }));
  const models = add(createModelsTree({ folders, errors, formats }));
  const endpoints = add(createEndpointsTree({ folders, errors, formats }));
  const pages = add(createPageHost({ folders, errors, extensionUri }));
  const documents = add(createReadOnlyDocuments());
  add(createHealthItem(folders));
  const contextKeys = createContextKeys();
  const status = add(createEndpointStatus(formats));
  const endpointLog = add(createEndpointLog(folders));
  add(keepUp({ folders, errors, contextKeys, experiments, models, endpoints, status }));

  const refresh = () => {
    for (const tree of [experiments, models, endpoints]) tree.refresh();
  };
  add(registerEngineCommands({ register, folders, log, refresh }));
  add(registerTrackingCommands({ register, folders, formats, pages, documents, tree: experiments }));
  add(registerRegistryCommands({ register, folders, formats }));
  add(registerServingCommands({ register, folders, formats, documents, pages, log: endpointLog }));
  add(registerMonitoringCommands({ register, folders, formats, pages }));
  add(registerInteropCommands({ register, folders, formats, documents }));
  add(registerMaintenanceCommands({ register, folders, formats, errors, documents }));
  const sample = { extensionUri, memory: globalState };
  add(register('slipway.openSampleProject', (target) => openSampleProject(sample, target)));

  add(tellCrashes(folders, errors.report));
  add(tellStoreUpgrades(folders));
  add(showSettingsProblems(folders));
  add(tellReplacedRollouts(folders, formats));
  add(provideTerminalEnvironment(context, folders));
  add(startEnginesInBackground(folders, errors.report));
  greetSample(globalState).catch(errors.record);
}

/** Ends the engines with the window, and waits until their processes are gone. */
export async function deactivate(): Promise<void> {
  await engines?.close();
}
