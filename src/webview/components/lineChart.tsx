import type { ChartDataset, ChartOptions } from 'chart.js';
import type { Ref } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { axisLook } from './chartParts.ts';
import { type Curve, decimate, type Window } from './decimation.ts';
import { Legend } from './legend.tsx';
import { type ChartHandle, lineOptions, lineTooltip, useLineDrawing } from './lineDrawing.ts';
import { formatNumber } from './numbers.ts';
import type { Theme } from './theme.ts';
import { createUndrawableMarks } from './undrawableMarks.ts';

/** A curve with its name and how it is drawn. */
export interface LineSeries extends Curve {
  readonly name: string;
  /** `behind` is drawn faint, as the raw line behind a smoothed one. */
  readonly emphasis: 'front' | 'behind';
}

interface LineChartProperties {
  readonly series: readonly LineSeries[];
  readonly theme: Theme;
  readonly logarithmic: boolean;
  readonly window: Window | null;
  readonly onZoom: (window: Window | null) => void;
  /** The words on the x axis, and how a place on it is written. */
  readonly horizontal: {
    readonly title: string;
    readonly format: (x: number) => string;
    readonly whole: boolean;
  };
  readonly verticalTitle: string;
  /** Says in words what is drawn. */
  readonly description: string;
  readonly handle: Ref<ChartHandle>;
}

/**
 * Curves over one x axis. New points are appended without a redraw that jumps; long curves are thinned to the width;
 * points that cannot be drawn become marked gaps. Dragging zooms, the arrow keys read point by point.
 */
export function LineChart(properties: LineChartProperties) {
  const {
    series,
    theme,
    logarithmic,
    window: zoom,
    horizontal,
    verticalTitle,
    description,
    handle,
  } = properties;
  const [width, setWidth] = useState(400);
  const [lifted, setLifted] = useState<string | null>(null);
  const whole = useMemo(() => extentOf(series), [series]);
  const window = zoom ?? whole;
  const drawn = useMemo(
    () => series.map((one) => decimate(one, window, Math.max(100, width), logarithmic)),
    [series, window, width, logarithmic],
  );

  const marks = useMemo(() => drawn.flatMap((one) => one.undrawable), [drawn]);
  const latest = useRef({ theme, marks });
  latest.current = { theme, marks };
  const plugin = () => createUndrawableMarks(() => latest.current);
  const { canvas, draw } = useLineDrawing({ theme, handle, plugin, onZoom: properties.onZoom });

  useEffect(() => {
    if (!canvas.current) return;
    const resizing = new ResizeObserver(([entry]) => setWidth(Math.round(entry?.contentRect.width ?? 400)));
    resizing.observe(canvas.current);
    return () => resizing.disconnect();
  }, []);

  useEffect(() => {
    const curves = series.map((one, index): ChartDataset<'line'> => {
      const dimmed = lifted === null ? one.emphasis === 'behind' : lifted !== one.name;
      const points = [...(drawn[index]?.points ?? [])];
      return {
        label: one.name,
        data: points,
        borderColor: dimmed ? theme.currentFaint : theme.current,
        backgroundColor: theme.current,
        borderWidth: one.emphasis === 'behind' ? 1 : 1.5,
        borderJoinStyle: 'round',
        pointRadius: points.length <= 30 ? 2 : 0,
        pointHoverRadius: 4,
        pointBorderWidth: 0,
        pointHoverBorderWidth: 0,
        order: one.emphasis === 'front' ? 0 : 1,
      };
    });
    draw(curves, optionsFor(theme, window, logarithmic, horizontal, verticalTitle));
  }, [series, drawn, theme, window, logarithmic, horizontal, verticalTitle, lifted]);

  return (
    <>
      <div class="chart">
        <canvas ref={canvas} role="img" aria-label={description} tabIndex={0} />
      </div>
      {series.length > 1 ? (
        <Legend
          entries={series.map(({ name, emphasis }) => ({
            name,
            look: emphasis === 'front' ? 'line' : 'faint',
          }))}
          onLift={setLifted}
        />
      ) : null}
    </>
  );
}

function optionsFor(
  theme: Theme,
  window: Window,
  logarithmic: boolean,
  horizontal: LineChartProperties['horizontal'],
  verticalTitle: string,
): ChartOptions<'line'> {
  const look = axisLook(theme);
  return {
    ...lineOptions(),
    normalized: true,
    layout: { padding: { top: 6, right: 8 } },
    interaction: { mode: 'nearest', axis: 'x', intersect: false },
    scales: {
      x: {
        ...look,
        type: 'linear',
        min: window.from,
        max: window.to,
        grid: { display: false },
        title: { ...look.title, display: true, text: horizontal.title, align: 'end' },
        ticks: {
          ...look.ticks,
          maxTicksLimit: 6,
          ...(horizontal.whole ? { precision: 0 } : {}),
          includeBounds: false,
          callback: (value) => horizontal.format(Number(value)),
        },
      },
      y: {
        ...look,
        type: logarithmic ? 'logarithmic' : 'linear',
        border: { display: false },
        title: { ...look.title, display: verticalTitle !== '', text: verticalTitle },
        ticks: {
          ...look.ticks,
          maxTicksLimit: 5,
          ...(logarithmic ? {} : { callback: (value: number | string) => formatNumber(Number(value)) }),
        },
      },
    },
    plugins: {
      tooltip: lineTooltip(theme, {
        title: ({ parsed }) => `${horizontal.title} ${horizontal.format(parsed.x ?? Number.NaN)}`,
        value: ({ parsed }) => formatNumber(parsed.y ?? Number.NaN),
      }),
    },
  };
}

/** The part of the x axis that the curves cover; never of no length. */
function extentOf(series: readonly Curve[]): Window {
  const from = Math.min(...series.map(({ xs }) => xs[0] ?? Number.POSITIVE_INFINITY));
  const to = Math.max(...series.map(({ xs }) => xs.at(-1) ?? Number.NEGATIVE_INFINITY));
  if (!(from <= to)) return { from: 0, to: 1 };
  return from === to ? { from: from - 0.5, to: to + 0.5 } : { from, to };
}
