import * as l10n from '@vscode/l10n';
import type { ChartDataset, ChartOptions, Plugin } from 'chart.js';
import type { Ref } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { LoadTestStep } from '../../protocol/loadTest.ts';
import { axisLook, smallFont } from '../components/chartParts.ts';
import { Legend } from '../components/legend.tsx';
import { type ChartHandle, lineOptions, lineTooltip, useLineDrawing } from '../components/lineDrawing.ts';
import { formatLatency, formatRate } from '../components/numbers.ts';
import type { Theme } from '../components/theme.ts';

const curves = [
  { name: 'p50', look: 'line', dash: [], of: (step: LoadTestStep) => step.latencyP50 },
  { name: 'p95', look: 'dashed', dash: [6, 3], of: (step: LoadTestStep) => step.latencyP95 },
  { name: 'p99', look: 'dotted', dash: [2, 3], of: (step: LoadTestStep) => step.latencyP99 },
] as const;

/** Pixels between the beginnings of two labels. */
const narrowest = 44;

/** Latency against rate, both on logarithmic axes, with the limit; rates that do not hold are marked. */
export function LoadChart(properties: {
  readonly steps: readonly LoadTestStep[];
  /** Milliseconds. */
  readonly limit: number;
  readonly theme: Theme;
  readonly description: string;
  readonly handle: Ref<ChartHandle>;
}) {
  const { limit, theme, description, handle } = properties;
  const steps = useMemo(
    () => [...properties.steps].sort((one, other) => one.rate - other.rate),
    [properties.steps],
  );
  const [lifted, setLifted] = useState<string | null>(null);
  const latest = useRef({ limit, theme });
  latest.current = { limit, theme };
  const plugin = () => limitLine(() => latest.current);
  const { canvas, draw } = useLineDrawing({ theme, handle, plugin });

  useEffect(() => {
    const drawn = curves.map(({ name, dash, of }): ChartDataset<'line'> => {
      const color = lifted === null || lifted === name ? theme.current : theme.currentFaint;
      return {
        label: name,
        data: steps.map((step) => ({ x: step.rate, y: of(step) ?? Number.NaN })),
        borderColor: color,
        borderDash: [...dash],
        borderWidth: 1.5,
        pointRadius: 3.5,
        pointHoverRadius: 5,
        pointStyle: steps.map(({ holds }) => (holds ? 'circle' : 'crossRot')),
        pointBackgroundColor: color,
        pointBorderColor: steps.map(({ holds }) => (holds ? color : theme.error)),
        pointBorderWidth: steps.map(({ holds }) => (holds ? 0 : 2)),
      };
    });
    draw(drawn, optionsFor(theme, steps, limit));
  }, [steps, theme, limit, lifted]);

  return (
    <>
      <div class="chart load-chart">
        <canvas ref={canvas} role="img" aria-label={description} tabIndex={0} />
      </div>
      <Legend entries={curves.map(({ name, look }) => ({ name, look }))} onLift={setLifted} />
    </>
  );
}

function optionsFor(theme: Theme, steps: readonly LoadTestStep[], limit: number): ChartOptions<'line'> {
  const look = axisLook(theme);
  const rates = steps.map(({ rate }) => rate);
  const heights = steps.flatMap((step) => curves.flatMap(({ of }) => of(step) ?? []));
  return {
    ...lineOptions(),
    layout: { padding: { top: 8, right: 12 } },
    interaction: { mode: 'index', axis: 'x', intersect: false },
    scales: {
      x: {
        ...look,
        type: 'logarithmic',
        min: Math.min(...rates) * 0.8,
        max: Math.max(...rates) * 1.25,
        grid: { display: false },
        title: { ...look.title, display: true, text: l10n.t('Requests a second (log scale)'), align: 'end' },
        // The rates that were tried are the ones to read.
        afterBuildTicks(axis) {
          const pixels = axis.width / Math.log(axis.max / axis.min);
          let taken = Number.NEGATIVE_INFINITY;
          axis.ticks = rates
            .filter((rate) => {
              const place = Math.log(rate) * pixels;
              const fits = place - taken >= narrowest;
              if (fits) taken = place;
              return fits;
            })
            .map((value) => ({ value }));
        },
        ticks: { ...look.ticks, autoSkip: false, callback: (value) => formatRate(Number(value)) },
      },
      y: {
        ...look,
        type: 'logarithmic',
        min: powerBelow(Math.min(limit, ...heights)),
        max: powerAbove(Math.max(limit, ...heights)),
        border: { display: false },
        title: { ...look.title, display: true, text: l10n.t('Latency (log scale)') },
        afterBuildTicks(axis) {
          axis.ticks = axis.ticks.filter(({ value }) => Number.isInteger(Math.log10(value)));
        },
        ticks: { ...look.ticks, callback: (value) => formatLatency(Number(value)) },
      },
    },
    plugins: {
      tooltip: lineTooltip(theme, {
        title: ({ parsed }) => formatRate(parsed.x ?? 0),
        value: ({ parsed }) => formatLatency(parsed.y ?? Number.NaN),
      }),
    },
  };
}

/** Powers of ten around the values, with a little room: a curve at the very edge is hard to see. */
function powerBelow(value: number): number {
  return 10 ** Math.floor(Math.log10(value * 0.9));
}

function powerAbove(value: number): number {
  return 10 ** Math.ceil(Math.log10(value * 1.1));
}

function limitLine(current: () => { readonly limit: number; readonly theme: Theme }): Plugin<'line'> {
  return {
    id: 'limitLine',
    beforeDatasetsDraw(chart) {
      const { limit, theme } = current();
      const y = chart.scales.y?.getPixelForValue(limit) ?? Number.NaN;
      const { left, right } = chart.chartArea;
      if (!Number.isFinite(y)) return;
      const context = chart.ctx;
      const { family, size } = smallFont(theme);
      context.save();
      context.strokeStyle = theme.warning;
      context.fillStyle = theme.warning;
      context.setLineDash([4, 4]);
      context.beginPath();
      context.moveTo(left, y);
      context.lineTo(right, y);
      context.stroke();
      context.font = `${size}px ${family}`;
      context.textBaseline = 'bottom';
      context.fillText(l10n.t('limit {latency}', { latency: formatLatency(limit) }), left + 4, y - 2);
      context.restore();
    },
  };
}
