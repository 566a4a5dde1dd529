import { commands, l10n, ProgressLocation, Uri, window } from 'vscode';
import { settingsFile } from '../../protocol/endpointSettings.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import type { EndpointTarget } from '../contributions.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { sentenceOf } from '../views/errors.ts';
import type { Formats } from '../views/formats.ts';
import { type ChosenEndpoint, chooseEndpoint, summaryOf } from './pickEndpoint.ts';

/** Deletes an endpoint for good, once the person has read what goes and what stays. */
export async function deleteEndpoint(
  folders: EngineFolders,
  formats: Formats,
  target: EndpointTarget | undefined,
): Promise<void> {
  const chosen = await chooseEndpoint(folders, formats, target);
  if (!chosen) return;
  const { client, endpoint } = chosen;
  const { declared, rollout, state } = await summaryOf(chosen);
  if (declared) {
    // Not waited for: the command is done, whatever becomes of the notification.
    void refuseDeclared(chosen);
    return;
  }
  const alone = l10n.t('Delete');
  const withLog = l10n.t('Delete with Its Log');
  const detail = [
    ...(state === 'ready' || state === 'starting'
      ? [l10n.t('It is stopped once the requests that it accepted are answered.')]
      : []),
    ...(rollout === null ? [] : [l10n.t('The rollout of version {0} ends.', rollout.candidateVersion)]),
    l10n.t('What is kept of it and of its rollouts is deleted. This cannot be undone.'),
    l10n.t('Its model stays, and so does its audit trail.'),
    l10n.t('The log of its requests and predictions stays, unless you delete it, too.'),
  ].join('\n');
  const answer = await window.showWarningMessage(
    l10n.t('Delete the endpoint "{0}"?', endpoint),
    { modal: true, detail },
    alone,
    withLog,
  );
  if (answer === undefined) return;
  await window.withProgress(
    { location: ProgressLocation.Notification, title: l10n.t('Deleting "{0}"…', endpoint) },
    () => client.request('serving/delete', { endpoint, log: answer === withLog ? 'delete' : 'keep' }),
  );
}

async function refuseDeclared({ client, endpoint }: ChosenEndpoint): Promise<void> {
  const open = l10n.t('Open File');
  const refusal = new SlipwayError('endpointDeclared', { endpoint, file: settingsFile });
  if ((await window.showErrorMessage(sentenceOf(refusal), open)) !== open) return;
  await commands.executeCommand('vscode.open', Uri.joinPath(client.folder.uri, settingsFile));
}
