import { l10n, ProgressLocation, ViewColumn, window, workspace } from 'vscode';
import { isJson } from '../../protocol/jsonText.ts';
import type { Formats } from '../views/formats.ts';
import type { ReadOnlyDocuments } from '../views/readOnlyDocuments.ts';
import type { ChosenEndpoint } from './pickEndpoint.ts';

const saidMilliseconds = 3_000;

/** Asks an endpoint with a body that the person may change first, and opens what it answers. */
export async function sendTestRequest(
  { client, endpoint }: ChosenEndpoint,
  formats: Formats,
  documents: ReadOnlyDocuments,
): Promise<void> {
  const { exampleRequest } = await client.request('serving/describe', { endpoint });
  const body = await window.showInputBox({
    title: l10n.t('Send a test request to "{0}"', endpoint),
    prompt: l10n.t('The body of the request, in the Open Inference Protocol'),
    value: compact(exampleRequest),
    validateInput: (text) => (isJson(text) ? undefined : l10n.t('This is not JSON.')),
  });
  if (body === undefined) return;
  const answer = await window.withProgress(
    { location: ProgressLocation.Notification, title: l10n.t('Asking "{0}"…', endpoint) },
    () => client.request('serving/sendRequest', { endpoint, body }),
  );
  const path = `/${encodeURIComponent(endpoint)}-${l10n.t('answer')}.json`;
  const document = await workspace.openTextDocument(documents.put(path, indented(answer.body)));
  await window.showTextDocument(document, { viewColumn: ViewColumn.Active, preview: true });
  const took = formats.duration(answer.milliseconds);
  const message =
    answer.status < 400
      ? l10n.t('The endpoint answered with status {0} in {1}.', answer.status, took)
      : l10n.t('The endpoint refused with status {0} in {1}; its answer says why.', answer.status, took);
  window.setStatusBarMessage(message, saidMilliseconds);
}

function compact(json: string): string {
  return isJson(json) ? JSON.stringify(JSON.parse(json)) : json;
}

/** JSON over several lines, or the text as it is where it is not JSON. */
function indented(json: string): string {
  return isJson(json) ? JSON.stringify(JSON.parse(json), null, 2) : json;
}
