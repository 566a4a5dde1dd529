import * as l10n from '@vscode/l10n';
import { useCallback, useMemo } from 'preact/hooks';
import type { EndpointLive } from '../../protocol/serving.ts';
import { localizedErrorFrom } from '../components/errorText.ts';
import { useLoaded } from '../components/loading.ts';
import { mountPage, type PageProperties, useHost } from '../components/page.tsx';
import { EmptyState, ErrorState, Skeleton } from '../components/states.tsx';
import { useTheme } from '../components/theme.ts';
import { CallSection } from './callSection.tsx';
import { EndpointHeader } from './endpointHeader.tsx';
import { EventsSection } from './eventsSection.tsx';
import { LiveCharts } from './liveCharts.tsx';
import { LoadTestSection } from './loadTestSection.tsx';
import { RolloutCard } from './rolloutCard.tsx';
import { RolloutsSection } from './rolloutsSection.tsx';
import { ShadowSection } from './shadowSection.tsx';
import { type Live, useLive } from './useLive.ts';
import { VariantsSection } from './variantsSection.tsx';
import './endpointPage.css';

/** An endpoint while it answers: its traffic, what comes in, and how to call it. */
function EndpointPage({ subject, trusted }: PageProperties<'endpoint'>) {
  const state = useLive(subject.endpoint);
  const { live, error } = state;
  if (error?.kind === 'notFound') {
    return (
      <div class="page">
        <header class="title-line">
          <h1>{subject.endpoint}</h1>
        </header>
        <EmptyState icon="trash" title={l10n.t('This endpoint is not there any more.')}>
          <p class="state-remedy">
            {l10n.t('It was deleted or has another name now. This page shows it again if it comes back.')}
          </p>
        </EmptyState>
      </div>
    );
  }
  return (
    <div class="page">
      {live ? (
        <EndpointContent state={state} live={live} trusted={trusted} />
      ) : error ? null : (
        <>
          <header class="title-line">
            <h1>{subject.endpoint}</h1>
          </header>
          <Skeleton rows={6} tall />
        </>
      )}
      {error ? <ErrorState error={error} onRetry={state.reload} /> : null}
    </div>
  );
}

function EndpointContent(properties: {
  readonly state: Live;
  readonly live: EndpointLive;
  readonly trusted: boolean;
}) {
  const { state, live, trusted } = properties;
  const { endpoint } = live;
  const theme = useTheme();
  const ready = endpoint.state === 'ready';
  const quiet = state.history.variants.length === 0;
  const past = useMemo(
    () => live.rollouts.filter(({ id }) => id !== endpoint.rollout?.id),
    [live.rollouts, endpoint.rollout?.id],
  );
  return (
    <>
      <EndpointHeader endpoint={endpoint} now={state.now} trusted={trusted} />
      {endpoint.failure ? <ErrorState error={localizedErrorFrom(endpoint.failure)} /> : null}
      {endpoint.rollout ? (
        <RolloutCard
          rollout={endpoint.rollout}
          endpointState={endpoint.state}
          now={state.now}
          trusted={trusted}
        />
      ) : null}
      {quiet && !ready ? (
        <EmptyState icon="broadcast" title={l10n.t('This endpoint does not answer now.')}>
          <p class="state-remedy">
            {l10n.t('Start it, and this page shows its traffic, latencies and errors while they happen.')}
          </p>
        </EmptyState>
      ) : (
        <LiveCharts live={live} history={state.history} now={state.now} theme={theme} />
      )}
      {endpoint.variants.length > 0 ? <VariantsSection endpoint={endpoint} theme={theme} /> : null}
      {live.shadows.length > 0 ? <ShadowSection shadows={live.shadows} /> : null}
      {ready ? <Described live={live} theme={theme} trusted={trusted} /> : null}
      <RolloutsSection rollouts={past} />
      <EventsSection events={live.events} />
    </>
  );
}

/** What is known of an endpoint only while it answers. */
function Described(properties: {
  readonly live: EndpointLive;
  readonly theme: ReturnType<typeof useTheme>;
  readonly trusted: boolean;
}) {
  const { live, theme, trusted } = properties;
  const { endpoint } = live;
  const host = useHost();
  const name = endpoint.name;
  // Other versions, or another process: its inputs and addresses may be others.
  const mark = JSON.stringify([
    endpoint.url,
    endpoint.variants.map(({ model, version }) => [model, version]),
  ]);
  const load = useCallback(
    (signal: AbortSignal) => {
      void mark;
      return host.request('serving/describe', { endpoint: name }, signal);
    },
    [host, name, mark],
  );
  const { value: description, error, reload } = useLoaded(load);
  if (!description) return error ? <ErrorState error={error} onRetry={reload} /> : <Skeleton rows={4} tall />;
  return (
    <>
      <LoadTestSection
        endpoint={name}
        exampleRequest={description.exampleRequest}
        theme={theme}
        trusted={trusted}
      />
      <CallSection description={description} />
    </>
  );
}

mountPage('endpoint', EndpointPage);
