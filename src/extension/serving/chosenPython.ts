import { extensions, type Uri, type WorkspaceFolder } from 'vscode';
import { settingOf } from '../views/settings.ts';

/** The part of the Python extension's programming interface that is used here. */
interface PythonEnvironments {
  getActiveEnvironmentPath(resource?: Uri): { readonly path: string };
  resolveEnvironment(environment: {
    readonly path: string;
  }): Promise<{ readonly executable: { readonly uri?: Uri } } | undefined>;
}

/**
 * The interpreter that the person chose for a folder: by Slipway's own setting, else in the Python extension. Null when
 * they chose none.
 */
export async function chosenPython(folder: WorkspaceFolder): Promise<string | null> {
  return settingOf('slipway.python', folder) || (await selectedInPythonExtension(folder.uri));
}

async function selectedInPythonExtension(resource: Uri): Promise<string | null> {
  const extension = extensions.getExtension<unknown>('ms-python.python');
  if (!extension) return null;
  const offered: unknown = await extension.activate();
  const environments = environmentsOf(offered);
  if (!environments) return null;
  const environment = await environments.resolveEnvironment(environments.getActiveEnvironmentPath(resource));
  return environment?.executable.uri?.fsPath ?? null;
}

/** Null when it offers something else than it says it does. */
function environmentsOf(offered: unknown): PythonEnvironments | null {
  if (typeof offered !== 'object' || offered === null || !('environments' in offered)) return null;
  const { environments } = offered;
  return isPythonEnvironments(environments) ? environments : null;
}

function isPythonEnvironments(value: unknown): value is PythonEnvironments {
  return (
    typeof value === 'object' &&
    value !== null &&
    'getActiveEnvironmentPath' in value &&
    typeof value.getActiveEnvironmentPath === 'function' &&
    'resolveEnvironment' in value &&
    typeof value.resolveEnvironment === 'function'
  );
}
