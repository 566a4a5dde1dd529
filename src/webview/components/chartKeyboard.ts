import type { Chart, ChartType } from 'chart.js';

/**
 * Reads a focused chart point by point: the arrow keys move, Home and End go to the ends, Escape shows the whole again.
 * Gives the function that stops it.
 */
export function createKeyboardReading<Type extends ChartType, Data>(
  chart: Chart<Type, Data>,
  onEscape: () => void,
): () => void {
  const listeners = new AbortController();
  const canvas = chart.canvas;
  let place = -1;

  function show(index: number): void {
    place = index;
    const elements = chart.data.datasets.flatMap((_, datasetIndex) =>
      chart.getDatasetMeta(datasetIndex).data[index] ? [{ datasetIndex, index }] : [],
    );
    const element = chart.getDatasetMeta(0).data[index];
    chart.setActiveElements(index < 0 ? [] : elements);
    chart.tooltip?.setActiveElements(index < 0 ? [] : elements, { x: element?.x ?? 0, y: element?.y ?? 0 });
    chart.draw();
  }

  function onKey(event: KeyboardEvent): void {
    const last = chart.getDatasetMeta(0).data.length - 1;
    const target = {
      ArrowRight: Math.min(last, place + 1),
      ArrowLeft: Math.max(0, place - 1),
      Home: 0,
      End: last,
    }[event.key];
    if (target !== undefined && last >= 0) {
      event.preventDefault();
      show(target);
    } else if (event.key === 'Escape') {
      show(-1);
      onEscape();
    }
  }

  canvas.addEventListener('keydown', onKey, { signal: listeners.signal });
  canvas.addEventListener('blur', () => show(-1), { signal: listeners.signal });
  return () => listeners.abort();
}
