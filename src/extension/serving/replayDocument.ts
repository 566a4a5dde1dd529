import type { ReplayReport } from '../../protocol/requests.ts';
import type { Translator } from '../../protocol/translator.ts';
import type { Formats } from '../views/formats.ts';
import { code, escaped, table } from '../views/markdown.ts';
import { readableJson } from './readableJson.ts';

interface Texts {
  readonly l10n: Translator;
  readonly formats: Formats;
}

/** What came of asking a version what clients asked before, as Markdown. */
export function replayDocument(endpoint: string, report: ReplayReport, texts: Texts): string {
  const { l10n } = texts;
  const { model, version, outputs } = report;
  return [
    `# ${escaped(l10n.t('"{0}" v{1} on the requests of "{2}"', model, version, endpoint))}`,
    escaped(summary(report, texts)),
    ...(outputs.length === 0 ? [] : [outputsTable(report, texts)]),
    ...notCompared(report, texts),
    ...failures(report, texts),
    ...examples(report, texts),
  ].join('\n\n');
}

function summary(
  { version, loggedVersions, requests, rows, equalRows }: ReplayReport,
  { l10n, formats }: Texts,
): string {
  const then = loggedVersions.map((logged) => `v${logged}`).join(', ');
  const asked =
    requests === 1
      ? l10n.t('1 request that {0} answered was asked of version {1} again.', then, version)
      : l10n.t(
          '{0} requests that {1} answered were asked of version {2} again.',
          formats.count(requests),
          then,
          version,
        );
  if (rows === 0) return `${asked} ${l10n.t('There is no row to compare.')}`;
  // Rounded down: all of them is said only where it is so.
  const share = formats.share(Math.floor((1000 * equalRows) / rows) / 1000);
  const agree =
    equalRows === rows
      ? l10n.t('All {0} rows agree.', formats.count(rows))
      : l10n.t('{0} of {1} rows agree ({2}).', formats.count(equalRows), formats.count(rows), share);
  return `${asked} ${agree} ${l10n.t('Numbers agree when they differ by at most 0.0001, or by 0.01% where they are larger than 1.')}`;
}

function outputsTable({ outputs, rows }: ReplayReport, { l10n, formats }: Texts): string {
  const number = (value: number | null) => (value === null ? '–' : escaped(formats.metric(value)));
  return table(
    [l10n.t('Output'), l10n.t('Rows that differ'), l10n.t('Mean difference'), l10n.t('Largest difference')],
    outputs.map((output) => [
      code(output.name),
      formats.count(rows - output.equalRows),
      number(output.meanAbsoluteDifference),
      number(output.largestAbsoluteDifference),
    ]),
  );
}

function notCompared({ outputsNotCompared }: ReplayReport, { l10n }: Texts): readonly string[] {
  if (outputsNotCompared.length === 0) return [];
  const names = outputsNotCompared.map(code).join(', ');
  const why = l10n.t('Not compared, as only one of the versions gives them or their values were redacted:');
  return [`${escaped(why)} ${names}`];
}

function failures(
  { failedRequests, failures: kept, version }: ReplayReport,
  { l10n, formats }: Texts,
): readonly string[] {
  if (failedRequests === 0) return [];
  const sentence =
    failedRequests === 1
      ? l10n.t('Version {0} could not answer 1 request.', version)
      : l10n.t('Version {0} could not answer {1} requests.', version, formats.count(failedRequests));
  const first = kept.length < failedRequests ? ` ${l10n.t('The first of them:')}` : '';
  return [
    `## ${escaped(l10n.t('Requests that failed'))}`,
    escaped(sentence + first),
    table(
      [l10n.t('Request ID'), l10n.t('Reason')],
      kept.map(({ requestId, reason }) => [code(requestId), escaped(reason.replaceAll(/\s+/g, ' '))]),
      2,
    ),
  ];
}

function examples({ examples: kept }: ReplayReport, { l10n, formats }: Texts): readonly string[] {
  if (kept.length === 0) return [];
  return [
    `## ${escaped(l10n.t('The rows that differ most'))}`,
    table(
      [
        l10n.t('Inputs'),
        l10n.t('Before'),
        l10n.t('After'),
        l10n.t('Received'),
        l10n.t('Request ID'),
        l10n.t('Row'),
      ],
      kept.map(({ inputs, before, after, receivedAt, requestId, row }) => [
        code(readableJson(inputs)),
        code(readableJson(before)),
        code(readableJson(after)),
        escaped(formats.moment(receivedAt)),
        code(requestId),
        // Counted as people count.
        formats.count(row + 1),
      ]),
      5,
    ),
  ];
}
