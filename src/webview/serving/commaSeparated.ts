import type { LoadTestStep } from '../../protocol/loadTest.ts';

/** The steps of a load test as CSV with exact numbers; the columns are named as programs name them. */
export function commaSeparated(steps: readonly LoadTestStep[]): string {
  const header = [
    'rate',
    'sent',
    'errors',
    'answered_per_second',
    'latency_p50_ms',
    'latency_p95_ms',
    'latency_p99_ms',
    'latency_max_ms',
    'sent_late_p99_ms',
    'within_limit',
  ];
  const rows = steps.map((step) => [
    step.rate,
    step.sentCount,
    step.errorCount,
    step.answeredRate,
    step.latencyP50 ?? '',
    step.latencyP95 ?? '',
    step.latencyP99 ?? '',
    step.latencyMax ?? '',
    step.lateP99,
    step.holds,
  ]);
  return `${[header, ...rows].map((row) => row.join(',')).join('\n')}\n`;
}
