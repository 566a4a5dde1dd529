import type { Chart, Plugin } from 'chart.js';
import type { UndrawablePoint } from './decimation.ts';
import type { Theme } from './theme.ts';

const size = 4;

/** Marks points that have no height: a cross at the foot for NaN, a triangle at the edge beyond which the value lies. */
export function createUndrawableMarks(
  current: () => { readonly marks: readonly UndrawablePoint[]; readonly theme: Theme },
): Plugin<'line'> {
  return {
    id: 'undrawableMarks',
    afterDatasetsDraw(chart) {
      const { marks, theme } = current();
      const context = chart.ctx;
      context.save();
      context.strokeStyle = theme.warning;
      context.fillStyle = theme.warning;
      context.lineWidth = 1.5;
      for (const mark of marks) drawMark(chart, context, mark);
      context.restore();
    },
  };
}

function drawMark(chart: Chart<'line'>, context: CanvasRenderingContext2D, mark: UndrawablePoint): void {
  const { left, right, top, bottom } = chart.chartArea;
  const x = chart.scales.x?.getPixelForValue(mark.x) ?? Number.NaN;
  if (!(x >= left && x <= right)) return;
  context.beginPath();
  if (mark.kind === 'nan') {
    const y = bottom - size - 2;
    context.moveTo(x - size, y - size);
    context.lineTo(x + size, y + size);
    context.moveTo(x - size, y + size);
    context.lineTo(x + size, y - size);
    context.stroke();
    return;
  }
  const tip = mark.kind === 'above' ? top + 1 : bottom - 1;
  const base = mark.kind === 'above' ? tip + size * 2 : tip - size * 2;
  context.moveTo(x, tip);
  context.lineTo(x - size, base);
  context.lineTo(x + size, base);
  context.closePath();
  context.fill();
}
