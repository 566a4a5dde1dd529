import * as l10n from '@vscode/l10n';
import { useCallback, useEffect, useRef } from 'preact/hooks';
import type { DriftSources } from '../../protocol/monitoring.ts';
import { Icon } from '../components/icon.tsx';
import { useLoaded } from '../components/loading.ts';
import { formatCount } from '../components/numbers.ts';
import {
  mountPage,
  type PageProperties,
  useEngineEvent,
  useHost,
  useReferenceFile,
  useViewState,
} from '../components/page.tsx';
import { EmptyState, ErrorState, Skeleton } from '../components/states.tsx';
import { formatAge, formatMoment } from '../components/times.ts';
import { DriftControls } from './driftControls.tsx';
import { DriftReportView } from './driftReport.tsx';
import { boundsOf, isTimeWindow, type TimeWindow } from './timeWindow.ts';
import { useDrift } from './useDrift.ts';
import './driftPage.css';

const allRequests: TimeWindow = { kind: 'all', from: '', to: '' };

/** How far the requests to an endpoint moved away from the data that its model was trained on. */
function DriftPage({ subject, trusted }: PageProperties<'drift'>) {
  const { endpoint } = subject;
  const host = useHost();
  const load = useCallback(
    (signal: AbortSignal) => host.request('monitoring/driftSources', { endpoint }, signal),
    [host, endpoint],
  );
  const { value: sources, error, reload } = useLoaded(load);
  useEngineEvent('serving/changed', ({ endpoints }) => {
    // Traffic changes the endpoint all the time; what is shown already is brought up to date by the next comparison.
    if (endpoints.includes(endpoint) && (error || sources?.firstRequest === null)) reload();
  });

  return (
    <div class="page">
      <header class="title-line">
        <div class="title">
          <h1>
            <Icon name="pulse" />
            {l10n.t('Drift of {endpoint}', { endpoint })}
          </h1>
          {sources ? <RequestFacts sources={sources} /> : null}
        </div>
      </header>
      {error ? <ErrorState error={error} onRetry={reload} /> : null}
      {sources ? (
        <Comparison sources={sources} trusted={trusted} onReload={reload} />
      ) : error ? null : (
        <Skeleton rows={6} tall />
      )}
    </div>
  );
}

function RequestFacts({ sources }: { readonly sources: DriftSources }) {
  const { rowCount, firstRequest, lastRequest } = sources;
  if (firstRequest === null || lastRequest === null) return <p class="facts">{l10n.t('No requests yet')}</p>;
  return (
    <p class="facts">
      <span>
        {rowCount === 1
          ? l10n.t('1 row logged')
          : l10n.t('{rows} rows logged', { rows: formatCount(rowCount) })}
      </span>
      <span title={formatMoment(firstRequest, 'second')}>
        {l10n.t('First request {age}', { age: formatAge(firstRequest, Date.now()) })}
      </span>
      <span title={formatMoment(lastRequest, 'second')}>
        {l10n.t('Last request {age}', { age: formatAge(lastRequest, Date.now()) })}
      </span>
    </p>
  );
}

function Comparison(properties: {
  readonly sources: DriftSources;
  readonly trusted: boolean;
  readonly onReload: () => void;
}) {
  const { sources, trusted, onReload } = properties;
  const { endpoint, references } = sources;
  const host = useHost();
  const [window, setWindow] = useViewState<TimeWindow>('window', allRequests, isTimeWindow);
  const [referenceFile, setReferenceFile] = useViewState<string | null>('referenceFile', null, isFile);
  const drift = useDrift(endpoint);
  const hasRequests = sources.firstRequest !== null;
  const hasReference = referenceFile !== null || references.length > 0;

  const begun = useRef(false);
  const begin = (file: string | null, over: TimeWindow) => {
    if (!trusted || !hasRequests) return;
    begun.current = true;
    const bounds = boundsOf(over, sources, Date.now());
    if (bounds) drift.compare({ endpoint, referenceFile: file, ...bounds });
  };
  const compare = (file: string | null, over: TimeWindow) => {
    onReload();
    begin(file, over);
  };
  const chooseWindow = (chosen: TimeWindow) => {
    setWindow(chosen);
    // While the ends of a custom window are being typed nothing is computed: the button does it.
    if (chosen.kind !== 'custom') compare(referenceFile, chosen);
  };
  const chooseReference = (file: string) => {
    setReferenceFile(file);
    compare(file, window);
  };
  const chooseFile = () => host.act({ action: 'chooseReferenceFile' });
  useReferenceFile(chooseReference);

  useEffect(() => {
    if (!begun.current && hasReference) begin(referenceFile, window);
  });

  if (!trusted) {
    return (
      <EmptyState
        icon="shield"
        title={l10n.t('This workspace is not trusted, so nothing is computed in it.')}
      >
        <p class="state-remedy">
          {l10n.t('Trust the workspace to compare its requests with the training data.')}
        </p>
      </EmptyState>
    );
  }
  if (!hasRequests) {
    return (
      <EmptyState icon="inbox" title={l10n.t('This endpoint has logged no requests yet.')}>
        <p class="state-remedy">
          {l10n.t(
            'Send it some requests; then this page compares them with the data that the model was trained on.',
          )}
        </p>
        <div class="actions">
          <vscode-button secondary onClick={onReload}>
            {l10n.t('Look Again')}
          </vscode-button>
        </div>
      </EmptyState>
    );
  }
  return (
    <>
      <div class="control-line">
        <DriftControls
          sources={sources}
          referenceFile={referenceFile}
          onReference={chooseReference}
          onChooseFile={chooseFile}
          window={window}
          onWindow={chooseWindow}
        />
        <div class="actions">
          {drift.computing ? (
            <vscode-button secondary onClick={drift.cancel}>
              {l10n.t('Cancel')}
            </vscode-button>
          ) : (
            <vscode-button
              disabled={!hasReference || boundsOf(window, sources, 0) === null}
              onClick={() => compare(referenceFile, window)}
            >
              {l10n.t('Compare')}
            </vscode-button>
          )}
        </div>
      </div>
      <div class="progress-line">
        {drift.computing ? (
          <vscode-progress-bar
            aria-label={l10n.t('Comparing')}
            max={1}
            value={drift.fraction ?? 0}
            indeterminate={drift.fraction === null}
          />
        ) : null}
        <span class="visually-hidden" role="status">
          {drift.computing ? l10n.t('Comparing') : drift.report ? l10n.t('Compared') : ''}
        </span>
      </div>
      {drift.error ? (
        <ErrorState error={drift.error} onRetry={() => compare(referenceFile, window)}>
          {drift.error.kind === 'noLoggedRequests' && window.kind !== 'all' ? (
            <vscode-button onClick={() => chooseWindow(allRequests)}>
              {l10n.t('Use All Requests')}
            </vscode-button>
          ) : null}
          {needsReference(drift.error.kind) ? (
            <vscode-button onClick={chooseFile}>{l10n.t('Choose File…')}</vscode-button>
          ) : null}
        </ErrorState>
      ) : null}
      {drift.report ? <DriftReportView report={drift.report} /> : null}
      {!hasReference ? (
        <EmptyState
          icon="database"
          title={l10n.t('The run behind this endpoint names no data that can be read here.')}
        >
          <p class="state-remedy">
            {l10n.t(
              'Choose the CSV or Parquet file that the model was trained on, or log it with mlflow.log_input.',
            )}
          </p>
          <div class="actions">
            <vscode-button onClick={chooseFile}>{l10n.t('Choose File…')}</vscode-button>
          </div>
        </EmptyState>
      ) : null}
      {hasReference && !drift.report && !drift.error && !drift.computing ? (
        <EmptyState icon="graph" title={l10n.t('Nothing was compared.')} />
      ) : null}
    </>
  );
}

function needsReference(kind: string): boolean {
  return kind === 'noReferenceData' || kind === 'dataUnreadable' || kind === 'noSharedColumns';
}

function isFile(kept: unknown): kept is string | null {
  return kept === null || (typeof kept === 'string' && kept !== '');
}

mountPage('drift', DriftPage);
