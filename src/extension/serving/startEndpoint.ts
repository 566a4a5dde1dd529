import { l10n, ProgressLocation, window } from 'vscode';
import { toSlipwayError } from '../../protocol/errors.ts';
import type { ModelVersionSummary } from '../../protocol/registry.ts';
import type { EndpointSummary } from '../../protocol/serving.ts';
import type { ModelTarget } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { pickVersion, productionVersion } from '../registry/pickVersion.ts';
import { runCommand } from '../views/commands.ts';
import { sentenceOf } from '../views/errors.ts';
import type { Formats } from '../views/formats.ts';
import { mayLoad } from './pythonConsent.ts';

/** Serves a version: the named one, else the model's version in production, else the one the person chooses. */
export async function startEndpoint(
  folders: EngineFolders,
  formats: Formats,
  target: ModelTarget | undefined,
): Promise<void> {
  const order = ['Production', 'Staging', 'None', 'Archived'] as const;
  const title = l10n.t('Choose the version to serve');
  const chosen = await pickVersion(folders, formats, title, order, await likeliest(folders, target));
  if (!chosen) return;
  const client = folders.of(chosen.folder);
  if (!(await confirmed(client, chosen.version))) return;
  if (!(await mayLoad(client, chosen.version))) return;
  const endpoint = await start(client, chosen.version, null);
  if (!endpoint) return;

  void offerNext(client, endpoint);
}

/** Not waited for: the command is done when the endpoint answers, whatever becomes of the notification. */
async function offerNext(client: EngineClient, endpoint: EndpointSummary): Promise<void> {
  const send = l10n.t('Send Test Request');
  const curl = l10n.t('Copy as curl');
  const { name, modelVersion, url } = endpoint;
  const message = l10n.t('"{0}" v{1} answers at {2}.', name, modelVersion, url ?? '');
  const next = await window.showInformationMessage(message, send, curl);
  const argument = { folder: client.id, endpoint: name };
  if (next === send) await runCommand('slipway.sendTestRequest', argument);
  if (next === curl) await runCommand('slipway.copyAsCurl', argument);
}

/** A model without a version means its version in production, when there is one. */
async function likeliest(
  folders: EngineFolders,
  target: ModelTarget | undefined,
): Promise<ModelTarget | undefined> {
  if (!target || target.version !== undefined) return target;
  const versions = await folders.of(target.folder).request('registry/versions', { name: target.model });
  const version = productionVersion(versions);
  return version ? { ...target, version: version.version } : target;
}

/** An endpoint that already answers with another version is changed only after a confirmation. */
async function confirmed(client: EngineClient, version: ModelVersionSummary): Promise<boolean> {
  const endpoints = await client.request('serving/endpoints', {});
  const running = endpoints.find(({ modelName, state }) => modelName === version.name && state === 'ready');
  if (!running || running.modelVersion === version.version) return true;
  const serve = l10n.t('Serve Version {0}', version.version);
  const answer = await window.showWarningMessage(
    l10n.t(
      'Replace version {0} by version {1} behind the endpoint "{2}"?',
      running.modelVersion,
      version.version,
      running.name,
    ),
    {
      modal: true,
      detail: l10n.t(
        'All requests to {0} will be answered by version {1}. The address stays the same.',
        running.url ?? running.name,
        version.version,
      ),
    },
    serve,
  );
  return answer === serve;
}

async function start(
  client: EngineClient,
  version: ModelVersionSummary,
  port: number | null,
): Promise<EndpointSummary | undefined> {
  try {
    return await window.withProgress(
      {
        location: ProgressLocation.Notification,
        title: l10n.t('Starting "{0}" v{1}…', version.name, version.version),
        cancellable: true,
      },
      (_, cancellation) =>
        client.request(
          'serving/start',
          { modelName: version.name, modelVersion: version.version, port },
          cancellation,
        ),
    );
  } catch (error) {
    if (toSlipwayError(error).kind !== 'portTaken') throw error;
    const choose = l10n.t('Choose a Port');
    const answer = await window.showErrorMessage(sentenceOf(error), choose);
    const chosen = answer === choose ? await askPort() : undefined;
    return chosen === undefined ? undefined : start(client, version, chosen);
  }
}

async function askPort(): Promise<number | undefined> {
  const text = await window.showInputBox({
    title: l10n.t('Port of the endpoint'),
    validateInput: (value) =>
      isPort(Number(value)) ? undefined : l10n.t('A port is a whole number from 1 to 65535.'),
  });
  return text === undefined ? undefined : Number(text);
}

function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65535;
}
