import * as l10n from '@vscode/l10n';
import type { ChartDataset, ChartOptions } from 'chart.js';
import type { Ref } from 'preact';
import { useEffect, useImperativeHandle, useRef } from 'preact/hooks';
import type { ColumnDrift } from '../../protocol/monitoring.ts';
import { createKeyboardReading } from '../components/chartKeyboard.ts';
import { axisLook, Chart, pictureOf, tooltipLook } from '../components/chartParts.ts';
import type { ChartHandle } from '../components/lineDrawing.ts';
import { locale } from '../components/localization.ts';
import { formatNumber, formatShare } from '../components/numbers.ts';
import type { Theme } from '../components/theme.ts';
import { binNames, describeHistogram } from './driftWording.ts';

type Bar = { readonly x: number; readonly y: number };
type HistogramDrawing = Chart<'bar', Bar[], string>;

/**
 * The shares of a column's bins: the reference grey and behind, the current data coloured and in front. Numbers stand
 * along their axis; categories are rows.
 */
export function HistogramChart(properties: {
  readonly column: ColumnDrift;
  readonly theme: Theme;
  readonly handle: Ref<ChartHandle>;
}) {
  const { column, theme, handle } = properties;
  const canvas = useRef<HTMLCanvasElement>(null);
  const chart = useRef<HistogramDrawing | null>(null);

  useEffect(() => {
    if (!canvas.current) return;
    const made = new Chart<'bar', Bar[], string>(canvas.current, { type: 'bar', data: { datasets: [] } });
    chart.current = made;
    const stopReading = createKeyboardReading(made, () => undefined);
    return () => {
      stopReading();
      made.destroy();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    const made = chart.current;
    if (!made) return;
    made.data.labels = [...binNames(column)];
    made.data.datasets = datasetsOf(column, theme);
    made.options = optionsFor(column, theme);
    made.update('none');
  }, [column, theme]);

  useImperativeHandle(
    handle,
    () => ({ picture: () => (canvas.current ? pictureOf(canvas.current, theme) : '') }),
    [theme],
  );

  return (
    <div class="chart" style={{ height: `${heightOf(column)}px` }}>
      <canvas ref={canvas} role="img" aria-label={describeHistogram(column)} tabIndex={0} />
    </div>
  );
}

function heightOf({ histogram }: ColumnDrift): number {
  return histogram.kind === 'numeric' ? 180 : Math.max(180, 40 + histogram.levels.length * 20);
}

function datasetsOf(column: ColumnDrift, theme: Theme): ChartDataset<'bar', Bar[]>[] {
  const { histogram } = column;
  const places = histogram.kind === 'numeric' ? middles(histogram.edges) : null;
  const bars = (shares: readonly number[]) =>
    shares.map((share, bin) => (places ? { x: places[bin] ?? bin, y: share } : { x: share, y: bin }));
  const shared = {
    grouped: false,
    categoryPercentage: 1,
    borderColor: theme.foreground,
    // Greys are hard to tell apart in a high-contrast theme, so the bars get an outline there.
    borderWidth: theme.highContrast ? 1 : 0,
  } as const;
  return [
    {
      ...shared,
      label: l10n.t('Current'),
      data: bars(histogram.current),
      backgroundColor: theme.current,
      barPercentage: 0.5,
      order: 0,
    },
    {
      ...shared,
      label: l10n.t('Reference'),
      data: bars(histogram.reference),
      backgroundColor: theme.reference,
      barPercentage: 0.92,
      order: 1,
    },
  ];
}

function optionsFor(column: ColumnDrift, theme: Theme): ChartOptions<'bar'> {
  const { histogram } = column;
  const numeric = histogram.kind === 'numeric';
  const look = axisLook(theme);
  const shareAxis = {
    ...look,
    type: 'linear' as const,
    min: 0,
    border: { display: false },
    ticks: {
      ...look.ticks,
      maxTicksLimit: 5,
      callback: (value: number | string) => formatShare(Number(value)),
    },
  };
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    locale: locale(),
    indexAxis: numeric ? 'x' : 'y',
    interaction: { mode: 'index', axis: numeric ? 'x' : 'y', intersect: false },
    layout: { padding: { top: 6, right: 8 } },
    scales: numeric
      ? { x: valueAxis(histogram.edges, look), y: shareAxis }
      : { x: shareAxis, y: levelAxis(look) },
    plugins: {
      tooltip: {
        ...tooltipLook(theme),
        callbacks: {
          title: ([item]) => binNames(column)[item?.dataIndex ?? -1] ?? '',
          label: (item) =>
            ` ${item.dataset.label}: ${formatShare((numeric ? item.parsed.y : item.parsed.x) ?? 0)}`,
        },
      },
    },
  };
}

type AxisLook = ReturnType<typeof axisLook>;

/** The values themselves, from the first bin's lower edge to the last one's upper edge. */
function valueAxis(edges: readonly number[], look: AxisLook) {
  return {
    ...look,
    type: 'linear' as const,
    min: edges[0] ?? 0,
    max: edges.at(-1) ?? 1,
    offset: false,
    grid: { display: false },
    ticks: {
      ...look.ticks,
      maxTicksLimit: 7,
      includeBounds: false,
      callback: (value: number | string) => formatNumber(Number(value)),
    },
  };
}

function middles(edges: readonly number[]): readonly number[] {
  return edges.slice(1).map((upper, bin) => ((edges[bin] ?? upper) + upper) / 2);
}

/** Categories as rows; a long name is cut, and the tooltip has it whole. */
function levelAxis(look: AxisLook) {
  return {
    ...look,
    type: 'category' as const,
    grid: { display: false },
    ticks: {
      ...look.ticks,
      autoSkip: false,
      callback(this: { getLabelForValue(value: number): string }, place: number | string) {
        const name = this.getLabelForValue(Number(place));
        return name.length > 18 ? `${name.slice(0, 17)}…` : name;
      },
    },
  };
}
