import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  Tooltip,
  type TooltipOptions,
} from 'chart.js';
import type { Theme } from './theme.ts';

Chart.register(
  BarController,
  BarElement,
  CategoryScale,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  Tooltip,
);

export { Chart };

/** The look of axes and their labels. */
export function axisLook(theme: Theme) {
  return {
    border: { color: theme.axis },
    grid: { color: theme.grid, drawTicks: false },
    ticks: { color: theme.muted, font: smallFont(theme), padding: 6, maxRotation: 0 },
    title: { color: theme.muted, font: smallFont(theme), padding: 0 },
  };
}

/** The look of the box that names the values under the pointer. */
export function tooltipLook(theme: Theme): Partial<TooltipOptions> {
  return {
    backgroundColor: theme.tooltipBackground,
    titleColor: theme.tooltipForeground,
    bodyColor: theme.tooltipForeground,
    borderColor: theme.tooltipBorder,
    borderWidth: 1,
    cornerRadius: 3,
    padding: 8,
    boxPadding: 4,
    boxWidth: 8,
    boxHeight: 8,
    caretSize: 0,
    caretPadding: 10,
    multiKeyBackground: 'transparent',
    titleFont: smallFont(theme),
    bodyFont: smallFont(theme),
  };
}

export function smallFont(theme: Theme) {
  return { family: theme.font, size: Math.max(10, theme.fontSize - 2), weight: 'normal' as const };
}

/** The picture of a chart on the page's background, as a data URL of a PNG. */
export function pictureOf(canvas: HTMLCanvasElement, theme: Theme): string {
  const picture = document.createElement('canvas');
  picture.width = canvas.width;
  picture.height = canvas.height;
  const context = picture.getContext('2d');
  if (!context) throw new Error('This browser cannot draw.');
  context.fillStyle = theme.background;
  context.fillRect(0, 0, picture.width, picture.height);
  context.drawImage(canvas, 0, 0);
  return picture.toDataURL('image/png');
}
