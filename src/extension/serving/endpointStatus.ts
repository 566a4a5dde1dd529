import { type Disposable, l10n, type MarkdownString, StatusBarAlignment, ThemeColor, window } from 'vscode';
import type { EndpointSummary } from '../../protocol/serving.ts';
import type { CommandId } from '../contributions.ts';
import type { Formats } from '../views/formats.ts';
import { tooltipOf } from '../views/tooltips.ts';
import { endpointDescription, healthOf, needsAttention } from './endpointDescription.ts';

/** An endpoint and the folder that it belongs to. */
export interface FolderEndpoint {
  readonly folder: string;
  readonly endpoint: EndpointSummary;
}

/** The endpoints in the status bar: there only while one runs, or failed. */
export interface EndpointStatus extends Disposable {
  show(endpoints: readonly FolderEndpoint[]): void;
}

export function createEndpointStatus(formats: Formats): EndpointStatus {
  const item = window.createStatusBarItem('slipway.endpoints', StatusBarAlignment.Left, -11);
  item.name = l10n.t('Slipway Endpoints');
  return {
    show(all) {
      const shown = all.filter(({ endpoint }) => endpoint.state !== 'stopped');
      if (shown.length === 0) {
        item.hide();
        return;
      }
      const endpoints = shown.map(({ endpoint }) => endpoint);
      const failed = endpoints.some(({ state }) => state === 'failed');
      const waiting = endpoints.some((endpoint) => healthOf(endpoint) === 'paused');
      item.text = `$(${iconOf(endpoints)}) ${statusText(endpoints, formats)}`;
      item.backgroundColor = failed
        ? new ThemeColor('statusBarItem.errorBackground')
        : waiting
          ? new ThemeColor('statusBarItem.warningBackground')
          : undefined;
      item.tooltip = tooltipOfAll(endpoints, formats);
      const [target] = [...shown].sort(
        (one, other) => Number(needsAttention(other.endpoint)) - Number(needsAttention(one.endpoint)),
      );
      // A single one is opened, and so is the only one that needs somebody; of several the person chooses.
      const single = shown.length === 1 || endpoints.filter(needsAttention).length === 1;
      item.command = {
        title: l10n.t('Open Endpoint'),
        command: 'slipway.openEndpoint' satisfies CommandId,
        arguments: single && target ? [{ folder: target.folder, endpoint: target.endpoint.name }] : [],
      };
      item.show();
    },
    dispose: () => item.dispose(),
  };
}

function iconOf(endpoints: readonly EndpointSummary[]): string {
  if (endpoints.some(({ state }) => state === 'failed')) return 'error';
  if (endpoints.some((endpoint) => healthOf(endpoint) === 'paused')) return 'debug-pause';
  return endpoints.some(({ state, rollout }) => state === 'starting' || rollout !== null)
    ? 'sync~spin'
    : 'broadcast';
}

/** Such as "2 endpoints · 12.4/s", or "1 endpoint failed". */
function statusText(endpoints: readonly EndpointSummary[], formats: Formats): string {
  const failed = endpoints.filter(({ state }) => state === 'failed').length;
  if (failed > 0) {
    return failed === 1 ? l10n.t('1 endpoint failed') : l10n.t('{0} endpoints failed', failed);
  }
  const count =
    endpoints.length === 1 ? l10n.t('1 endpoint') : l10n.t('{0} endpoints', formats.count(endpoints.length));
  const rate = endpoints.reduce((sum, endpoint) => sum + endpoint.rate, 0);
  return rate === 0 ? count : `${count} · ${formats.rate(rate)}`;
}

function tooltipOfAll(endpoints: readonly EndpointSummary[], formats: Formats): MarkdownString {
  return tooltipOf(
    l10n.t('Slipway Endpoints'),
    endpoints.map((endpoint) => [endpoint.name, endpointDescription(endpoint, formats)]),
  );
}
