import type { ChartDataset, ChartOptions, Plugin, TooltipItem } from 'chart.js';
import type { Ref, RefObject } from 'preact';
import { useEffect, useImperativeHandle, useRef } from 'preact/hooks';
import { createKeyboardReading } from './chartKeyboard.ts';
import { Chart, pictureOf, tooltipLook } from './chartParts.ts';
import { createChartZoom } from './chartZoom.ts';
import type { Window } from './decimation.ts';
import { locale } from './localization.ts';
import type { Theme } from './theme.ts';

/** What a chart can do for buttons that stand elsewhere. */
export interface ChartHandle {
  /** The chart as it is seen, as a data URL of a PNG. */
  picture(): string;
}

export interface LineDrawingProperties {
  readonly theme: Theme;
  readonly handle: Ref<ChartHandle>;
  /** What is drawn besides curves. Made once, so it looks up what it draws. */
  readonly plugin: () => Plugin<'line'>;
  /** Gets the part of the x axis that was dragged over, and null for the whole; without it nothing can be zoomed. */
  readonly onZoom?: (window: Window | null) => void;
}

export interface LineDrawing {
  readonly canvas: RefObject<HTMLCanvasElement | null>;
  /** Draws curves in place of those that were drawn, without a redraw that jumps. */
  draw(curves: readonly ChartDataset<'line'>[], options: ChartOptions<'line'>): void;
}

/** A chart of curves that lives as long as its canvas. Dragging zooms, the arrow keys read point by point. */
export function useLineDrawing({ theme, handle, plugin, onZoom }: LineDrawingProperties): LineDrawing {
  const canvas = useRef<HTMLCanvasElement>(null);
  const chart = useRef<Chart<'line'> | null>(null);
  const latest = useRef({ theme, onZoom });
  latest.current = { theme, onZoom };

  useEffect(() => {
    if (!canvas.current) return;
    const zoom = (window: Window | null) => latest.current.onZoom?.(window);
    const zooming = onZoom && createChartZoom(() => latest.current.theme, zoom);
    const made = new Chart<'line'>(canvas.current, {
      type: 'line',
      data: { datasets: [] },
      plugins: [plugin(), ...(zooming ? [zooming.plugin] : [])],
    });
    chart.current = made;
    const stopZooming = zooming?.attach(made);
    const stopReading = createKeyboardReading(made, () => zoom(null));
    return () => {
      stopReading();
      stopZooming?.();
      made.destroy();
      chart.current = null;
    };
  }, []);

  useImperativeHandle(
    handle,
    () => ({ picture: () => (chart.current ? pictureOf(chart.current.canvas, theme) : '') }),
    [theme],
  );

  return {
    canvas,
    draw(curves, options) {
      const made = chart.current;
      if (!made) return;
      for (const [index, curve] of curves.entries()) {
        const held = made.data.datasets[index];
        if (held) Object.assign(held, curve);
        else made.data.datasets.push(curve);
      }
      made.data.datasets.length = curves.length;
      made.options = options;
      made.update('none');
    },
  };
}

/** What the options of all charts of curves have in common. */
export function lineOptions() {
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    parsing: false,
    locale: locale(),
  } as const satisfies ChartOptions<'line'>;
}

/** The box that names the values under the pointer, each with the colour of its curve. */
export function lineTooltip(
  theme: Theme,
  words: {
    readonly title: (item: TooltipItem<'line'>) => string;
    readonly value: (item: TooltipItem<'line'>) => string;
  },
) {
  return {
    ...tooltipLook(theme),
    callbacks: {
      title: ([item]: TooltipItem<'line'>[]) => (item ? words.title(item) : ''),
      labelColor: ({ dataset }: TooltipItem<'line'>) => ({
        backgroundColor: String(dataset.borderColor),
        borderColor: 'transparent',
        borderWidth: 0,
      }),
      label: (item: TooltipItem<'line'>) => ` ${item.dataset.label}: ${words.value(item)}`,
    },
  };
}
