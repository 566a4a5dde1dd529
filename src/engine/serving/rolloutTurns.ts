import type { RolloutPlan } from '../../protocol/endpointSettings.ts';
import { phrase, type Saying } from '../../protocol/servingSentences.ts';
import { newCheckProgress } from './rolloutLooks.ts';
import type { Rollout, RolloutProgress } from './rolloutTypes.ts';

/** What must be done for a turn, in this order. */
export type RolloutAction =
  /** Leads requests by the shares of the progress. */
  | { readonly type: 'route' }
  /** The candidate becomes the stable version. */
  | { readonly type: 'promote'; readonly who: string }
  /** The registry is to say no more that the candidate is what is served. */
  | { readonly type: 'takeBack'; readonly who: string }
  /** Something for the audit trail. */
  | {
      readonly type: 'note';
      readonly kind: RolloutEventKind;
      readonly who: string;
      readonly said: Saying;
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

/** What leads from one turn to the next: where the rollout is, who moves it, why and when. */
export interface Move {
  readonly rollout: Rollout;
  readonly progress: RolloutProgress;
  readonly who: string;
  readonly why: Saying;
  /** UTC milliseconds. */
  readonly now: number;
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
    lookedAt: now,
    share: 0,
    shadowShare: 0,
    endedAt: null,
    checks: plan.checks.map(() => newCheckProgress),
    goal: plan.strategy === 'abTest' ? newCheckProgress : null,
    judgedCrashes: 0,
  };
}

/** Goes on after a time without looks, when the endpoint was stopped or no engine ran: no step has been held meanwhile. */
export function goneOn(progress: RolloutProgress, now: number): RolloutProgress {
  const away = now - (progress.lookedAt ?? now);
  return { ...progress, stepSince: progress.stepSince + away, lookedAt: now };
}

export function isOver({ state }: RolloutProgress): boolean {
  return state === 'promoted' || state === 'rolledBack';
}

export function nextStep(move: Move): Turn {
  const { rollout, progress, who, why, now } = move;
  const { candidateVersion: candidate, plan } = rollout;
  const number = progress.step + 1;
  const step = plan.steps[number];
  if (step === undefined) return promote(move);
  const share = step.share / 100;
  const gets = phrase('getsShare', {
    candidate,
    share: { share },
    step: number + 1,
    steps: plan.steps.length,
  });
  const checks = plan.checks.map(() => newCheckProgress);
  return confirmTurn(rollout, {
    progress: { ...going(progress, now), step: number, share, checks },
    actions: [{ type: 'route' }, note('stepped', who, [gets, ...why])],
  });
}

/** A step that asks for a confirmation pauses as soon as its share is set. */
export function confirmTurn(rollout: Rollout, turn: Turn): Turn {
  if (rollout.plan.strategy !== 'canary') return turn;
  if (rollout.plan.steps[turn.progress.step]?.hold !== 'confirm') return turn;
  const paused = pause(turn.progress, 'confirmation', analysis, [phrase('waitsForConfirmation')]);
  return { ...paused, actions: [...turn.actions, ...paused.actions] };
}

export function pause(
  progress: RolloutProgress,
  waitsFor: RolloutProgress['waitsFor'],
  who: string,
  reason: Saying,
): Turn {
  return {
    progress: { ...progress, state: 'paused', waitsFor, reason },
    actions: [note('paused', who, reason)],
  };
}

export function resume(move: Move): Turn {
  const { rollout, progress, who, why, now } = move;
  const resumed = note('resumed', who, [phrase('resumedBy', { who }), ...why]);
  if (progress.waitsFor === 'confirmation') {
    const turn = nextStep(move);
    return { ...turn, actions: [resumed, ...turn.actions] };
  }
  const { strategy, steps } = rollout.plan;
  const running: RolloutProgress = {
    // What pauses when its time is over gets that time again.
    ...going(progress, strategy === 'canary' ? progress.stepSince : now),
    checks: progress.checks.map((check) => ({ ...check, failures: 0, inconclusives: 0 })),
  };
  const isConfirmed = steps[progress.step]?.hold === 'confirm';
  // A person's pause may have come in place of the one for a confirmation, which is still due.
  const turn = isConfirmed ? confirmTurn(rollout, { progress: running, actions: [] }) : null;
  return turn ? { ...turn, actions: [resumed, ...turn.actions] } : { progress: running, actions: [resumed] };
}

export function promote({ rollout, progress, who, why, now }: Move): Turn {
  const reason = [phrase('isStable', { version: rollout.candidateVersion }), ...why];
  return {
    progress: ended(progress, 'promoted', reason, now),
    actions: [{ type: 'route' }, { type: 'promote', who }, note('promoted', who, reason)],
  };
}

export function rollBack(move: Move): Turn {
  const turn = giveUp(move);
  return { ...turn, actions: [...turn.actions, { type: 'takeBack', who: move.who }] };
}

/** Rolls back because something else is decided for the endpoint: what the registry says is then not about this rollout. */
export function giveUp({ rollout, progress, who, why, now }: Move): Turn {
  const again = phrase('answersAgain', { version: rollout.stableVersion });
  return {
    progress: ended(progress, 'rolledBack', why, now),
    actions: [{ type: 'route' }, note('rolledBack', who, [again, ...why])],
  };
}

function going(progress: RolloutProgress, stepSince: number): RolloutProgress {
  return { ...progress, state: 'running', reason: null, waitsFor: null, stepSince };
}

function ended(
  progress: RolloutProgress,
  state: 'promoted' | 'rolledBack',
  reason: Saying,
  endedAt: number,
): RolloutProgress {
  const share = state === 'promoted' ? 1 : 0;
  return { ...progress, state, waitsFor: null, reason, share, shadowShare: 0, endedAt };
}

export function note(kind: RolloutEventKind, who: string, said: Saying): RolloutAction {
  return { type: 'note', kind, who, said };
}
