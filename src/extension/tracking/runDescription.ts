import { l10n, type MarkdownString, ThemeColor, ThemeIcon } from 'vscode';
import type { MetricValue, RunStatus, RunSummary } from '../../protocol/tracking.ts';
import type { Formats } from '../views/formats.ts';
import { type TooltipRow, tooltipOf } from '../views/tooltips.ts';

/** How runs read in trees and quick picks alike. */

/** Such as "0.9312 accuracy": the value first, because a narrow side bar cuts off the end. */
export function metricText(metric: MetricValue | null, formats: Formats): string | null {
  return metric && `${formats.metric(metric.value)} ${metric.key}`;
}

/** Such as "0.9312 accuracy · 3 min ago". */
export function runDescription(run: RunSummary, formats: Formats): string {
  const age = run.status === 'RUNNING' ? l10n.t('running') : formats.age(run.startTime);
  return [metricText(run.mainMetric, formats), age].filter((part) => part !== null).join(' · ');
}

export function runTooltip(run: RunSummary, formats: Formats): MarkdownString {
  const rows: TooltipRow[] = [
    [l10n.t('Status'), statusText(run.status)],
    [l10n.t('Started'), formats.moment(run.startTime)],
  ];
  if (run.endTime !== null) rows.push([l10n.t('Duration'), formats.duration(run.endTime - run.startTime)]);
  if (run.mainMetric) rows.push([run.mainMetric.key, formats.metric(run.mainMetric.value)]);
  rows.push([l10n.t('Run ID'), run.runId]);
  return tooltipOf(run.name, rows);
}

export function statusText(status: RunStatus): string {
  switch (status) {
    case 'RUNNING':
      return l10n.t('running');
    case 'SCHEDULED':
      return l10n.t('scheduled');
    case 'FINISHED':
      return l10n.t('finished');
    case 'FAILED':
      return l10n.t('failed');
    case 'KILLED':
      return l10n.t('killed');
  }
}

export function statusIcon(status: RunStatus): ThemeIcon {
  switch (status) {
    case 'RUNNING':
      return new ThemeIcon('sync~spin', new ThemeColor('charts.blue'));
    case 'SCHEDULED':
      return new ThemeIcon('clock');
    case 'FINISHED':
      return new ThemeIcon('pass', new ThemeColor('charts.green'));
    case 'FAILED':
      return new ThemeIcon('error', new ThemeColor('charts.red'));
    case 'KILLED':
      return new ThemeIcon('circle-slash', new ThemeColor('charts.yellow'));
  }
}
