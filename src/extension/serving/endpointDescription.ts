import { l10n, type MarkdownString, ThemeColor, ThemeIcon } from 'vscode';
import { settingsFile } from '../../protocol/endpointSettings.ts';
import { fromErrorData } from '../../protocol/errors.ts';
import type {
  EndpointFollows,
  EndpointState,
  EndpointSummary,
  RolloutState,
  RolloutSummary,
} from '../../protocol/serving.ts';
import type { ViewItem } from '../contributions.ts';
import { stageText } from '../registry/versionDescription.ts';
import { sentenceOf } from '../views/errors.ts';
import type { Formats } from '../views/formats.ts';
import { type TooltipRow, tooltipOf } from '../views/tooltips.ts';
import { saidText } from './saidText.ts';

/** How endpoints read in trees, quick picks and the status bar alike. */

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

/** How an endpoint stands, its rollout included. */
export function healthOf(endpoint: EndpointSummary): EndpointState | 'rollout' | 'paused' {
  if (endpoint.state !== 'ready' || endpoint.rollout === null) return endpoint.state;
  return endpoint.rollout.state === 'paused' ? 'paused' : 'rollout';
}

/** Whether somebody should look at it: it failed, or a rollout waits for a decision. */
export function needsAttention(endpoint: EndpointSummary): boolean {
  const health = healthOf(endpoint);
  return health === 'failed' || health === 'paused';
}

export function endpointKind(endpoint: EndpointSummary): ViewItem {
  switch (healthOf(endpoint)) {
    case 'starting':
      return 'endpointStarting';
    case 'ready':
      return 'endpointReady';
    case 'rollout':
      return 'endpointRollout';
    case 'paused':
      return 'endpointPaused';
    case 'stopped':
      return 'endpointStopped';
    case 'failed':
      return 'endpointFailed';
  }
}

export function endpointIcon(endpoint: EndpointSummary): ThemeIcon {
  switch (healthOf(endpoint)) {
    case 'starting':
    case 'rollout':
      return new ThemeIcon('sync~spin');
    case 'ready':
      return new ThemeIcon('broadcast', new ThemeColor('charts.green'));
    case 'paused':
      return new ThemeIcon('debug-pause', new ThemeColor('charts.yellow'));
    case 'stopped':
      return new ThemeIcon('circle-outline');
    case 'failed':
      return new ThemeIcon('error', new ThemeColor('charts.red'));
  }
}

/** Such as "12.4/s · 1.84 ms · v7 at 5%", and "v6 · stopped" of one that does not run. */
export function endpointDescription(endpoint: EndpointSummary, formats: Formats): string {
  const { state, rollout, rate, latencyP50, modelVersion } = endpoint;
  if (state !== 'ready') return `v${modelVersion} · ${stateText(state)}`;
  return [
    rate === 0 ? `v${modelVersion}` : formats.rate(rate),
    rate === 0 || latencyP50 === null ? null : formats.latency(latencyP50),
    rollout === null ? stateText(state) : rolloutText(rollout, formats),
  ]
    .filter((part) => part !== null)
    .join(' · ');
}

/** Such as "v7 at 5%", "v7 at 5%, paused" or "v7 in the shadow". */
export function rolloutText(rollout: RolloutSummary, formats: Formats): string {
  const { strategy, candidateVersion, share, state } = rollout;
  const at =
    strategy === 'shadow'
      ? l10n.t('v{0} in the shadow', candidateVersion)
      : l10n.t('v{0} at {1}', candidateVersion, formats.share(share));
  return state === 'running' ? at : `${at}, ${rolloutStateText(state)}`;
}

export function rolloutStateText(state: RolloutState): string {
  switch (state) {
    case 'running':
      return l10n.t('running');
    case 'paused':
      return l10n.t('paused');
    case 'promoted':
      return l10n.t('promoted');
    case 'rolledBack':
      return l10n.t('rolled back');
  }
}

export function endpointTooltip(endpoint: EndpointSummary, formats: Formats): MarkdownString {
  const { latencyP50, latencyP99, rollout } = endpoint;
  const rows: TooltipRow[] = [
    [l10n.t('State'), stateText(endpoint.state)],
    [l10n.t('Model'), `${endpoint.modelName} v${endpoint.modelVersion}`],
    [l10n.t('Follows'), followsText(endpoint.follows)],
    [l10n.t('Requests'), `${formats.count(endpoint.requestCount)} · ${formats.rate(endpoint.rate)}`],
    [l10n.t('Errors'), formats.count(endpoint.errorCount)],
  ];
  if (latencyP50 !== null && latencyP99 !== null) rows.push(latencyRow(latencyP50, latencyP99, formats));
  if (rollout !== null) {
    const reason = rollout.reason === null ? '' : `: ${saidText(rollout.reason, formats)}`;
    const at = rolloutText(rollout, formats);
    const waits = endpoint.state !== 'ready' && rollout.state === 'running';
    rows.push([l10n.t('Rollout'), `${waits ? l10n.t('{0}, waits for the endpoint', at) : at}${reason}`]);
  }
  if (endpoint.url !== null) rows.push([l10n.t('Address'), endpoint.url]);
  if (endpoint.grpcAddress !== null) rows.push(['gRPC', endpoint.grpcAddress]);
  if (endpoint.readySince !== null) {
    rows.push([l10n.t('Ready since'), formats.moment(endpoint.readySince)]);
  }
  if (endpoint.declared) rows.push([l10n.t('Declared in'), settingsFile]);
  if (endpoint.failure) rows.push([l10n.t('Failure'), sentenceOf(fromErrorData(endpoint.failure))]);
  return tooltipOf(endpoint.name, rows);
}

export function latencyRow(p50: number, p99: number, formats: Formats): TooltipRow {
  return [l10n.t('Latency, last minute'), `p50 ${formats.latency(p50)} · p99 ${formats.latency(p99)}`];
}

export function followsText(follows: EndpointFollows): string {
  switch (follows.type) {
    case 'pinned':
      return l10n.t('nothing, its version is pinned');
    case 'stage':
      return l10n.t('stage {0}', stageText(follows.stage));
    case 'alias':
      return `@${follows.alias}`;
  }
}

/** Such as "1 error" or "3 errors". */
export function errorsText(count: number, formats: Formats): string {
  return count === 1 ? l10n.t('1 error') : l10n.t('{0} errors', formats.count(count));
}
