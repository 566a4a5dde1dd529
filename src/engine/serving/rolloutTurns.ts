import type { RolloutPlan } from '../../protocol/endpointSettings.ts';
import { newCheckProgress } from './rolloutLooks.ts';
import type { Rollout, RolloutProgress } from './rolloutTypes.ts';

/** What must be done for a turn, in this order. */
export type RolloutAction =
  /** Leads requests by the shares of the progress. */
  | { readonly type: 'route' }
  /** The candidate becomes the stable version. */
  | { readonly type: 'promote'; readonly who: string }
  /** Something for the audit trail. */
  | {
      readonly type: 'note';
      readonly kind: RolloutEventKind;
      readonly who: string;
      readonly sentence: string;
    };

export type RolloutEventKind =
  | 'rolloutStarted'
  | 'stepped'
  | 'shareChanged'
  | 'checkFailed'
  | 'paused'
  | 'resumed'
  | 'promoted'
  | 'rolledBack';

export interface Turn {
  readonly progress: RolloutProgress;
  readonly actions: readonly RolloutAction[];
}

/** Who decides when nobody does. */
export const analysis = 'analysis';

/** Before the first turn: nothing is led to the candidate. */
export function notBegun(plan: RolloutPlan, now: number): RolloutProgress {
  return {
    state: 'running',
    reason: null,
    waitsFor: null,
    step: 0,
    stepSince: now,
    share: 0,
    shadowShare: 0,
    endedAt: null,
    checks: plan.checks.map(() => newCheckProgress),
    goal: plan.strategy === 'abTest' ? newCheckProgress : null,
  };
}

export function isOver({ state }: RolloutProgress): boolean {
  return state === 'promoted' || state === 'rolledBack';
}

export function nextStep(
  rollout: Rollout,
  progress: RolloutProgress,
  who: string,
  why: string,
  now: number,
): Turn {
  const number = progress.step + 1;
  const step = rollout.plan.steps[number];
  if (step === undefined) return promote(rollout, progress, who, why, now);
  const turn: Turn = {
    progress: {
      ...progress,
      state: 'running',
      reason: null,
      waitsFor: null,
      step: number,
      stepSince: now,
      share: step.share / 100,
      checks: rollout.plan.checks.map(() => newCheckProgress),
    },
    actions: [
      { type: 'route' },
      {
        type: 'note',
        kind: 'stepped',
        who,
        sentence: sentenceOf(
          `Version ${rollout.candidateVersion} gets ${step.share} % of the requests (step ${number + 1} of ${rollout.plan.steps.length})`,
          why,
        ),
      },
    ],
  };
  return confirmTurn(rollout, turn);
}

/** A step that asks for a confirmation pauses as soon as its share is set. */
export function confirmTurn(rollout: Rollout, turn: Turn): Turn {
  if (rollout.plan.strategy !== 'canary') return turn;
  if (rollout.plan.steps[turn.progress.step]?.hold !== 'confirm') return turn;
  const paused = pause(turn.progress, 'confirmation', analysis, 'This step asks for a confirmation.');
  return { ...paused, actions: [...turn.actions, ...paused.actions] };
}

export function pause(
  progress: RolloutProgress,
  waitsFor: RolloutProgress['waitsFor'],
  who: string,
  reason: string,
): Turn {
  return {
    progress: { ...progress, state: 'paused', waitsFor, reason },
    actions: [{ type: 'note', kind: 'paused', who, sentence: reason }],
  };
}

export function resume(
  rollout: Rollout,
  progress: RolloutProgress,
  who: string,
  why: string,
  now: number,
): Turn {
  const sentence = sentenceOf(`${who} let it go on`, why);
  const note: RolloutAction = { type: 'note', kind: 'resumed', who, sentence };
  if (progress.waitsFor === 'confirmation') {
    const turn = nextStep(rollout, progress, who, why, now);
    return { ...turn, actions: [note, ...turn.actions] };
  }
  const checks = progress.checks.map((check) => ({ ...check, failures: 0, inconclusives: 0 }));
  const running: RolloutProgress = {
    ...progress,
    state: 'running',
    waitsFor: null,
    reason: null,
    checks,
    // What pauses when its time is over gets that time again.
    stepSince: rollout.plan.strategy === 'canary' ? progress.stepSince : now,
  };
  const isConfirmed = rollout.plan.steps[progress.step]?.hold === 'confirm';
  // A person's pause may have come in place of the one for a confirmation, which is still due.
  const turn = isConfirmed ? confirmTurn(rollout, { progress: running, actions: [] }) : null;
  return turn ? { ...turn, actions: [note, ...turn.actions] } : { progress: running, actions: [note] };
}

export function promote(
  rollout: Rollout,
  progress: RolloutProgress,
  who: string,
  why: string,
  now: number,
): Turn {
  const { candidateVersion } = rollout;
  const reason = sentenceOf(`Version ${candidateVersion} is the stable version now`, why);
  return {
    progress: {
      ...progress,
      state: 'promoted',
      waitsFor: null,
      reason,
      share: 1,
      shadowShare: 0,
      endedAt: now,
    },
    actions: [
      { type: 'route' },
      { type: 'promote', who },
      { type: 'note', kind: 'promoted', who, sentence: reason },
    ],
  };
}

export function rollBack(
  rollout: Rollout,
  progress: RolloutProgress,
  who: string,
  reason: string,
  now: number,
): Turn {
  const sentence = sentenceOf(`Version ${rollout.stableVersion} answers all requests again`, reason);
  return {
    progress: {
      ...progress,
      state: 'rolledBack',
      waitsFor: null,
      reason,
      share: 0,
      shadowShare: 0,
      endedAt: now,
    },
    actions: [{ type: 'route' }, { type: 'note', kind: 'rolledBack', who, sentence }],
  };
}

/** Says what happened, and why where a reason was given. */
export function sentenceOf(what: string, why: string): string {
  const because = why.trim();
  return because === '' ? `${what}.` : `${what}: ${because}`;
}

/** Such as `1 look` and `3 looks`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
