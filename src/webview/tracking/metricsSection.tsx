import * as l10n from '@vscode/l10n';
import { useMemo, useState } from 'preact/hooks';
import type { MetricSummary, RunSummary } from '../../protocol/tracking.ts';
import { fieldValue } from '../components/fieldValue.ts';
import { numberFormat } from '../components/localization.ts';
import { useViewState } from '../components/page.tsx';
import { Section } from '../components/section.tsx';
import { EmptyState, ErrorState } from '../components/states.tsx';
import { useTheme } from '../components/theme.ts';
import { MetricCard } from './metricCard.tsx';
import { arranged } from './metricOrder.ts';
import { MetricTile } from './metricTile.tsx';
import { useMetricSeries } from './useMetricSeries.ts';

const filterFrom = 9;

function hundredths(value: number): string {
  return numberFormat({ minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(value);
}

/** The metrics of a run: single values as numbers, the others as curves; those of the machine in a group of their own. */
export function MetricsSection(properties: {
  readonly run: RunSummary;
  readonly metrics: readonly MetricSummary[];
}) {
  const { run, metrics } = properties;
  const [smoothing, setSmoothing] = useViewState('smoothing', 0, isSmoothing);
  const [logarithmic, setLogarithmic] = useViewState<readonly string[]>('logarithmic', [], isListOfKeys);
  const [systemOpen, setSystemOpen] = useViewState('systemMetrics', false, isFlag);
  const [filter, setFilter] = useState('');
  const theme = useTheme();
  const points = useMetricSeries(run.runId, metrics, smoothing);
  const groups = useMemo(
    () => arranged(metrics, run.mainMetric?.key ?? null, filter),
    [metrics, run.mainMetric?.key, filter],
  );

  const shown = groups.curves.length + groups.numbers.length;

  const card = (metric: MetricSummary) => (
    <MetricCard
      key={metric.key}
      run={run}
      metric={metric}
      held={points.held.get(metric.key) ?? null}
      onVisible={points.want}
      theme={theme}
      smoothing={smoothing}
      logarithmic={logarithmic.includes(metric.key)}
      onLogarithmic={(on) =>
        setLogarithmic(on ? [...logarithmic, metric.key] : logarithmic.filter((key) => key !== metric.key))
      }
    />
  );
  const tile = (metric: MetricSummary) => (
    <MetricTile key={metric.key} metric={metric} isMain={metric.key === run.mainMetric?.key} />
  );

  return (
    <>
      <Section
        title={l10n.t('Metrics')}
        count={shown}
        actions={
          <>
            {metrics.length >= filterFrom ? (
              <vscode-textfield
                class="filter"
                label={l10n.t('Filter metrics')}
                placeholder={l10n.t('Filter')}
                value={filter}
                onInput={(event) => setFilter(fieldValue(event.currentTarget))}
              />
            ) : null}
            {groups.curves.length > 0 ? (
              <label class="slider">
                {l10n.t('Smoothing')}
                <input
                  type="range"
                  min="0"
                  max="0.99"
                  step="0.01"
                  value={smoothing}
                  onInput={(event) => setSmoothing(Number(event.currentTarget.value))}
                />
                <output>{hundredths(smoothing)}</output>
              </label>
            ) : null}
          </>
        }
      >
        {points.error ? <ErrorState error={points.error} onRetry={points.retry} /> : null}
        {groups.numbers.length > 0 ? <div class="tiles">{groups.numbers.map(tile)}</div> : null}
        {groups.curves.length > 0 ? <div class="cards">{groups.curves.map(card)}</div> : null}
        {shown === 0 ? <NoMetrics filtered={filter.trim() !== ''} training={run.endTime === null} /> : null}
      </Section>
      {groups.system.length > 0 ? (
        <Section
          title={l10n.t('System metrics')}
          count={groups.system.length}
          open={systemOpen}
          onToggle={setSystemOpen}
        >
          <div class="tiles">{groups.system.filter(({ pointCount }) => pointCount < 2).map(tile)}</div>
          <div class="cards">{groups.system.filter(({ pointCount }) => pointCount > 1).map(card)}</div>
        </Section>
      ) : null}
    </>
  );
}

/** What stands there in place of metrics, those of the machine aside. */
function NoMetrics({ filtered, training }: { readonly filtered: boolean; readonly training: boolean }) {
  if (filtered) return <p class="nothing">{l10n.t('Nothing matches the filter.')}</p>;
  return (
    <EmptyState
      icon="graph-line"
      title={
        training
          ? l10n.t('The first metric that the script logs appears here.')
          : l10n.t('This run logged no metrics.')
      }
    />
  );
}

function isSmoothing(kept: unknown): kept is number {
  return typeof kept === 'number' && kept >= 0 && kept < 1;
}

function isFlag(kept: unknown): kept is boolean {
  return typeof kept === 'boolean';
}

function isListOfKeys(kept: unknown): kept is readonly string[] {
  return Array.isArray(kept) && kept.every((key) => typeof key === 'string');
}
