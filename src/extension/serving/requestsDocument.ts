import type { LoggedRequestEntry } from '../../protocol/requests.ts';
import type { Formats, Translator } from '../views/formats.ts';
import { code, escaped, table } from '../views/markdown.ts';
import { readableJson } from './readableJson.ts';
import { roleText } from './roleText.ts';

/** How many characters of inputs and outputs a table shows: as many as one takes in at a glance. */
const shownText = 160;

/**
 * The latest requests of an endpoint as Markdown, in the order that they are given.
 *
 * @param more whether the log holds older ones, too.
 */
export function requestsDocument(
  endpoint: string,
  requests: readonly LoggedRequestEntry[],
  more: boolean,
  { l10n, formats }: { readonly l10n: Translator; readonly formats: Formats },
): string {
  const title = `# ${escaped(l10n.t('Requests of "{0}"', endpoint))}`;
  if (requests.length === 0) {
    return [title, escaped(l10n.t('This endpoint has logged no requests yet.'))].join('\n\n');
  }
  const failed = requests.filter(({ status }) => status >= 400).length;
  const sentences = [
    requests.length === 1
      ? l10n.t('1 request, {0} failed.', formats.count(failed))
      : l10n.t(
          '{0} requests, newest first, {1} failed.',
          formats.count(requests.length),
          formats.count(failed),
        ),
    more ? l10n.t('There are older ones: export the requests to have them all.') : '',
  ];
  const header = [
    l10n.t('Received'),
    l10n.t('Status'),
    l10n.t('Version'),
    l10n.t('Inputs'),
    l10n.t('Outputs'),
    l10n.t('Request ID'),
    l10n.t('Rows'),
    l10n.t('Latency'),
  ];
  const rows = requests.map((request) => [
    escaped(formats.moment(request.receivedAt)),
    request.status >= 400 ? `**❌ ${request.status}**` : `${request.status}`,
    request.version === null ? '–' : escaped(`v${request.version} · ${roleText(request.variant, l10n)}`),
    jsonCell(request.inputs),
    jsonCell(request.outputs),
    code(request.requestId),
    formats.count(request.rowCount),
    escaped(formats.latency(request.latencyMilliseconds)),
  ]);
  return [title, escaped(sentences.join(' ').trim()), table(header, rows, header.length - 2)].join('\n\n');
}

function jsonCell(json: string | null): string {
  if (json === null) return '–';
  const text = readableJson(json);
  return code(text.length > shownText ? `${text.slice(0, shownText)}…` : text);
}
