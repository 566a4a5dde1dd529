import {
  commands,
  type Disposable,
  env,
  l10n,
  ProgressLocation,
  Uri,
  ViewColumn,
  window,
  workspace,
} from 'vscode';
import type { EndpointDescription } from '../../protocol/serving.ts';
import type { EndpointTarget } from '../contributions.ts';
import type { EngineFolders } from '../engine/folders.ts';
import type { RegisterCommand } from '../views/commands.ts';
import { createDisposables } from '../views/disposables.ts';
import type { Formats } from '../views/formats.ts';
import type { ReadOnlyDocuments } from '../views/readOnlyDocuments.ts';
import { curlCommand } from './curl.ts';
import { createEndpointDocuments } from './endpointDocuments.ts';
import { pickEndpoint } from './pickEndpoint.ts';
import { startEndpoint } from './startEndpoint.ts';

export interface ServingCommandsOptions {
  readonly register: RegisterCommand;
  readonly folders: EngineFolders;
  readonly formats: Formats;
  readonly documents: ReadOnlyDocuments;
}

const saidMilliseconds = 3_000;

/** The commands on endpoints. */
export function registerServingCommands(options: ServingCommandsOptions): Disposable {
  const { register, folders, formats, documents } = options;
  const disposables = createDisposables();
  const pages = disposables.add(createEndpointDocuments({ folders, formats }));

  const describe = async (target: EndpointTarget | undefined): Promise<EndpointDescription | undefined> => {
    const endpoint = target ?? (await pickEndpoint(folders, formats, ['ready']));
    if (!endpoint) return undefined;
    return folders.of(endpoint.folder).request('serving/describe', { endpoint: endpoint.endpoint });
  };

  disposables.add(register('slipway.startEndpoint', (target) => startEndpoint(folders, formats, target)));

  disposables.add(
    register('slipway.stopEndpoint', async (target) => {
      const endpoint = target ?? (await pickEndpoint(folders, formats, ['ready', 'starting']));
      if (!endpoint) return;
      await window.withProgress(
        { location: ProgressLocation.Notification, title: l10n.t('Stopping "{0}"…', endpoint.endpoint) },
        () => folders.of(endpoint.folder).request('serving/stop', { endpoint: endpoint.endpoint }),
      );
    }),
  );

  disposables.add(
    register('slipway.openEndpoint', async (target) => {
      const endpoint = target ?? (await pickEndpoint(folders, formats, ['ready']));
      if (endpoint) await commands.executeCommand('markdown.showPreview', pages.uriOf(endpoint));
    }),
  );

  disposables.add(
    register('slipway.copyEndpointAddress', async (target) => {
      const description = await describe(target);
      if (!description) return;
      const address = await env.asExternalUri(Uri.parse(description.inferUrl, true));
      await env.clipboard.writeText(address.toString(true));
      window.setStatusBarMessage(l10n.t('The address was copied.'), saidMilliseconds);
    }),
  );

  disposables.add(
    register('slipway.copyAsCurl', async (target) => {
      const description = await describe(target);
      if (!description) return;
      await env.clipboard.writeText(curlCommand(description, 'literal'));
      window.setStatusBarMessage(l10n.t('The curl command was copied, with its token.'), saidMilliseconds);
    }),
  );

  disposables.add(
    register('slipway.sendTestRequest', async (target) => {
      const endpoint = target ?? (await pickEndpoint(folders, formats, ['ready']));
      if (!endpoint) return;
      const client = folders.of(endpoint.folder);
      const { exampleRequest } = await client.request('serving/describe', { endpoint: endpoint.endpoint });
      const body = await window.showInputBox({
        title: l10n.t('Send a test request to "{0}"', endpoint.endpoint),
        prompt: l10n.t('The body of the request, in the Open Inference Protocol'),
        value: compact(exampleRequest),
        validateInput: (text) => (isJson(text) ? undefined : l10n.t('This is not JSON.')),
      });
      if (body === undefined) return;
      const answer = await window.withProgress(
        { location: ProgressLocation.Notification, title: l10n.t('Asking "{0}"…', endpoint.endpoint) },
        () => client.request('serving/sendRequest', { endpoint: endpoint.endpoint, body }),
      );
      const path = `/${encodeURIComponent(endpoint.endpoint)}-${l10n.t('answer')}.json`;
      const document = await workspace.openTextDocument(documents.put(path, indented(answer.body)));
      await window.showTextDocument(document, { viewColumn: ViewColumn.Active, preview: true });
      const took = formats.duration(answer.milliseconds);
      const message =
        answer.status < 400
          ? l10n.t('The endpoint answered with status {0} in {1}.', answer.status, took)
          : l10n.t('The endpoint refused with status {0} in {1}; its answer says why.', answer.status, took);
      window.setStatusBarMessage(message, saidMilliseconds);
    }),
  );

  return disposables;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function compact(json: string): string {
  return isJson(json) ? JSON.stringify(JSON.parse(json)) : json;
}

/** JSON over several lines, or the text as it is where it is not JSON. */
function indented(json: string): string {
  return isJson(json) ? JSON.stringify(JSON.parse(json), null, 2) : json;
}
