import * as l10n from '@vscode/l10n';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { MetricSeries, MetricSummary, RunSummary } from '../../protocol/tracking.ts';
import type { Window } from '../components/decimation.ts';
import { Icon, IconButton } from '../components/icon.tsx';
import { LineChart, type LineSeries } from '../components/lineChart.tsx';
import type { ChartHandle } from '../components/lineDrawing.ts';
import { formatCount, formatNumber, formatPoints } from '../components/numbers.ts';
import { SavePictureButton } from '../components/savePictureButton.tsx';
import { Skeleton } from '../components/states.tsx';
import type { Theme } from '../components/theme.ts';
import { formatDuration } from '../components/times.ts';
import { useSeen } from '../components/useSeen.ts';
import { type HeldMetric, hasOneStep, horizontalOf, isThinned, smoothedValues } from './metricSeries.ts';
import { MainMark } from './metricTile.tsx';
import { type MetricDetail, useMetricDetail } from './useMetricDetail.ts';

/** A metric as a curve, with its last value. Its points are fetched once it comes into sight. */
export function MetricCard(properties: {
  readonly run: RunSummary;
  readonly metric: MetricSummary;
  readonly held: HeldMetric | null;
  readonly onVisible: (key: string) => void;
  readonly theme: Theme;
  readonly smoothing: number;
  readonly logarithmic: boolean;
  readonly onLogarithmic: (on: boolean) => void;
}) {
  const { run, metric, held, onVisible, theme, smoothing, logarithmic, onLogarithmic } = properties;
  const card = useRef<HTMLElement>(null);
  const chart = useRef<ChartHandle>(null);
  const [window, setWindow] = useState<Window | null>(null);
  const seen = useSeen(card);
  useEffect(() => {
    if (seen) onVisible(metric.key);
  }, [seen, metric.key, onVisible]);

  const series = held?.series ?? null;
  const { detail, error } = useMetricDetail(run.runId, held, window, smoothing);
  const lines = useMemo(() => (held ? linesOf(held, detail, smoothing) : []), [held, detail, smoothing]);
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
  const hidden = useMemo(() => (series ? hiddenNote(series, detail) : null), [series, detail]);

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
      {hidden ? <p class="card-note">{hidden}</p> : null}
      {error ? (
        <p class="card-note" role="alert">
          <Icon name="warning" tone="warning" />
          {error.message}
        </p>
      ) : null}
      {note ? (
        <p class="card-note">
          <Icon name="warning" tone="warning" />
          {note}
        </p>
      ) : null}
    </article>
  );
}

/** The curve, or of a long one in a window what was asked for that window. */
function linesOf(held: HeldMetric, detail: MetricDetail | null, smoothing: number): readonly LineSeries[] {
  const { series } = detail ?? held;
  const xs = horizontalOf(series, held.series);
  const raw = { xs, ys: series.values };
  const smoothed = smoothing === 0 ? null : detail ? detail.series.smoothed : smoothedValues(held, smoothing);
  if (smoothed === null) return [{ ...raw, name: series.key, emphasis: 'front' }];
  return [
    { xs, ys: smoothed, name: l10n.t('smoothed'), emphasis: 'front' },
    { ...raw, name: l10n.t('as logged'), emphasis: 'behind' },
  ];
}

/** Says how many points were left out of a long curve; null when none were. */
function hiddenNote(series: MetricSeries, detail: MetricDetail | null): string | null {
  if (!isThinned(series)) return null;
  if (detail === null) {
    return l10n.t('{points}, {shown} shown', {
      points: formatPoints(series.represented),
      shown: formatCount(series.steps.length),
    });
  }
  const points = formatPoints(detail.series.represented);
  return isThinned(detail.series)
    ? l10n.t('{points} in this part, {shown} shown', {
        points,
        shown: formatCount(detail.series.steps.length),
      })
    : l10n.t('{points} in this part, all shown', { points });
}

/** Says which values the picture cannot show; null when it shows all. */
function undrawableNote(series: MetricSeries, logarithmic: boolean): string | null {
  const notFinite = series.notFinite.count;
  const notPositive = logarithmic ? series.notPositive : 0;
  const { lastStep } = series.notFinite;
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
      points: formatPoints(series.represented),
      lowest: formatNumber(lowest),
      highest: formatNumber(highest),
      value: formatNumber(last),
    },
  );
}
