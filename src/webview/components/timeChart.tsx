import type { ChartDataset, ChartOptions, TooltipItem } from 'chart.js';
import type { Ref } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { axisLook } from './chartParts.ts';
import type { Window } from './decimation.ts';
import { Legend } from './legend.tsx';
import { type ChartHandle, lineOptions, lineTooltip, useLineDrawing } from './lineDrawing.ts';
import type { Theme } from './theme.ts';
import { createTimeMarks, type TimeMark } from './timeMarks.ts';
import { formatTimeOfDay } from './times.ts';
import { timeTicks } from './timeTicks.ts';

/** One value for each moment of the chart; null leaves a gap. */
export interface TimeSeries {
  readonly name: string;
  readonly color: string;
  readonly look: 'line' | 'dashed' | 'dotted';
  readonly values: readonly (number | null)[];
}

interface TimeChartProperties {
  /** UTC milliseconds, ascending. */
  readonly times: readonly number[];
  readonly series: readonly TimeSeries[];
  /** Filled and upon one another. */
  readonly stacked: boolean;
  readonly marks: readonly TimeMark[];
  readonly window: Window;
  readonly onZoom: (window: Window | null) => void;
  readonly format: (value: number) => string;
  /** The upper end of the vertical axis, where it is fixed. */
  readonly highest?: number;
  readonly theme: Theme;
  /** Says in words what is drawn. */
  readonly description: string;
  readonly handle: Ref<ChartHandle>;
}

const labelWidth = 90;
const dashes = { line: [], dashed: [6, 3], dotted: [2, 3] } as const;

/** Curves over time to which points are added while one looks. Dragging zooms, the arrow keys read point by point. */
export function TimeChart(properties: TimeChartProperties) {
  const { times, series, stacked, marks, window, format, highest, theme, description, handle } = properties;
  const { onZoom } = properties;
  const [lifted, setLifted] = useState<string | null>(null);
  const latest = useRef({ theme, marks });
  latest.current = { theme, marks };
  const plugin = () => createTimeMarks(() => latest.current);
  const { canvas, draw } = useLineDrawing({ theme, handle, plugin, onZoom });

  useEffect(() => {
    const [from, to] = seenPart(times, window);
    const seen = times.slice(from, to);
    const curves = series.map(({ name, color, look, values }, index): ChartDataset<'line'> => {
      const dimmed = lifted !== null && lifted !== name;
      const drawn = dimmed ? translucent(color, 0.25) : color;
      return {
        label: name,
        data: seen.map((x, place) => ({ x, y: values[from + place] ?? Number.NaN })),
        borderColor: drawn,
        backgroundColor: translucent(color, dimmed ? 0.08 : 0.25),
        borderWidth: 1.5,
        borderDash: [...dashes[look]],
        fill: stacked && (index === 0 ? 'origin' : '-1'),
        pointRadius: seen.map((_, place) => (isAlone(values, from + place) ? 2 : 0)),
        pointBackgroundColor: drawn,
        pointBorderWidth: 0,
        pointHoverRadius: 3,
        pointHoverBackgroundColor: color,
        pointHoverBorderWidth: 0,
        spanGaps: false,
      };
    });
    draw(curves, optionsFor(theme, window, stacked, format, highest));
  }, [times, series, marks, stacked, theme, window, format, highest, lifted]);

  return (
    <>
      <div class="chart">
        <canvas ref={canvas} role="img" aria-label={description} tabIndex={0} />
      </div>
      <Legend entries={series.map(({ name, look, color }) => ({ name, look, color }))} onLift={setLifted} />
    </>
  );
}

function optionsFor(
  theme: Theme,
  window: Window,
  stacked: boolean,
  format: (value: number) => string,
  highest: number | undefined,
): ChartOptions<'line'> {
  const look = axisLook(theme);
  return {
    ...lineOptions(),
    normalized: true,
    layout: { padding: { top: 16, right: 8 } },
    interaction: { mode: 'index', axis: 'x', intersect: false },
    scales: {
      x: {
        ...look,
        type: 'linear',
        min: window.from,
        max: window.to,
        grid: { display: false },
        afterBuildTicks(axis) {
          // A label that reached over an end would move the whole chart as time goes on.
          const room = ((axis.max - axis.min) * labelWidth) / 2 / Math.max(axis.width, 2 * labelWidth);
          const most = Math.max(2, Math.floor(axis.width / labelWidth));
          axis.ticks = timeTicks(axis.min + room, axis.max - room, most).map((value) => ({ value }));
        },
        ticks: { ...look.ticks, callback: (value) => formatTimeOfDay(Number(value)) },
      },
      y: {
        ...look,
        type: 'linear',
        stacked,
        min: 0,
        ...(highest === undefined ? {} : { max: highest }),
        border: { display: false },
        ticks: { ...look.ticks, maxTicksLimit: 5, callback: (value) => format(Number(value)) },
      },
    },
    plugins: {
      filler: { propagate: false },
      tooltip: {
        ...lineTooltip(theme, {
          title: ({ parsed }) => formatTimeOfDay(parsed.x ?? 0),
          value: (item) => format(pointValue(item)),
        }),
        filter: ({ parsed }) => Number.isFinite(parsed.y),
      },
    },
  };
}

/** The places of the first moment in the window, with one before it, and of the end, with one behind. */
function seenPart(times: readonly number[], { from, to }: Window): readonly [number, number] {
  const first = times.findIndex((time) => time >= from);
  const last = times.findLastIndex((time) => time <= to);
  return [Math.max(0, (first === -1 ? times.length : first) - 1), last + 2];
}

/** Whether there is a value between two gaps: no line leads to it, so that only a point shows it. */
function isAlone(values: TimeSeries['values'], place: number): boolean {
  const isGap = (at: number) => (values[at] ?? null) === null;
  return !isGap(place) && isGap(place - 1) && isGap(place + 1);
}

/** The point's own value, also where it is drawn upon others. */
function pointValue({ raw }: TooltipItem<'line'>): number {
  return typeof raw === 'object' && raw !== null && 'y' in raw ? Number(raw.y) : Number.NaN;
}

/** A colour that the browser has resolved to `rgb(...)` or `color(...)`, with an opacity. */
function translucent(color: string, opacity: number): string {
  const [, channels] = /^rgba?\(([\d.]+, [\d.]+, [\d.]+)/.exec(color) ?? [];
  return channels === undefined ? color : `rgba(${channels}, ${opacity})`;
}
