import * as l10n from '@vscode/l10n';
import { useEffect, useState } from 'preact/hooks';
import type { RunDetail, RunStatus, RunSummary } from '../../protocol/tracking.ts';
import { CopyButton } from '../components/copyButton.tsx';
import { Icon } from '../components/icon.tsx';
import { useHost } from '../components/page.tsx';
import { formatAge, formatDuration, formatMoment } from '../components/times.ts';

const icons: Readonly<Record<RunStatus, { readonly name: string; readonly tone: string }>> = {
  RUNNING: { name: 'loading codicon-modifier-spin', tone: 'running' },
  SCHEDULED: { name: 'clock', tone: 'muted' },
  FINISHED: { name: 'pass-filled', tone: 'good' },
  FAILED: { name: 'error', tone: 'error' },
  KILLED: { name: 'circle-slash', tone: 'muted' },
};

/** The title line: what run it is, how it stands, and what can be done with it. */
export function RunHeader({ detail, trusted }: { readonly detail: RunDetail; readonly trusted: boolean }) {
  const host = useHost();
  const { run } = detail;
  const icon = icons[run.status];
  const { parentRunId } = run;
  return (
    <header class="title-line">
      <div class="title">
        <h1>
          <Icon name={icon.name} tone={icon.tone} />
          {run.name}
        </h1>
        <p class="facts">
          <span>{detail.experimentName}</span>
          <span>
            <RunState run={run} />
          </span>
          <span title={formatMoment(run.startTime, 'second')}>
            {l10n.t('Started {age}', { age: formatAge(run.startTime, Date.now()) })}
          </span>
          {detail.user ? <span>{detail.user}</span> : null}
          {detail.lifecycleStage === 'deleted' ? <span class="tone-warning">{l10n.t('Deleted')}</span> : null}
          {parentRunId ? (
            <button
              type="button"
              class="link"
              onClick={() => host.act({ action: 'openRun', runId: parentRunId })}
            >
              {l10n.t('Open Parent Run')}
            </button>
          ) : null}
        </p>
      </div>
      <div class="actions">
        {detail.models.length > 0 ? (
          <vscode-button
            disabled={!trusted}
            title={trusted ? '' : l10n.t('Trust this workspace to register models.')}
            onClick={() => host.act({ action: 'registerModel', runId: run.runId })}
          >
            {l10n.t('Register Model…')}
          </vscode-button>
        ) : null}
        <CopyButton label={l10n.t('Copy Run ID')} text={() => run.runId} labelled />
      </div>
    </header>
  );
}

/** The status in words with the time that it took so far. */
function RunState({ run }: { readonly run: RunSummary }) {
  const now = useNow(run.endTime === null && run.status === 'RUNNING');
  const duration = formatDuration((run.endTime ?? now) - run.startTime);
  switch (run.status) {
    case 'RUNNING':
      return l10n.t('Running for {duration}', { duration });
    case 'SCHEDULED':
      return l10n.t('Scheduled');
    case 'FINISHED':
      return l10n.t('Finished in {duration}', { duration });
    case 'FAILED':
      return l10n.t('Failed after {duration}', { duration });
    case 'KILLED':
      return l10n.t('Stopped after {duration}', { duration });
  }
}

/** The time now in UTC milliseconds; while `active`, anew each second. */
function useNow(active: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!active) return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [active]);
  return now;
}
