import * as l10n from '@vscode/l10n';
import { useCallback } from 'preact/hooks';
import { KeyValueSection } from '../components/keyValueTable.tsx';
import { useLoaded } from '../components/loading.ts';
import { mountPage, type PageProperties, useEngineEvent, useHost } from '../components/page.tsx';
import { ErrorState, Skeleton } from '../components/states.tsx';
import { ArtifactTree } from './artifactTree.tsx';
import { LoggedModels } from './loggedModels.tsx';
import { MadeFrom } from './madeFrom.tsx';
import { MetricsSection } from './metricsSection.tsx';
import { LocationSection } from './runFacts.tsx';
import { RunHeader } from './runHeader.tsx';
import './runPage.css';

/** Everything about one run; while it trains its curves grow. */
function RunPage({ subject, trusted }: PageProperties<'run'>) {
  const { runId } = subject;
  const host = useHost();
  const load = useCallback(
    (signal: AbortSignal) => host.request('tracking/run', { runId }, signal),
    [host, runId],
  );
  const { value: detail, error, reload } = useLoaded(load);

  useEngineEvent('tracking/changed', ({ experimentIds, runIds }) => {
    const anything = experimentIds.length === 0 && runIds.length === 0;
    if (anything || runIds.includes(runId)) reload();
  });
  useEngineEvent('registry/changed', reload);

  if (!detail) {
    return (
      <div class="page">
        {error ? <ErrorState error={error} onRetry={reload} /> : <Skeleton rows={6} tall />}
      </div>
    );
  }
  return (
    <div class="page">
      <RunHeader detail={detail} trusted={trusted} />
      {error ? <ErrorState error={error} onRetry={reload} /> : null}
      <MetricsSection run={detail.run} metrics={detail.metrics} />
      <div class="columns">
        <KeyValueSection
          title={l10n.t('Parameters')}
          rows={detail.parameters}
          empty={l10n.t('This run logged no parameters.')}
        />
        <div class="column">
          <LoggedModels models={detail.models} />
          <ArtifactTree runId={runId} changeMark={`${detail.models.length} ${detail.run.endTime}`} />
        </div>
        <div class="column">
          <MadeFrom detail={detail} />
          <KeyValueSection
            title={l10n.t('Tags')}
            rows={detail.tags}
            empty={l10n.t('This run has no tags.')}
          />
          <LocationSection detail={detail} />
        </div>
      </div>
    </div>
  );
}

mountPage('run', RunPage);
