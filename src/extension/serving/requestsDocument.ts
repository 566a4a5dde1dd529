import type { LoggedRequestEntry } from '../../protocol/requests.ts';
import { roleText } from '../../protocol/roleText.ts';
import type { Translator } from '../../protocol/translator.ts';
import type { Formats } from '../views/formats.ts';
import { code, escaped, table } from '../views/markdown.ts';
import { readableJson } from './readableJson.ts';
import { rowText } from './rowText.ts';

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
  // Where every request says the same, a column only takes room from the values.
  const showsStatus = failed > 0;
  const showsRows = requests.some(({ rowCount }) => rowCount > 1);
  const header = [
    l10n.t('Received'),
    ...(showsStatus ? [l10n.t('Status')] : []),
    l10n.t('Version'),
    l10n.t('Inputs'),
    l10n.t('Outputs'),
    l10n.t('Request ID'),
    ...(showsRows ? [l10n.t('Rows')] : []),
    l10n.t('Latency'),
  ];
  const rows = requests.map((request) => [
    escaped(formats.moment(request.receivedAt)),
    ...(showsStatus ? [request.status >= 400 ? `**❌ ${request.status}**` : `${request.status}`] : []),
    request.version === null ? '–' : escaped(`v${request.version} · ${roleText(request.variant, l10n)}`),
    valuesCell(request.inputs, request.rowCount),
    valuesCell(request.outputs, request.rowCount),
    code(request.requestId),
    ...(showsRows ? [formats.count(request.rowCount)] : []),
    escaped(formats.latency(request.latencyMilliseconds)),
  ]);
  return [
    title,
    escaped(sentences.join(' ').trim()),
    table(header, rows, header.length - (showsRows ? 2 : 1)),
  ].join('\n\n');
}

function valuesCell(json: string | null, rowCount: number): string {
  if (json === null) return '–';
  const text = (rowCount === 1 ? rowText(json) : null) ?? readableJson(json);
  return code(text.length > shownText ? `${text.slice(0, shownText)}…` : text);
}
