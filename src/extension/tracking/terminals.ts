import { type Disposable, type ExtensionContext, l10n, Uri, workspace } from 'vscode';
import type { EngineAddress } from '../../protocol/engine.ts';
import type { EngineState } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { settingOf } from '../views/settings.ts';

/**
 * Gives the terminals of each folder the address and the token of its engine, and the command `slipway`, so that a
 * script that uses `mlflow` needs no other change. Python programs get a folder first on their search path, from which
 * they tell the engine what their runs are made of.
 *
 * They are given while the engine is still starting: a script that is run at once finds it then, as the MLflow client
 * tries again for a while, where one without an address would record to a file of its own in silence. They are not kept
 * over a reload of the window: the engine may get another port, and a stale address would send runs nowhere.
 */
export function provideTerminalEnvironment(context: ExtensionContext, folders: EngineFolders): Disposable {
  const commandFolder = Uri.joinPath(context.extensionUri, 'dist', 'bin').fsPath;
  const pythonFolder = Uri.joinPath(context.extensionUri, 'dist', 'python').fsPath;
  const separator = process.platform === 'win32' ? ';' : ':';
  context.environmentVariableCollection.persistent = false;
  context.environmentVariableCollection.clear();

  return folders.withEach((client) => {
    const variables = context.environmentVariableCollection.getScoped({ workspaceFolder: client.folder });
    variables.persistent = false;
    variables.description = l10n.t('Sends the runs of mlflow scripts to Slipway.');
    const apply = () => {
      const address = addressOf(client.state);
      if (address === null) return;
      const { url, token } = address;
      variables.replace('MLFLOW_TRACKING_URI', url);
      if (token !== null) variables.replace('MLFLOW_TRACKING_TOKEN', token);
      // The client would print links to pages that only a server of MLflow's own has.
      variables.replace('MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT', 'true');
      variables.prepend('PATH', `${commandFolder}${separator}`);
      variables.replace('SLIPWAY_NODE', settingOf('slipway.nodePath', client.folder) || process.execPath);
      if (settingOf('slipway.provenance.enabled', client.folder)) {
        variables.replace('SLIPWAY_ENGINE_URL', url);
        // The person's own value stays behind it, even one that the shell sets as it starts.
        variables.prepend('PYTHONPATH', `${pythonFolder}${separator}`, {
          applyAtProcessCreation: true,
          applyAtShellIntegration: true,
        });
      } else {
        variables.delete('SLIPWAY_ENGINE_URL');
        variables.delete('PYTHONPATH');
      }
    };
    apply();
    const subscriptions = [
      client.onDidChangeState(apply),
      workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration('slipway.provenance.enabled', client.folder)) apply();
      }),
    ];
    return {
      dispose() {
        for (const subscription of subscriptions) subscription.dispose();
        variables.clear();
      },
    };
  });
}

function addressOf(state: EngineState): Pick<EngineAddress, 'url' | 'token'> | null {
  if (state.name === 'starting') return state.expected;
  return state.name === 'ready' ? state.address : null;
}
