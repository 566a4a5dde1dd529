import type { Chart, Plugin } from 'chart.js';
import type { Window } from './decimation.ts';
import type { Theme } from './theme.ts';

const shortestDrag = 6;

/** Lets the person drag over a part of the x axis to see only that part. */
export interface ChartZoom {
  /** Draws the part that is being dragged over. */
  readonly plugin: Plugin<'line'>;
  /** Listens on the chart's canvas until the returned function is called. */
  attach(chart: Chart<'line'>): () => void;
}

/** @param onZoom gets the chosen part, or null when the whole is wanted again (double click) */
export function createChartZoom(theme: () => Theme, onZoom: (window: Window | null) => void): ChartZoom {
  let drag: { readonly start: number; end: number } | null = null;
  return {
    plugin: {
      id: 'zoomSelection',
      afterDraw(chart) {
        if (!drag) return;
        const { top, bottom } = chart.chartArea;
        chart.ctx.save();
        chart.ctx.globalAlpha = 0.2;
        chart.ctx.fillStyle = theme().current;
        chart.ctx.fillRect(
          Math.min(drag.start, drag.end),
          top,
          Math.abs(drag.end - drag.start),
          bottom - top,
        );
        chart.ctx.restore();
      },
    },
    attach(chart) {
      const canvas = chart.canvas;
      const within = (event: PointerEvent) =>
        Math.min(chart.chartArea.right, Math.max(chart.chartArea.left, event.offsetX));
      const listeners = new AbortController();
      const options = { signal: listeners.signal };
      canvas.addEventListener(
        'pointerdown',
        (event) => {
          if (event.button !== 0) return;
          canvas.setPointerCapture(event.pointerId);
          drag = { start: within(event), end: within(event) };
        },
        options,
      );
      canvas.addEventListener(
        'pointermove',
        (event) => {
          if (!drag) return;
          drag.end = within(event);
          chart.draw();
        },
        options,
      );
      canvas.addEventListener(
        'pointerup',
        () => {
          const finished = drag;
          drag = null;
          const scale = chart.scales.x;
          if (!finished || !scale) return;
          chart.draw();
          if (Math.abs(finished.end - finished.start) < shortestDrag) return;
          const ends = [scale.getValueForPixel(finished.start), scale.getValueForPixel(finished.end)];
          const [from = 0, to = 0] = ends.map((end) => end ?? 0).sort((left, right) => left - right);
          onZoom({ from, to });
        },
        options,
      );
      canvas.addEventListener(
        'pointercancel',
        () => {
          drag = null;
          chart.draw();
        },
        options,
      );
      canvas.addEventListener('dblclick', () => onZoom(null), options);
      return () => listeners.abort();
    },
  };
}
