import { l10n, type MarkdownString, ThemeColor, ThemeIcon } from 'vscode';
import type { MetricValue, RunDetail, RunStatus, RunSummary } from '../../protocol/tracking.ts';
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

export function runTooltip(detail: RunDetail, formats: Formats): MarkdownString {
  const { run } = detail;
  const rows: TooltipRow[] = [
    [l10n.t('Status'), statusText(run.status)],
    [l10n.t('Started'), formats.moment(run.startTime)],
  ];
  if (run.endTime !== null) rows.push([l10n.t('Duration'), formats.duration(run.endTime - run.startTime)]);
  if (run.mainMetric) rows.push([run.mainMetric.key, formats.metric(run.mainMetric.value)]);
  const commit = commitText(detail);
  if (commit !== null) rows.push([l10n.t('Commit'), commit]);
  rows.push([l10n.t('Run ID'), run.runId]);
  return tooltipOf(run.name, rows);
}

/** Such as "9f2c1d7ab3 · main · with changes"; null when no commit is known. */
function commitText({ sourceCommit, sourceBranch, sourceDirty }: RunDetail): string | null {
  if (!sourceCommit) return null;
  const changes = sourceDirty ? l10n.t('with changes') : null;
  return [sourceCommit.slice(0, shownOfCommit), sourceBranch, changes].filter(Boolean).join(' · ');
}

/** As many characters as the page of the run shows. */
const shownOfCommit = 10;

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
