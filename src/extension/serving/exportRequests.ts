import { l10n, Uri, window, workspace } from 'vscode';
import { requestFilter } from '../../protocol/requests.ts';
import type { EndpointTarget } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { askForLong } from '../maintenance/longRequest.ts';
import type { Formats } from '../views/formats.ts';
import { offerFile } from './offerFile.ts';
import { chooseEndpoint } from './pickEndpoint.ts';

/** Writes all requests that an endpoint logged to a data file that the person names. */
export async function exportRequests(
  folders: EngineFolders,
  formats: Formats,
  target: EndpointTarget | undefined,
): Promise<void> {
  const chosen = await chooseEndpoint(folders, formats, target);
  if (!chosen) return;
  const { client, endpoint } = chosen;
  const output = await askOutput(client, endpoint);
  if (output === undefined) return;
  const title = l10n.t('Exporting the requests of "{0}"…', endpoint);
  const report = await askForLong(client, title, 'requests/export', {
    endpoint,
    filter: requestFilter.parse({}),
    output,
    format: null,
  });
  const place = workspace.asRelativePath(report.output);
  const text =
    report.rows === 1
      ? l10n.t('1 row written: {0}.', place)
      : l10n.t('{0} rows written: {1}.', formats.count(report.rows), place);
  void offerFile(text, report.output);
}

async function askOutput(client: EngineClient, endpoint: string): Promise<string | undefined> {
  // Names of models may hold what names of files may not.
  const name = `${endpoint.replaceAll(/[\\/:*?"<>|]/g, '_')}-${l10n.t('requests')}.parquet`;
  const chosen = await window.showSaveDialog({
    title: l10n.t('Where to write the requests of "{0}"', endpoint),
    saveLabel: l10n.t('Export'),
    defaultUri: Uri.joinPath(client.folder.uri, name),
    filters: { Parquet: ['parquet'], CSV: ['csv'], TSV: ['tsv'], 'JSON Lines': ['jsonl'] },
  });
  return chosen?.fsPath;
}
