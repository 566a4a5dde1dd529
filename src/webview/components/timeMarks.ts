import type { Plugin } from 'chart.js';
import { smallFont } from './chartParts.ts';
import type { Theme } from './theme.ts';

/** Something that happened at a moment, in a word or two. */
export interface TimeMark {
  /** UTC milliseconds. */
  readonly time: number;
  readonly label: string;
  readonly tone: 'plain' | 'good' | 'bad';
}

const gap = 6;

/** Draws what happened as vertical lines with their names above; a name that has no room is left out. */
export function createTimeMarks(
  current: () => { readonly marks: readonly TimeMark[]; readonly theme: Theme },
): Plugin<'line'> {
  return {
    id: 'timeMarks',
    afterDatasetsDraw(chart) {
      const { marks, theme } = current();
      const { left, right, top, bottom } = chart.chartArea;
      const context = chart.ctx;
      const { family, size } = smallFont(theme);
      context.save();
      context.font = `${size}px ${family}`;
      context.textBaseline = 'bottom';
      let taken = Number.POSITIVE_INFINITY;
      // From the newest to the oldest, because the newest are the ones to read.
      for (const { time, label, tone } of [...marks].sort((one, other) => other.time - one.time)) {
        const x = chart.scales.x?.getPixelForValue(time) ?? Number.NaN;
        if (!(x >= left && x <= right)) continue;
        const color = tone === 'bad' ? theme.error : tone === 'good' ? theme.foreground : theme.muted;
        context.strokeStyle = color;
        context.fillStyle = color;
        context.lineWidth = 1;
        context.setLineDash([3, 3]);
        context.beginPath();
        context.moveTo(x, top);
        context.lineTo(x, bottom);
        context.stroke();
        const width = context.measureText(label).width;
        const start = Math.min(Math.max(left, x - width / 2), right - width);
        if (start + width + gap > taken) continue;
        context.fillText(label, start, top - 1);
        taken = start;
      }
      context.restore();
    },
  };
}
