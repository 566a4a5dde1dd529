import type { RolloutPlan } from '../../protocol/endpointSettings.ts';
import { probabilityOfBetterReward } from '../../statistics/betterArm.ts';
import { lookAtChecks, lookAtGoal } from './rolloutLooks.ts';
import type { RolloutObservation } from './rolloutObservation.ts';
import {
  analysis,
  confirmTurn,
  count,
  isOver,
  nextStep,
  notBegun,
  pause,
  promote,
  type RolloutAction,
  resume,
  rollBack,
  sentenceOf,
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
}

/** A bandit leaves each version so much of the requests, or it would never hear that it was wrong. */
const leastBanditShare = 0.01;
/** Shares that differ by less are not worth an event. */
const notedShareChange = 0.05;

/** The first turn: the candidate is loaded and warm. */
export function begin(rollout: Rollout, who: string, why: string, now: number): Turn {
  const { plan, candidateVersion, stableVersion } = rollout;
  const shadow = plan.strategy === 'shadow';
  const progress: RolloutProgress = {
    ...notBegun(plan, now),
    share: shadow ? 0 : firstShare(plan),
    shadowShare: shadow ? plan.share / 100 : 0,
  };
  const how = {
    canary: `as a canary in ${count(plan.steps.length, 'step')}`,
    abTest: `beside it, in an A/B test of its ${plan.goal}`,
    shadow: 'as its shadow',
    bandit: 'beside it, as the arm of a bandit',
    direct: 'all at once',
  }[plan.strategy];
  const started: RolloutAction = {
    type: 'note',
    kind: 'rolloutStarted',
    who,
    sentence: sentenceOf(`Version ${candidateVersion} comes in for version ${stableVersion}, ${how}`, why),
  };
  if (plan.strategy === 'direct') {
    const promoted = promote(rollout, progress, analysis, 'The plan brings it in all at once.', now);
    return { ...promoted, actions: [started, ...promoted.actions] };
  }
  const turn = { progress, actions: [started, { type: 'route' } as const] };
  return confirmTurn(rollout, turn);
}

/** A look at what was seen since the step began. */
export function look(
  rollout: Rollout,
  progress: RolloutProgress,
  seen: RolloutObservation,
  now: number,
): Turn {
  if (isOver(progress)) return { progress, actions: [] };
  const { plan } = rollout;
  const looked: RolloutProgress = {
    ...progress,
    checks: lookAtChecks(rollout, progress, seen, isWaitedFor(plan, progress, now)),
    goal: progress.goal && lookAtGoal(rollout, progress.goal, seen),
  };
  // Whoever paused it decides what happens next.
  if (progress.waitsFor === 'person') return { progress: looked, actions: [] };

  const failed = failureOf(plan, looked, seen);
  if (failed !== null) {
    const note: RolloutAction = { type: 'note', kind: 'checkFailed', who: analysis, sentence: failed };
    const turn = rollBack(rollout, looked, analysis, failed, now);
    return { ...turn, actions: [...turn.actions, note] };
  }
  if (progress.state === 'paused') return { progress: looked, actions: [] };
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
      return promote(rollout, looked, analysis, 'The plan brings it in all at once.', now);
  }
}

/** What a person decided. @returns null when the rollout is over, or `pause` and `resume` do not fit its state. */
export function decide(
  rollout: Rollout,
  progress: RolloutProgress,
  { decision, who, why }: Decision,
  now: number,
): Turn | null {
  if (isOver(progress)) return null;
  switch (decision) {
    case 'promote':
      return promote(rollout, progress, who, why, now);
    case 'rollBack':
      return rollBack(rollout, progress, who, sentenceOf(`${who} rolled it back`, why), now);
    case 'pause':
      if (progress.state === 'paused' && progress.waitsFor === 'person') return null;
      return pause(progress, 'person', who, sentenceOf(`${who} paused it`, why));
    case 'resume':
      return progress.state === 'paused' ? resume(rollout, progress, who, why, now) : null;
  }
}

/** The candidate cannot be served, or another version takes its place. */
export function giveUp(
  rollout: Rollout,
  progress: RolloutProgress,
  who: string,
  reason: string,
  now: number,
): Turn {
  return isOver(progress) ? { progress, actions: [] } : rollBack(rollout, progress, who, reason, now);
}

function lookAtCanary(rollout: Rollout, progress: RolloutProgress, now: number): Turn {
  const step = rollout.plan.steps[progress.step];
  if (step === undefined || step.hold === 'confirm') return { progress, actions: [] };
  const held = now - progress.stepSince >= step.hold;
  if (!held) return { progress, actions: [] };
  if (allPassed(rollout.plan, progress)) {
    return nextStep(rollout, progress, analysis, 'Its checks passed.', now);
  }
  return pauseWithoutJudgement(rollout.plan, progress) ?? { progress, actions: [] };
}

function lookAtShadow(rollout: Rollout, progress: RolloutProgress, now: number): Turn {
  const { plan } = rollout;
  if (plan.checks.some(({ dryRun }) => !dryRun) && allPassed(plan, progress)) {
    return promote(rollout, progress, analysis, 'It passed all checks as a shadow.', now);
  }
  return pauseWhenOver(plan, progress, now);
}

function lookAtTest(rollout: Rollout, progress: RolloutProgress, now: number): Turn {
  const { plan, stableVersion } = rollout;
  const outcome = progress.goal?.outcome;
  if (outcome?.verdict === 'failed') {
    return rollBack(
      rollout,
      progress,
      analysis,
      `Version ${stableVersion} is better. ${outcome.sentence}`,
      now,
    );
  }
  if (outcome?.verdict === 'passed' && allPassed(plan, progress)) {
    return promote(rollout, progress, analysis, outcome.sentence, now);
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
  const sentence = `Version ${rollout.candidateVersion} gets ${percent(share)} of the requests: so likely are its rewards the higher ones.`;
  const noted = Math.abs(share - progress.share) >= notedShareChange;
  return {
    progress: { ...progress, share },
    actions: [
      { type: 'route' },
      ...(noted ? [{ type: 'note', kind: 'shareChanged', who: analysis, sentence } as const] : []),
    ],
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

function failureOf(
  plan: RolloutPlan,
  progress: RolloutProgress,
  { crashes }: RolloutObservation,
): string | null {
  for (const [index, check] of plan.checks.entries()) {
    const known = progress.checks[index];
    if (!known?.outcome || check.dryRun || known.failures < check.failureLimit) continue;
    return known.outcome.sentence;
  }
  const limit =
    plan.checks.find(({ metric, dryRun }) => metric === 'errorRate' && !dryRun)?.failureLimit ?? 1;
  return crashes < limit ? null : `The process of the endpoint ended unasked ${count(crashes, 'time')}.`;
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
    const looks = count(known.inconclusives, 'look');
    return pause(
      progress,
      'judgement',
      analysis,
      `After ${looks} there is no judgement. ${known.outcome.sentence}`,
    );
  }
  return null;
}

function pauseWhenOver(plan: RolloutPlan, progress: RolloutProgress, now: number): Turn {
  if (now - progress.stepSince < plan.atMost) return { progress, actions: [] };
  return pause(progress, 'judgement', analysis, 'Its time is over, and nothing was decided.');
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}
