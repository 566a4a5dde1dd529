import { l10n, window } from 'vscode';
import type { PythonModelDescription } from '../../protocol/pythonModels.ts';
import type { EngineClient } from '../engine/client.ts';
import { requireTrust } from '../views/trust.ts';
import { chosenPython } from './chosenPython.ts';

/** Which version is to be loaded. */
interface VersionName {
  readonly name: string;
  readonly version: number;
}

/**
 * Whether a version may be loaded. One that only Python can load runs code that was logged with it, so the person is
 * asked the first time, and again when its files changed.
 *
 * @throws SlipwayError `workspaceUntrusted`, `pythonNotFound` or `pythonPackagesMissing`.
 */
export async function mayLoad(client: EngineClient, { name, version }: VersionName): Promise<boolean> {
  requireTrust();
  const python = await chosenPython(client.folder);
  const model = await client.request('python/describe', { name, version, python });
  if (model === null || model.allowed) return true;
  if (!(await askConsent(model))) return false;
  await client.allowPython({ digest: model.digest, python: model.python });
  return true;
}

async function askConsent(model: PythonModelDescription): Promise<boolean> {
  const { modelName, modelVersion, python, folder, flavors } = model;
  const run = l10n.t('Run in Python');
  const answer = await window.showWarningMessage(
    l10n.t('Let Python load version {0} of "{1}"?', modelVersion, modelName),
    {
      modal: true,
      detail: [
        l10n.t(
          'This version is no ONNX model ({0}). Loading it runs the code that was logged with it, with all that you may do on this machine. Go on only if you trust who made it.',
          flavors.join(', ') || 'python_function',
        ),
        l10n.t('Interpreter: {0}', python),
        l10n.t('Folder: {0}', folder),
        ...differences(model),
        l10n.t('You are asked again when its files change.'),
      ].join('\n\n'),
    },
    run,
  );
  return answer === run;
}

/** What the interpreter has in other versions than the model was logged with. */
function differences({ environment }: PythonModelDescription): readonly string[] {
  const { pythonVersion, wantedPython, different } = environment;
  const lines = different.map(({ name, wanted, found }) =>
    l10n.t('{0} {1} (asks for {2})', name, found, wanted),
  );
  if (wantedPython !== null)
    lines.unshift(l10n.t('Python {0} (logged with {1})', pythonVersion, wantedPython));
  return lines.length === 0 ? [] : [l10n.t('Other versions than it was logged with: {0}', lines.join(', '))];
}
