import { l10n, window } from 'vscode';
import { requestFilter } from '../../protocol/requests.ts';
import type { EndpointTarget } from '../contributions.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { askForLong } from '../maintenance/longRequest.ts';
import { pickVersion } from '../registry/pickVersion.ts';
import type { Formats } from '../views/formats.ts';
import type { ReadOnlyDocuments } from '../views/readOnlyDocuments.ts';
import { chooseEndpoint, summaryOf } from './pickEndpoint.ts';
import { mayLoad } from './pythonConsent.ts';
import { replayDocument } from './replayDocument.ts';

const usualRequests = 10_000;
const mostRequests = 1_000_000;

/** Asks another version of an endpoint's model what clients asked, and shows how its predictions differ. */
export async function replayRequests(
  folders: EngineFolders,
  formats: Formats,
  documents: ReadOnlyDocuments,
  target: EndpointTarget | undefined,
): Promise<void> {
  const chosen = await chooseEndpoint(folders, formats, target);
  if (!chosen) return;
  const { client, folder, endpoint } = chosen;
  const summary = await summaryOf(chosen);
  // The newest that is not in use yet is what one wants to try.
  const order = ['Staging', 'None', 'Production', 'Archived'] as const;
  const title = l10n.t('Choose the version to replay the requests of "{0}" against', endpoint);
  const picked = await pickVersion(folders, formats, title, order, { folder, model: summary.modelName });
  if (!picked) return;
  const limit = await askLimit(endpoint);
  if (limit === undefined) return;
  if (!(await mayLoad(client, picked.version))) return;
  const { name, version } = picked.version;
  const working = l10n.t('Replaying the requests of "{2}" against "{0}" v{1}…', name, version, endpoint);
  const report = await askForLong(client, working, 'requests/replay', {
    endpoint,
    filter: requestFilter.parse({}),
    modelVersion: version,
    limit,
  });
  const text = replayDocument(endpoint, report, { l10n, formats });
  await documents.showMarkdown(`${endpoint}-${l10n.t('requests')}-v${version}`, text);
}

async function askLimit(endpoint: string): Promise<number | undefined> {
  const text = await window.showInputBox({
    title: l10n.t('How many of the latest requests of "{0}"?', endpoint),
    prompt: l10n.t('At most 1,000,000; fewer where the log holds fewer.'),
    value: String(usualRequests),
    validateInput: (value) =>
      readLimit(value) === null ? l10n.t('Enter a whole number from 1 to 1,000,000.') : undefined,
  });
  return text === undefined ? undefined : (readLimit(text) ?? undefined);
}

function readLimit(text: string): number | null {
  const digits = text.trim();
  if (!/^\d{1,7}$/.test(digits)) return null;
  const limit = Number(digits);
  return limit >= 1 && limit <= mostRequests ? limit : null;
}
