import { l10n, ProgressLocation, window } from 'vscode';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ModelVersionSummary } from '../../protocol/registry.ts';
import type { LoggedModelSummary, RunDetail } from '../../protocol/tracking.ts';
import type { RunTarget } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { pickRunWithModel } from '../tracking/pickRun.ts';
import { runCommand } from '../views/commands.ts';
import type { Formats } from '../views/formats.ts';
import { choose } from '../views/quickPick.ts';

/** Makes a run's model a version in the registry, asking for what is not clear. */
export async function registerModel(
  folders: EngineFolders,
  formats: Formats,
  target: RunTarget | undefined,
): Promise<void> {
  const run = target ?? (await pickRunWithModel(folders, formats));
  if (!run) return;
  const client = folders.of(run.folder);
  const detail = await client.request('tracking/run', { runId: run.runId });
  const model = await chooseLoggedModel(detail);
  if (!model) return;
  const name = await chooseName(client, detail, model);
  if (name === undefined) return;
  const version = await window.withProgress(
    { location: ProgressLocation.Notification, title: l10n.t('Registering "{0}"…', name) },
    () => client.request('registry/register', { name, runId: run.runId, modelId: model.modelId }),
  );
  void offerNext(client, version);
}

/** Not waited for: the command is done when the version is there, whatever becomes of the notification. */
async function offerNext(client: EngineClient, { name, version }: ModelVersionSummary): Promise<void> {
  const promote = l10n.t('Promote…');
  const message = l10n.t('Version {0} of "{1}" is registered.', version, name);
  const next = await window.showInformationMessage(message, promote);
  if (next === promote) {
    await runCommand('slipway.promoteVersion', { folder: client.id, model: name, version });
  }
}

async function chooseLoggedModel({ run, models }: RunDetail): Promise<LoggedModelSummary | undefined> {
  const [first, ...others] = models;
  if (!first) throw new SlipwayError('runHasNoModel', { run: run.name });
  if (others.length === 0) return first;
  return choose({
    title: l10n.t('Which model of "{0}"?', run.name),
    placeholder: l10n.t('Those that can be served first'),
    choices: [...models]
      .sort((one, other) => Number(isOnnx(other)) - Number(isOnnx(one)))
      .map((model) => ({
        label: model.name,
        description: model.flavors.join(', '),
        detail: model.registeredAs.map(({ name, version }) => `${name} v${version}`).join(', '),
        value: model,
      })),
    none: '',
  });
}

function isOnnx({ flavors }: LoggedModelSummary): boolean {
  return flavors.includes('onnx');
}

/** The model that the new version belongs to: one that exists, or a new one. */
async function chooseName(
  client: EngineClient,
  detail: RunDetail,
  model: LoggedModelSummary,
): Promise<string | undefined> {
  const models = await client.request('registry/models', {});
  const earlier = new Set(model.registeredAs.map(({ name }) => name));
  const chosen =
    models.length === 0
      ? null
      : await choose<string | null>({
          title: l10n.t('Register as a version of which model?'),
          placeholder: l10n.t('Or make a new one'),
          choices: [
            ...[...models]
              .sort((one, other) => other.lastUpdated - one.lastUpdated)
              .map(({ name, latestVersion }) => ({
                label: name,
                description: earlier.has(name)
                  ? l10n.t('this model is a version of it already')
                  : l10n.t('becomes v{0}', (latestVersion ?? 0) + 1),
                value: name,
              })),
            { label: `$(add) ${l10n.t('New model…')}`, alwaysShow: true, value: null },
          ],
          none: '',
        });
  if (chosen !== null) return chosen;
  const taken = new Set(models.map(({ name }) => name));
  const proposal = detail.experimentName.replaceAll(/[/:]/g, '-');
  return window.showInputBox({
    title: l10n.t('Name of the new model'),
    value: taken.has(proposal) ? '' : proposal,
    prompt: l10n.t('Its versions are numbered from 1.'),
    validateInput: (text) => {
      if (text.trim() === '') return l10n.t('A model needs a name.');
      if (/[/:]/.test(text)) return l10n.t('A name holds neither / nor :.');
      return taken.has(text) ? l10n.t('There is a model of this name already.') : undefined;
    },
  });
}
