import { l10n, type MarkdownString, ThemeColor, ThemeIcon } from 'vscode';
import { fromErrorData } from '../../protocol/errors.ts';
import type { EndpointState, EndpointSummary } from '../../protocol/serving.ts';
import { sentenceOf } from '../views/errors.ts';
import type { Formats } from '../views/formats.ts';
import { type TooltipRow, tooltipOf } from '../views/tooltips.ts';

/** How endpoints read in trees and quick picks alike. */

export function stateText(state: EndpointState): string {
  switch (state) {
    case 'starting':
      return l10n.t('starting');
    case 'ready':
      return l10n.t('ready');
    case 'stopped':
      return l10n.t('stopped');
    case 'failed':
      return l10n.t('failed');
  }
}

export function stateIcon(state: EndpointState): ThemeIcon {
  switch (state) {
    case 'starting':
      return new ThemeIcon('sync~spin');
    case 'ready':
      return new ThemeIcon('broadcast', new ThemeColor('charts.green'));
    case 'stopped':
      return new ThemeIcon('circle-outline');
    case 'failed':
      return new ThemeIcon('error', new ThemeColor('charts.red'));
  }
}

/** Such as "v7 · http://127.0.0.1:49152 · 1,204 requests · 3 errors". */
export function endpointDescription(endpoint: EndpointSummary, formats: Formats): string {
  return [
    `v${endpoint.modelVersion}`,
    endpoint.url ?? stateText(endpoint.state),
    endpoint.requestCount === 0 ? null : requestsText(endpoint.requestCount, formats),
    endpoint.errorCount === 0 ? null : errorsText(endpoint.errorCount, formats),
  ]
    .filter((part) => part !== null)
    .join(' · ');
}

export function endpointTooltip(endpoint: EndpointSummary, formats: Formats): MarkdownString {
  const rows: TooltipRow[] = [
    [l10n.t('State'), stateText(endpoint.state)],
    [l10n.t('Model'), `${endpoint.modelName} v${endpoint.modelVersion}`],
    [l10n.t('Requests'), formats.count(endpoint.requestCount)],
    [l10n.t('Errors'), formats.count(endpoint.errorCount)],
  ];
  if (endpoint.url !== null) rows.push([l10n.t('Address'), endpoint.url]);
  if (endpoint.readySince !== null) {
    rows.push([l10n.t('Ready since'), formats.moment(endpoint.readySince)]);
  }
  if (endpoint.failure) rows.push([l10n.t('Failure'), sentenceOf(fromErrorData(endpoint.failure))]);
  return tooltipOf(endpoint.name, rows);
}

function requestsText(count: number, formats: Formats): string {
  return count === 1 ? l10n.t('1 request') : l10n.t('{0} requests', formats.count(count));
}

function errorsText(count: number, formats: Formats): string {
  return count === 1 ? l10n.t('1 error') : l10n.t('{0} errors', formats.count(count));
}
