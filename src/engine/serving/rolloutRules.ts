import type { RolloutPlan } from '../../protocol/endpointSettings.ts';
import { because, type Phrase, phrase, type Saying } from '../../protocol/servingSentences.ts';
import { probabilityOfBetterReward } from '../../statistics/betterArm.ts';
import { lookAtChecks, lookAtGoal } from './rolloutLooks.ts';
import { type RolloutObservation, withBaseline } from './rolloutObservation.ts';
import {
  analysis,
  confirmTurn,
  giveUp as giveUpTurn,
  isOver,
  type Move,
  nextStep,
  notBegun,
  note,
  pause,
  promote,
  type RolloutAction,
  resume,
  rollBack,
  type Turn,
} from './rolloutTurns.ts';
import type { Rollout, RolloutProgress } from './rolloutTypes.ts';

/**
 * The rules of rollouts, without clocks, processes or files: how far one is, what was seen, what was decided and what time
 * it is give how far it is next, and what must be done.
 */

export interface Decision {
  readonly decision: 'promote' | 'rollBack' | 'pause' | 'resume';
  readonly who: string;
  readonly why: string;
  /** The version that comes in instead, where that is why. */
  readonly replacement?: number | undefined;
}

/** Why a person decided so; nothing when they gave no reason. */
export function reasonOf({ why, replacement }: Decision): Saying {
  const comes = replacement === undefined ? [] : [phrase('takesItsPlace', { version: replacement })];
  return [...comes, ...because(why)];
}

/** A bandit leaves each version so much of the requests, or it would never hear that it was wrong. */
const leastBanditShare = 0.01;
/** Shares that differ by less are not worth an event. */
const notedShareChange = 0.05;

/** The first turn: the candidate is loaded and warm. */
export function begin(rollout: Rollout, who: string, why: Saying, now: number): Turn {
  const { plan } = rollout;
  const shadow = plan.strategy === 'shadow';
  const progress: RolloutProgress = {
    ...notBegun(plan, now),
    share: shadow ? 0 : firstShare(plan),
    shadowShare: shadow ? plan.share / 100 : 0,
  };
  const started: RolloutAction = note('rolloutStarted', who, [comesIn(rollout), ...why]);
  if (plan.strategy === 'direct') {
    const promoted = promote(byAnalysis(rollout, progress, [phrase('planIsDirect')], now));
    return { ...promoted, actions: [started, ...promoted.actions] };
  }
  return confirmTurn(rollout, { progress, actions: [started, { type: 'route' }] });
}

/** A look at what was seen since the step began. */
export function look(
  rollout: Rollout,
  progress: RolloutProgress,
  observed: RolloutObservation,
  now: number,
): Turn {
  if (isOver(progress)) return { progress, actions: [] };
  const { plan } = rollout;
  const seen = withBaseline(observed, progress.share);
  const looked: RolloutProgress = {
    ...progress,
    checks: lookAtChecks(rollout, progress, seen, isWaitedFor(plan, progress, now)),
    goal: progress.goal && lookAtGoal(rollout, progress.goal, seen),
  };
  // Whoever paused it decides what happens next.
  if (progress.waitsFor === 'person') return { progress: looked, actions: [] };

  const failed = failureOf(rollout, looked, seen);
  if (failed !== null) {
    const turn = rollBack(byAnalysis(rollout, looked, failed, now));
    return { ...turn, actions: [...turn.actions, note('checkFailed', analysis, failed)] };
  }
  if (progress.state === 'paused') return { progress: looked, actions: [] };
  if (seen.crashes.unknown > looked.judgedCrashes) {
    const judged = { ...looked, judgedCrashes: seen.crashes.unknown };
    return pause(judged, 'judgement', analysis, [phrase('processEndedByUnknown')]);
  }
  switch (plan.strategy) {
    case 'canary':
      return lookAtCanary(rollout, looked, now);
    case 'shadow':
      return lookAtShadow(rollout, looked, now);
    case 'abTest':
      return lookAtTest(rollout, looked, now);
    case 'bandit':
      return lookAtBandit(rollout, looked, seen);
    case 'direct':
      return promote(byAnalysis(rollout, looked, [phrase('planIsDirect')], now));
  }
}

/** What a person decided. @returns null when the rollout is over, or `pause` and `resume` do not fit its state. */
export function decide(
  rollout: Rollout,
  progress: RolloutProgress,
  decision: Decision,
  now: number,
): Turn | null {
  if (isOver(progress)) return null;
  const { who } = decision;
  const move: Move = { rollout, progress, who, why: reasonOf(decision), now };
  switch (decision.decision) {
    case 'promote':
      return promote(move);
    case 'rollBack':
      return rollBack({ ...move, why: [phrase('rolledBackBy', { who }), ...move.why] });
    case 'pause':
      if (progress.state === 'paused' && progress.waitsFor === 'person') return null;
      return pause(progress, 'person', who, [phrase('pausedBy', { who }), ...move.why]);
    case 'resume':
      return progress.state === 'paused' ? resume(move) : null;
  }
}

/** The candidate cannot be served, or was called off before it could. */
export function callOff(move: Move): Turn {
  return isOver(move.progress) ? { progress: move.progress, actions: [] } : rollBack(move);
}

/** Another version takes its place, or the endpoint is not what it was. */
export function giveUp(move: Move): Turn {
  return isOver(move.progress) ? { progress: move.progress, actions: [] } : giveUpTurn(move);
}

function byAnalysis(rollout: Rollout, progress: RolloutProgress, why: Saying, now: number): Move {
  return { rollout, progress, who: analysis, why, now };
}

function comesIn({ plan, candidateVersion: candidate, stableVersion: stable }: Rollout): Phrase {
  const versions = { candidate, stable };
  switch (plan.strategy) {
    case 'canary':
      return phrase('comesInAsCanary', { ...versions, count: plan.steps.length });
    case 'abTest': {
      const kinds = {
        reward: 'comesInForRewardTest',
        quality: 'comesInForQualityTest',
        errorRate: 'comesInForErrorTest',
      } as const;
      return phrase(kinds[plan.goal], versions);
    }
    case 'shadow':
      return phrase('comesInAsShadow', versions);
    case 'bandit':
      return phrase('comesInAsArm', versions);
    case 'direct':
      return phrase('comesInAtOnce', versions);
  }
}

function lookAtCanary(rollout: Rollout, progress: RolloutProgress, now: number): Turn {
  const step = rollout.plan.steps[progress.step];
  if (step === undefined || step.hold === 'confirm') return { progress, actions: [] };
  const held = now - progress.stepSince >= step.hold;
  if (!held) return { progress, actions: [] };
  if (allPassed(rollout.plan, progress)) {
    return nextStep(byAnalysis(rollout, progress, [phrase('checksPassed')], now));
  }
  return pauseWithoutJudgement(rollout.plan, progress) ?? { progress, actions: [] };
}

function lookAtShadow(rollout: Rollout, progress: RolloutProgress, now: number): Turn {
  const { plan } = rollout;
  if (plan.checks.some(({ dryRun }) => !dryRun) && allPassed(plan, progress)) {
    return promote(byAnalysis(rollout, progress, [phrase('shadowPassed')], now));
  }
  return pauseWhenOver(plan, progress, now);
}

function lookAtTest(rollout: Rollout, progress: RolloutProgress, now: number): Turn {
  const { plan, stableVersion } = rollout;
  const outcome = progress.goal?.outcome;
  if (outcome?.verdict === 'failed') {
    const better = phrase('isBetter', { version: stableVersion });
    return rollBack(byAnalysis(rollout, progress, [better, ...outcome.said], now));
  }
  if (outcome?.verdict === 'passed' && allPassed(plan, progress)) {
    return promote(byAnalysis(rollout, progress, outcome.said, now));
  }
  return pauseWhenOver(plan, progress, now);
}

/** Moves the shares; it never decides, as the rewards of a bandit are no evidence. */
function lookAtBandit(rollout: Rollout, progress: RolloutProgress, { sample }: RolloutObservation): Turn {
  const rewards = sample?.rewards;
  if (!rewards || rewards.candidate.count === 0 || rewards.stable.count === 0)
    return { progress, actions: [] };
  const better = probabilityOfBetterReward(rewards.candidate, rewards.stable);
  const share = Math.min(1 - leastBanditShare, Math.max(leastBanditShare, better));
  if (share === progress.share) return { progress, actions: [] };
  const gets = phrase('getsShareByRewards', { candidate: rollout.candidateVersion, share: { share } });
  const noted = Math.abs(share - progress.share) >= notedShareChange;
  return {
    progress: { ...progress, share },
    actions: [{ type: 'route' }, ...(noted ? [note('shareChanged', analysis, [gets])] : [])],
  };
}

/** The candidate's first share; of a shadow what it hears. */
function firstShare(plan: RolloutPlan): number {
  switch (plan.strategy) {
    case 'canary':
      return (plan.steps[0]?.share ?? 0) / 100;
    case 'direct':
      return 1;
    default:
      return plan.share / 100;
  }
}

/** Whether a judgement is due, so that a look without one counts. */
function isWaitedFor(plan: RolloutPlan, progress: RolloutProgress, now: number): boolean {
  const hold = plan.steps[progress.step]?.hold;
  return plan.strategy === 'canary' && typeof hold === 'number' && now - progress.stepSince >= hold;
}

/**
 * What speaks against the candidate: a failed check, or processes that ended. One that ended while it ran the candidate
 * counts as a failed look at the errors; of one that nobody can tell anything about it takes one more, and none before
 * the candidate came.
 */
function failureOf(
  { plan, candidateVersion: candidate }: Rollout,
  progress: RolloutProgress,
  { crashes }: RolloutObservation,
): Saying | null {
  for (const [index, check] of plan.checks.entries()) {
    const known = progress.checks[index];
    if (!known?.outcome || check.dryRun || known.failures < check.failureLimit) continue;
    return known.outcome.said;
  }
  const limit =
    plan.checks.find(({ metric, dryRun }) => metric === 'errorRate' && !dryRun)?.failureLimit ?? 1;
  if (crashes.candidate >= limit) {
    return [phrase('processEndedByCandidate', { candidate, count: crashes.candidate })];
  }
  const ended = crashes.candidate + crashes.unknown;
  if (ended <= limit || crashes.before > 0) return null;
  return [phrase('processesEndedSince', { candidate, count: ended })];
}

function allPassed(plan: RolloutPlan, progress: RolloutProgress): boolean {
  return plan.checks.every(
    ({ dryRun }, index) => dryRun || progress.checks[index]?.outcome?.verdict === 'passed',
  );
}

function pauseWithoutJudgement(plan: RolloutPlan, progress: RolloutProgress): Turn | null {
  for (const [index, check] of plan.checks.entries()) {
    const known = progress.checks[index];
    if (!known?.outcome || check.dryRun || known.inconclusives < check.inconclusiveLimit) continue;
    const undecided = phrase('hasNoJudgement', { count: known.inconclusives });
    return pause(progress, 'judgement', analysis, [undecided, ...known.outcome.said]);
  }
  return null;
}

function pauseWhenOver(plan: RolloutPlan, progress: RolloutProgress, now: number): Turn {
  if (now - progress.stepSince < plan.atMost) return { progress, actions: [] };
  return pause(progress, 'judgement', analysis, [phrase('timeIsOver')]);
}
