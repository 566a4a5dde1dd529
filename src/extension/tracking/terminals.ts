import { type Disposable, type ExtensionContext, l10n, Uri } from 'vscode';
import type { EngineFolders } from '../engine/folders.ts';
import { settingOf } from '../views/settings.ts';

/**
 * Gives the terminals of each folder the address and the token of its engine, and the command `slipway`, so that a
 * script that uses `mlflow` needs no other change.
 *
 * The variables are not kept over a reload of the window: the engine may get another port, and a stale address would
 * send runs nowhere. Until the engine answers again new terminals have none; VS Code marks them to be relaunched.
 */
export function provideTerminalEnvironment(context: ExtensionContext, folders: EngineFolders): Disposable {
  const commandFolder = Uri.joinPath(context.extensionUri, 'dist', 'bin').fsPath;
  const separator = process.platform === 'win32' ? ';' : ':';
  context.environmentVariableCollection.persistent = false;
  context.environmentVariableCollection.clear();

  return folders.withEach((client) => {
    const variables = context.environmentVariableCollection.getScoped({ workspaceFolder: client.folder });
    variables.persistent = false;
    variables.description = l10n.t('Sends the runs of mlflow scripts to Slipway.');
    const apply = () => {
      if (client.state.name !== 'ready' || client.state.address === null) return;
      const { url, token } = client.state.address;
      variables.replace('MLFLOW_TRACKING_URI', url);
      if (token !== null) variables.replace('MLFLOW_TRACKING_TOKEN', token);
      variables.prepend('PATH', `${commandFolder}${separator}`);
      variables.replace('SLIPWAY_NODE', settingOf('slipway.nodePath', client.folder) || process.execPath);
    };
    apply();
    const subscription = client.onDidChangeState(apply);
    return {
      dispose() {
        subscription.dispose();
        variables.clear();
      },
    };
  });
}
