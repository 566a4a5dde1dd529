import { type Disposable, RelativePattern, workspace } from 'vscode';
import { createDisposables } from '../views/disposables.ts';
import { settingOf } from '../views/settings.ts';
import type { EngineClient } from './client.ts';
import type { EngineFolders } from './folders.ts';

/**
 * Starts engines in the background, so that terminals have their address: in a trusted folder that has a store or
 * Python in it. Others are left alone until Slipway is used in them, so that no store appears where none is wanted.
 */
export function startEnginesInBackground(
  folders: EngineFolders,
  onError: (error: unknown) => void,
): Disposable {
  const start = (client: EngineClient) => {
    if (!workspace.isTrusted || client.state.name !== 'idle') return;
    if (settingOf('slipway.engine.autoStart', client.folder)) client.start().catch(onError);
  };
  const startWhereTrained = (client: EngineClient) => {
    mayTrain(client).then((yes) => {
      if (yes) start(client);
    }, onError);
  };

  const disposables = createDisposables();
  disposables.add(
    folders.withEach((client) => {
      startWhereTrained(client);
      return workspace.onDidOpenTextDocument(({ languageId, uri }) => {
        const folder = workspace.getWorkspaceFolder(uri);
        if (languageId === 'python' && folder?.uri.toString() === client.id) start(client);
      });
    }),
  );
  disposables.add(
    workspace.onDidGrantWorkspaceTrust(() => {
      for (const client of folders.all) {
        // One that was opened to be read only is opened again, now to be written too.
        if (client.state.name === 'idle') startWhereTrained(client);
        else client.restart().catch(onError);
      }
    }),
  );
  return disposables;
}

const pythonFiles = '**/*.{py,ipynb}';
const notTheirs = '**/{node_modules,.venv,venv,env,site-packages}/**';

async function mayTrain({ folder, hasStore }: EngineClient): Promise<boolean> {
  if (await hasStore()) return true;
  const found = await workspace.findFiles(new RelativePattern(folder, pythonFiles), notTheirs, 1);
  return found.length > 0;
}
