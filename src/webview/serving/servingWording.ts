import * as l10n from '@vscode/l10n';
import { roleText } from '../../protocol/roleText.ts';
import type {
  CheckOutcome,
  EndpointEvent,
  EndpointFollows,
  EndpointState,
  RolloutState,
  RolloutSummary,
} from '../../protocol/serving.ts';
import type { Saying } from '../../protocol/servingSentences.ts';
import { formatLatency, formatNumber, formatShare } from '../components/numbers.ts';

/** How the nouns of serving read. */

export function stateName(state: EndpointState): string {
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

export function roleName(name: string): string {
  return roleText(name, l10n);
}

export function followsName(follows: EndpointFollows): string {
  switch (follows.type) {
    case 'pinned':
      return l10n.t('Pinned');
    case 'stage':
      return l10n.t('Follows stage {stage}', { stage: follows.stage });
    case 'alias':
      return l10n.t('Follows @{alias}', { alias: follows.alias });
  }
}

export function strategyName(strategy: RolloutSummary['strategy']): string {
  switch (strategy) {
    case 'canary':
      return l10n.t('Canary');
    case 'abTest':
      return l10n.t('A/B Test');
    case 'shadow':
      return l10n.t('Shadow');
    case 'bandit':
      return l10n.t('Bandit');
    case 'direct':
      return l10n.t('All at Once');
  }
}

export function rolloutStateName(state: RolloutState): string {
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

export function checkName(metric: CheckOutcome['metric']): string {
  switch (metric) {
    case 'errorRate':
      return l10n.t('Error Rate');
    case 'latencyP50':
      return l10n.t('Latency p50');
    case 'latencyP95':
      return l10n.t('Latency p95');
    case 'latencyP99':
      return l10n.t('Latency p99');
    case 'predictionDrift':
      return l10n.t('Prediction drift (PSI)');
    case 'quality':
      return l10n.t('Quality');
    case 'reward':
      return l10n.t('Reward');
    case 'agreement':
      return l10n.t('Agreement');
  }
}

/** A value of a check in its unit; a dash where there is none. */
export function checkValue(metric: CheckOutcome['metric'], value: number | null): string {
  if (value === null) return '–';
  switch (metric) {
    case 'errorRate':
    case 'agreement':
      return formatShare(value);
    case 'latencyP50':
    case 'latencyP95':
    case 'latencyP99':
      return formatLatency(value);
    default:
      return formatNumber(value);
  }
}

/** Whether a check could judge: not all need samples of both versions. */
export function hasEnoughSamples({ candidateValue }: Pick<CheckOutcome, 'candidateValue'>): boolean {
  return candidateValue !== null;
}

export function verdictName(check: CheckOutcome): string {
  switch (check.verdict) {
    case 'passed':
      return l10n.t('Passed');
    case 'failed':
      return l10n.t('Failed');
    case 'inconclusive':
      return hasEnoughSamples(check) ? l10n.t('Not decided yet') : l10n.t('Too few samples yet');
  }
}

/** Who did something: a person by name, or what acts by itself. */
export function whoName(who: string): string {
  switch (who) {
    case 'analysis':
      return l10n.t('analysis');
    case 'registry':
      return l10n.t('registry');
    case 'engine':
      return l10n.t('engine');
    default:
      return who;
  }
}

/** A word or two for what happened, to stand at its moment in a chart. */
export function eventLabel({ kind, said }: Pick<EndpointEvent, 'kind' | 'said'>): string {
  const share = shareOf(said);
  switch (kind) {
    case 'started':
      return l10n.t('started');
    case 'stopped':
      return l10n.t('stopped');
    case 'deleted':
      return l10n.t('deleted');
    case 'failed':
      return l10n.t('failed');
    case 'rolloutStarted':
      return share ?? l10n.t('rollout');
    case 'stepped':
    case 'shareChanged':
      return share ?? l10n.t('step');
    case 'checkFailed':
      return l10n.t('check failed');
    case 'paused':
      return l10n.t('paused');
    case 'resumed':
      return l10n.t('resumed');
    case 'promoted':
      return l10n.t('promoted');
    case 'rolledBack':
      return l10n.t('rolled back');
    case 'crashed':
      return l10n.t('crashed');
    case 'declared':
      return l10n.t('declared');
    case 'versionChanged':
      return l10n.t('other version');
    case 'settingsChanged':
      return l10n.t('other settings');
    case 'settingsDiffer':
      return l10n.t('settings differ');
    case 'registryRefused':
      return l10n.t('registry refused');
    case 'registryRestored':
      return l10n.t('registry restored');
    default:
      return kind;
  }
}

/** The share that a saying gives a version; older ones have it in their text alone. */
function shareOf(said: Saying): string | null {
  for (const one of said) {
    if ('text' in one) return /\d+(?:\.\d+)?\s?%/.exec(one.text)?.[0] ?? null;
    const share = 'values' in one ? one.values.share : undefined;
    if (typeof share === 'object' && 'share' in share) return formatShare(share.share);
  }
  return null;
}

const badKinds: ReadonlySet<string> = new Set([
  'rolledBack',
  'failed',
  'checkFailed',
  'crashed',
  'registryRefused',
]);

export function eventTone(kind: string): 'plain' | 'good' | 'bad' {
  if (badKinds.has(kind)) return 'bad';
  return kind === 'promoted' ? 'good' : 'plain';
}
