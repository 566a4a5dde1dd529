import * as l10n from '@vscode/l10n';
import type { EndpointPageCommand } from '../../protocol/page.ts';
import type { EndpointSummary } from '../../protocol/serving.ts';
import { Icon } from '../components/icon.tsx';
import { formatCount, formatLatency, formatRate } from '../components/numbers.ts';
import { useHost } from '../components/page.tsx';
import { formatAge, formatMoment } from '../components/times.ts';
import { followsName, stateName } from './servingWording.ts';

/** The title line: how the endpoint stands, and what can be done with it. */
export function EndpointHeader(properties: {
  readonly endpoint: EndpointSummary;
  readonly now: number;
  readonly trusted: boolean;
}) {
  const { endpoint, now, trusted } = properties;
  const { state, readySince, rate, latencyP50, latencyP99, requestCount, errorCount } = endpoint;
  const icon = iconOf(endpoint);
  const named =
    endpoint.modelName === endpoint.name
      ? `v${endpoint.modelVersion}`
      : `${endpoint.modelName} v${endpoint.modelVersion}`;
  return (
    <header class="title-line">
      <div class="title">
        <h1>
          <Icon name={icon.name} tone={icon.tone} />
          {endpoint.name}
        </h1>
        <p class="facts">
          <span>{stateName(state)}</span>
          <span>{named}</span>
          <span>{followsName(endpoint.follows)}</span>
          {endpoint.declared ? <span>{l10n.t('declared in slipway.yaml')}</span> : null}
          {state === 'ready' && readySince !== null ? (
            <span title={formatMoment(readySince, 'second')}>
              {l10n.t('Ready since {age}', { age: formatAge(readySince, now) })}
            </span>
          ) : null}
        </p>
        <dl class="figures-line">
          <Figure name={l10n.t('Requests')} value={formatRate(rate)} note={formatCount(requestCount)} />
          <Figure name="p50" value={latencyP50 === null ? '–' : formatLatency(latencyP50)} />
          <Figure name="p99" value={latencyP99 === null ? '–' : formatLatency(latencyP99)} />
          <Figure name={l10n.t('Errors')} value={formatCount(errorCount)} bad={errorCount > 0} />
        </dl>
      </div>
      <Actions endpoint={endpoint} trusted={trusted} />
    </header>
  );
}

function Figure(properties: {
  readonly name: string;
  readonly value: string;
  /** The sum behind it. */
  readonly note?: string;
  readonly bad?: boolean;
}) {
  const { name, value, note, bad = false } = properties;
  return (
    <div class="figure-tile">
      <dt>{name}</dt>
      <dd>
        <span class={bad ? 'figure-value tone-error' : 'figure-value'}>{value}</span>
        {note === undefined ? null : (
          <span class="figure-note">{l10n.t('{count} in all', { count: note })}</span>
        )}
      </dd>
    </div>
  );
}

function Actions({ endpoint, trusted }: { readonly endpoint: EndpointSummary; readonly trusted: boolean }) {
  const host = useHost();
  const run = (command: EndpointPageCommand) => () => host.act({ action: 'endpointCommand', command });
  const disabled = !trusted;
  const title = trusted ? '' : l10n.t('Trust this workspace to start something in it.');
  if (endpoint.state === 'stopped' || endpoint.state === 'failed') {
    return (
      <div class="actions">
        <vscode-button
          disabled={disabled}
          title={title}
          onClick={() =>
            host.act({ action: 'startEndpoint', model: endpoint.modelName, version: endpoint.modelVersion })
          }
        >
          {l10n.t('Start')}
        </vscode-button>
        <vscode-button secondary onClick={run('showEndpointLog')}>
          {l10n.t('Show Log')}
        </vscode-button>
      </div>
    );
  }
  return (
    <div class="actions">
      {endpoint.state === 'ready' ? (
        <>
          <vscode-button
            // During a rollout, the button that stands out is the one that ends it.
            secondary={endpoint.rollout !== null}
            disabled={disabled}
            title={title}
            onClick={run('sendTestRequest')}
          >
            {l10n.t('Send Test Request…')}
          </vscode-button>
          {endpoint.rollout === null ? (
            <vscode-button secondary disabled={disabled} title={title} onClick={run('startRollout')}>
              {l10n.t('Start Rollout…')}
            </vscode-button>
          ) : null}
        </>
      ) : null}
      <vscode-button secondary disabled={disabled} title={title} onClick={run('stopEndpoint')}>
        {l10n.t('Stop')}
      </vscode-button>
    </div>
  );
}

function iconOf({ state, rollout }: EndpointSummary): { readonly name: string; readonly tone: string } {
  switch (state) {
    case 'starting':
      return { name: 'loading codicon-modifier-spin', tone: 'running' };
    case 'stopped':
      return { name: 'circle-outline', tone: 'muted' };
    case 'failed':
      return { name: 'error', tone: 'error' };
    case 'ready':
      if (rollout?.state === 'paused') return { name: 'debug-pause', tone: 'warning' };
      return rollout === null
        ? { name: 'broadcast', tone: 'good' }
        : { name: 'sync codicon-modifier-spin', tone: 'running' };
  }
}
