import { l10n } from 'vscode';
import { requestFilter } from '../../protocol/requests.ts';
import type { EndpointTarget } from '../contributions.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { askForLong } from '../maintenance/longRequest.ts';
import type { Formats } from '../views/formats.ts';
import type { ReadOnlyDocuments } from '../views/readOnlyDocuments.ts';
import { chooseEndpoint } from './pickEndpoint.ts';
import { requestsDocument } from './requestsDocument.ts';

const shownRequests = 200;

/** Shows the latest requests of an endpoint. */
export async function showRequests(
  folders: EngineFolders,
  formats: Formats,
  documents: ReadOnlyDocuments,
  target: EndpointTarget | undefined,
): Promise<void> {
  const chosen = await chooseEndpoint(folders, formats, target);
  if (!chosen) return;
  const { client, endpoint } = chosen;
  const reading = l10n.t('Reading the requests of "{0}"…', endpoint);
  const { requests, before } = await askForLong(client, reading, 'requests/page', {
    endpoint,
    filter: requestFilter.parse({}),
    before: null,
    limit: shownRequests,
  });
  const text = requestsDocument(endpoint, requests, before !== null, { l10n, formats });
  await documents.showMarkdown(`${endpoint}-${l10n.t('requests')}`, text);
}
