import * as l10n from '@vscode/l10n';
import { useRef } from 'preact/hooks';
import type { LoadTestReport, LoadTestStep } from '../../protocol/loadTest.ts';
import { Icon, IconButton } from '../components/icon.tsx';
import type { ChartHandle } from '../components/lineDrawing.ts';
import { formatCount, formatLatency, formatRate } from '../components/numbers.ts';
import { useHost } from '../components/page.tsx';
import { SavePictureButton } from '../components/savePictureButton.tsx';
import type { Theme } from '../components/theme.ts';
import { commaSeparated } from './commaSeparated.ts';
import { CopyTable, FigureTable } from './figureTable.tsx';
import { LoadChart } from './loadChart.tsx';

/** What a load test found so far: the verdict, latency against rate, and the figures. */
export function LoadTestResult(properties: {
  readonly endpoint: string;
  readonly steps: readonly LoadTestStep[];
  readonly report: LoadTestReport | null;
  readonly running: boolean;
  /** Milliseconds. */
  readonly limit: number;
  readonly theme: Theme;
}) {
  const { endpoint, steps, report, running, limit, theme } = properties;
  const host = useHost();
  const chart = useRef<ChartHandle>(null);
  const verdict = verdictOf(steps, report, running, limit);
  const title = l10n.t('Load Test');
  const sorted = [...steps].sort((one, other) => one.rate - other.rate);
  const late = sorted.filter(isOwnDelay);
  const table = {
    columns: [
      { name: l10n.t('Rate') },
      { name: l10n.t('Within the limit') },
      { name: l10n.t('Sent'), figure: true },
      { name: l10n.t('Errors'), figure: true },
      { name: l10n.t('Answered a second'), figure: true },
      { name: 'p50', figure: true },
      { name: 'p95', figure: true },
      { name: 'p99', figure: true },
      { name: l10n.t('Longest'), figure: true },
    ],
    rows: sorted.map((step) => ({
      key: String(step.rate),
      cells: [
        formatRate(step.rate),
        step.holds ? l10n.t('yes') : l10n.t('no'),
        formatCount(step.sentCount),
        formatCount(step.errorCount),
        formatRate(step.answeredRate),
        ...[step.latencyP50, step.latencyP95, step.latencyP99, step.latencyMax].map((value) =>
          value === null ? '–' : formatLatency(value),
        ),
      ],
      icon: <Icon name={step.holds ? 'pass' : 'error'} tone={step.holds ? 'good' : 'error'} />,
    })),
  };
  return (
    <div class="load-result">
      <header class="card-header load-header">
        <h3>
          <Icon name={verdict.icon} tone={verdict.tone} />
          {verdict.text}
        </h3>
        <span class="visually-hidden" role="status">
          {running ? '' : verdict.text}
        </span>
        <SavePictureButton chart={chart} name={`${endpoint}-${title}`} />
        <IconButton
          icon="export"
          label={l10n.t('Save as CSV')}
          onClick={() =>
            host.act({ action: 'saveTable', name: `${endpoint}-${title}`, text: commaSeparated(sorted) })
          }
        />
        <CopyTable title={title} table={table} />
      </header>
      <LoadChart steps={steps} limit={limit} theme={theme} handle={chart} description={verdict.text} />
      {late.length > 0 ? (
        <p class="card-note">
          <Icon name="warning" tone="warning" />
          {l10n.t(
            'At {rates} this computer was late to send by up to {delay}, a good part of the latency: it is busy, or too slow for this rate.',
            {
              rates: late.map(({ rate }) => formatRate(rate)).join(', '),
              delay: formatLatency(Math.max(...late.map(({ lateP99 }) => lateP99))),
            },
          )}
        </p>
      ) : null}
      <FigureTable {...table} />
    </div>
  );
}

/** Whether a good part of the latencies is the test's own lateness. */
function isOwnDelay({ lateP99, latencyP99 }: LoadTestStep): boolean {
  return lateP99 > 1 && latencyP99 !== null && lateP99 > latencyP99 / 3;
}

function verdictOf(
  steps: readonly LoadTestStep[],
  report: LoadTestReport | null,
  running: boolean,
  limit: number,
): { readonly icon: string; readonly tone: string; readonly text: string } {
  const latency = formatLatency(limit);
  if (running) {
    const last = steps.at(-1);
    return {
      icon: 'loading codicon-modifier-spin',
      tone: 'running',
      text: l10n.t('{rate} done, p99 {latency}', {
        rate: formatRate(last?.rate ?? 0),
        latency: last?.latencyP99 ? formatLatency(last.latencyP99) : '–',
      }),
    };
  }
  if (report === null) return { icon: 'circle-slash', tone: 'muted', text: l10n.t('Stopped before its end') };
  if (report.highestRate === null) {
    return {
      icon: 'error',
      tone: 'error',
      text: l10n.t('Not even the first rate stays within {latency} at p99', { latency }),
    };
  }
  const rate = formatRate(report.highestRate);
  return report.steps.every(({ holds }) => holds)
    ? {
        icon: 'pass',
        tone: 'good',
        text: l10n.t('{rate}, the highest that was tried, stays within {latency} at p99', { rate, latency }),
      }
    : {
        icon: 'pass',
        tone: 'good',
        text: l10n.t('Up to {rate} stay within {latency} at p99', { rate, latency }),
      };
}
