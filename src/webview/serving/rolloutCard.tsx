import * as l10n from '@vscode/l10n';
import type { EndpointPageCommand } from '../../protocol/page.ts';
import type { CheckOutcome, EndpointState, RolloutSummary } from '../../protocol/serving.ts';
import { Icon } from '../components/icon.tsx';
import { formatCount, formatPValue, formatShare } from '../components/numbers.ts';
import { useHost } from '../components/page.tsx';
import { formatDuration } from '../components/times.ts';
import { CopyTable, FigureTable } from './figureTable.tsx';
import { saidText } from './saidText.ts';
import { checkName, checkValue, hasEnoughSamples, strategyName, verdictName } from './servingWording.ts';

/** The rollout that is under way: how far it is, what its checks see, and the buttons that decide it. */
export function RolloutCard(properties: {
  readonly rollout: RolloutSummary;
  /** How its endpoint stands: while that does not answer, a rollout waits. */
  readonly endpointState: EndpointState;
  readonly now: number;
  readonly trusted: boolean;
}) {
  const { rollout, endpointState, now, trusted } = properties;
  const { candidateVersion, stableVersion, state, reason, checks } = rollout;
  const host = useHost();
  const run = (command: EndpointPageCommand) => () => host.act({ action: 'endpointCommand', command });
  const title = trusted ? '' : l10n.t('Trust this workspace to start something in it.');
  const paused = state === 'paused';
  const waiting = waitingText(endpointState);
  return (
    <section class={`rollout rollout-${state}`} aria-label={l10n.t('Rollout')}>
      <header class="rollout-header">
        <div>
          <h2>
            <Icon
              name={paused || waiting !== null ? 'debug-pause' : 'sync codicon-modifier-spin'}
              tone={paused ? 'warning' : waiting === null ? 'running' : 'muted'}
            />
            {l10n.t('Version {candidate} beside version {stable}', {
              candidate: candidateVersion,
              stable: stableVersion,
            })}
          </h2>
          <p class="facts">
            <span>{strategyName(rollout.strategy)}</span>
            <span>{placeOf(rollout)}</span>
            {waiting === null ? (
              <span>{l10n.t('for {duration}', { duration: formatDuration(now - rollout.stepSince) })}</span>
            ) : null}
          </p>
        </div>
        <div class="actions">
          <vscode-button disabled={!trusted} title={title} onClick={run('rollBackRollout')}>
            {l10n.t('Roll Back')}
          </vscode-button>
          <vscode-button
            secondary
            disabled={!trusted}
            title={title}
            onClick={run(paused ? 'resumeRollout' : 'pauseRollout')}
          >
            {paused ? l10n.t('Resume') : l10n.t('Pause')}
          </vscode-button>
          <vscode-button secondary disabled={!trusted} title={title} onClick={run('promoteCandidate')}>
            {l10n.t('Promote Now…')}
          </vscode-button>
        </div>
      </header>
      {rollout.stepCount > 1 ? <Steps rollout={rollout} /> : null}
      {/* One that was paused stays so when the endpoint runs again. */}
      {waiting === null || paused ? null : (
        <p class="rollout-reason" role="status">
          <Icon name="debug-pause" />
          {waiting}
        </p>
      )}
      {reason === null ? null : (
        <p class="rollout-reason" role="status">
          <Icon name="info" />
          {saidText(reason)}
        </p>
      )}
      {checks.length === 0 ? (
        <p class="nothing">{l10n.t('The checks have not looked yet.')}</p>
      ) : (
        <Checks checks={checks} />
      )}
    </section>
  );
}

/** Why a rollout goes on with nothing now; null while its endpoint answers. */
function waitingText(state: EndpointState): string | null {
  switch (state) {
    case 'ready':
      return null;
    case 'starting':
      return l10n.t('The rollout waits until the endpoint is ready, and goes on from here.');
    case 'stopped':
      return l10n.t(
        'The rollout is paused because the endpoint is stopped. It goes on from here when the endpoint runs again.',
      );
    case 'failed':
      return l10n.t(
        'The rollout waits because the endpoint failed. It goes on from here when the endpoint runs again.',
      );
  }
}

function placeOf({ strategy, step, stepCount, share }: RolloutSummary): string {
  const shareText = formatShare(share);
  if (strategy === 'shadow') return l10n.t('hears {share} of the requests', { share: shareText });
  return stepCount > 1
    ? l10n.t('step {step} of {steps}, {share} of the requests', {
        step: step + 1,
        steps: stepCount,
        share: shareText,
      })
    : l10n.t('{share} of the requests', { share: shareText });
}

function Steps({ rollout: { step, stepCount } }: { readonly rollout: RolloutSummary }) {
  const label = l10n.t('Step {step} of {steps}', { step: step + 1, steps: stepCount });
  return (
    <div
      class="steps"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={stepCount}
      aria-valuenow={step + 1}
    >
      {Array.from({ length: stepCount }, (_, index) => (
        <span
          key={index}
          class={index < step ? 'step step-done' : index === step ? 'step step-now' : 'step'}
        />
      ))}
    </div>
  );
}

function Checks({ checks }: { readonly checks: readonly CheckOutcome[] }) {
  const table = {
    columns: [
      { name: l10n.t('Check') },
      { name: l10n.t('Verdict') },
      { name: l10n.t('Candidate'), figure: true },
      { name: l10n.t('Stable'), figure: true },
      { name: l10n.t('Samples'), figure: true },
      { name: l10n.t('p-value'), figure: true },
    ],
    rows: checks.map((check, place) => ({
      key: `${place} ${check.metric}`,
      cells: cellsOf(check),
      detail: saidText(check.said),
      icon: <Icon {...verdictIcon(check)} />,
    })),
  };
  return (
    <>
      <FigureTable {...table} />
      <div class="table-actions">
        <CopyTable title={l10n.t('Checks')} table={table} />
      </div>
    </>
  );
}

function cellsOf(check: CheckOutcome): readonly string[] {
  const { metric, candidateSamples, stableSamples, minimumSamples, pValue, dryRun } = check;
  const samples = `${formatCount(candidateSamples)} / ${formatCount(stableSamples)}`;
  const enough = hasEnoughSamples(check);
  return [
    dryRun ? l10n.t('{check} (only told)', { check: checkName(metric) }) : checkName(metric),
    verdictName(check),
    checkValue(metric, check.candidateValue),
    checkValue(metric, check.stableValue),
    enough ? samples : l10n.t('{samples} of {needed} each', { samples, needed: formatCount(minimumSamples) }),
    pValue === null ? '–' : formatPValue(pValue).replace(/^p (= )?/, ''),
  ];
}

function verdictIcon({ verdict, dryRun }: CheckOutcome): { readonly name: string; readonly tone: string } {
  switch (verdict) {
    case 'passed':
      return { name: 'pass', tone: 'good' };
    case 'failed':
      return { name: 'error', tone: dryRun ? 'warning' : 'error' };
    case 'inconclusive':
      return { name: 'circle-outline', tone: 'muted' };
  }
}
