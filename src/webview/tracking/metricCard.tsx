import * as l10n from '@vscode/l10n';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { MetricSeries, MetricSummary, RunSummary } from '../../protocol/tracking.ts';
import { undrawableKind, type Window } from '../components/decimation.ts';
import { Icon, IconButton } from '../components/icon.tsx';
import { type ChartHandle, LineChart, type LineSeries } from '../components/lineChart.tsx';
import { formatCount, formatNumber, formatPoints } from '../components/numbers.ts';
import { SavePictureButton } from '../components/savePictureButton.tsx';
import { smooth } from '../components/smoothing.ts';
import { Skeleton } from '../components/states.tsx';
import type { Theme } from '../components/theme.ts';
import { formatDuration } from '../components/times.ts';
import { useSeen } from '../components/useSeen.ts';
import { hasOneStep, horizontalOf } from './metricSeries.ts';
import { MainMark } from './metricTile.tsx';

/** A metric as a curve, with its last value. Its points are fetched once it comes into sight. */
export function MetricCard(properties: {
  readonly run: RunSummary;
  readonly metric: MetricSummary;
  readonly series: MetricSeries | null;
  readonly onVisible: (key: string) => void;
  readonly theme: Theme;
  readonly smoothing: number;
  readonly logarithmic: boolean;
  readonly onLogarithmic: (on: boolean) => void;
}) {
  const { run, metric, series, onVisible, theme, smoothing, logarithmic, onLogarithmic } = properties;
  const card = useRef<HTMLElement>(null);
  const chart = useRef<ChartHandle>(null);
  const [window, setWindow] = useState<Window | null>(null);
  const seen = useSeen(card);
  useEffect(() => {
    if (seen) onVisible(metric.key);
  }, [seen, metric.key, onVisible]);

  const lines = useMemo(() => (series ? linesOf(series, smoothing) : []), [series, smoothing]);
  const overTime = series !== null && hasOneStep(series);
  const horizontal = useMemo(
    () =>
      overTime
        ? { title: l10n.t('Time'), format: formatDuration, whole: false }
        : { title: l10n.t('Step'), format: formatCount, whole: true },
    [overTime],
  );
  const description = useMemo(
    () => (series ? describe(metric.key, metric.value, series) : ''),
    [metric.key, metric.value, series],
  );
  const note = useMemo(() => (series ? undrawableNote(series, logarithmic) : null), [series, logarithmic]);

  return (
    <article ref={card} class="card" aria-label={metric.key}>
      <header class="card-header">
        <h3 title={metric.key}>
          {metric.key}
          {metric.key === run.mainMetric?.key ? <MainMark /> : null}
        </h3>
        <div class="card-actions">
          {window ? (
            <IconButton icon="zoom-out" label={l10n.t('Show All Points')} onClick={() => setWindow(null)} />
          ) : null}
          <button
            type="button"
            class="text-switch"
            aria-pressed={logarithmic}
            title={l10n.t('Logarithmic scale')}
            onClick={() => onLogarithmic(!logarithmic)}
          >
            log
          </button>
          <SavePictureButton chart={chart} name={`${run.name}-${metric.key}`} disabled={!series} />
        </div>
        <span class="card-value" title={String(metric.value)}>
          {formatNumber(metric.value)}
        </span>
      </header>
      {seen && series ? (
        <LineChart
          handle={chart}
          series={lines}
          theme={theme}
          logarithmic={logarithmic}
          window={window}
          onZoom={setWindow}
          horizontal={horizontal}
          verticalTitle={logarithmic ? l10n.t('log scale') : ''}
          description={description}
        />
      ) : (
        <Skeleton rows={3} tall />
      )}
      {note ? (
        <p class="card-note">
          <Icon name="warning" tone="warning" />
          {note}
        </p>
      ) : null}
    </article>
  );
}

function linesOf(series: MetricSeries, smoothing: number): readonly LineSeries[] {
  const xs = horizontalOf(series);
  const raw = { xs, ys: series.values };
  if (smoothing === 0) return [{ ...raw, name: series.key, emphasis: 'front' }];
  return [
    { xs, ys: smooth(series.values, smoothing), name: l10n.t('smoothed'), emphasis: 'front' },
    { ...raw, name: l10n.t('as logged'), emphasis: 'behind' },
  ];
}

/** Says which values the picture cannot show; null when it shows all. */
function undrawableNote(series: MetricSeries, logarithmic: boolean): string | null {
  let notFinite = 0;
  let notPositive = 0;
  let lastStep = 0;
  for (const [index, value] of series.values.entries()) {
    if (undrawableKind(value, logarithmic) === null) continue;
    if (Number.isFinite(value)) notPositive += 1;
    else {
      notFinite += 1;
      lastStep = series.steps[index] ?? 0;
    }
  }
  const notes = [];
  if (notFinite > 0) {
    notes.push(
      l10n.t('Not finite, shown as gaps: {points}, the last at step {step}.', {
        points: formatPoints(notFinite),
        step: formatCount(lastStep),
      }),
    );
  }
  if (notPositive > 0) {
    notes.push(
      l10n.t('Zero or below, so not on a log scale: {points}.', { points: formatPoints(notPositive) }),
    );
  }
  return notes.length > 0 ? notes.join(' ') : null;
}

function describe(name: string, last: number, series: MetricSeries): string {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const value of series.values) {
    if (!Number.isFinite(value)) continue;
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  return l10n.t(
    '{name}: {points}, from {lowest} to {highest}, last {value}. Use the arrow keys to read the points.',
    {
      name,
      points: formatPoints(series.values.length),
      lowest: formatNumber(lowest),
      highest: formatNumber(highest),
      value: formatNumber(last),
    },
  );
}
