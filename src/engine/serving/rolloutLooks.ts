import { type RolloutCheck, rolloutCheck } from '../../protocol/endpointSettings.ts';
import type { CheckOutcome } from '../../protocol/serving.ts';
import { phrase, type Saying, type SentenceValue } from '../../protocol/servingSentences.ts';
import { shareAlwaysValid } from '../../statistics/sequentialTest.ts';
import { type Judgement, judge } from './rolloutChecks.ts';
import { compareSides, type SeenValues } from './rolloutComparison.ts';
import type { RolloutObservation } from './rolloutObservation.ts';
import type { CheckProgress, Rollout, RolloutProgress } from './rolloutTypes.ts';

export const newCheckProgress: CheckProgress = {
  failures: 0,
  inconclusives: 0,
  looks: 0,
  smallestPValue: null,
  outcome: null,
};

/**
 * One look at all checks of a plan.
 *
 * @param due whether the judgement is waited for, so that a look without one counts.
 */
export function lookAtChecks(
  rollout: Rollout,
  progress: RolloutProgress,
  seen: RolloutObservation,
  due: boolean,
): readonly CheckProgress[] {
  return rollout.plan.checks.map((check, index) => {
    const known = progress.checks[index] ?? newCheckProgress;
    const judgement = judge(check, seen, {
      significance: rollout.plan.significance,
      smallestPValue: known.smallestPValue,
      look: known.looks + 1,
    });
    const { verdict } = judgement;
    const failures = verdict === 'failed' ? known.failures + 1 : 0;
    return remember(known, check, rollout, judgement, {
      failures,
      inconclusives: verdict !== 'inconclusive' ? 0 : due ? known.inconclusives + 1 : known.inconclusives,
    });
  });
}

/**
 * One look at the goal of an A/B test: `passed` when the candidate is better, `failed` when the stable version is. Its test
 * looks at both directions, so that a clear difference of an earlier look says nothing of the direction of this one.
 */
export function lookAtGoal(rollout: Rollout, known: CheckProgress, seen: RolloutObservation): CheckProgress {
  const { goal, significance, checks } = rollout.plan;
  // The check of the same name says how many samples it takes.
  const check = checks.find(({ metric }) => metric === goal) ?? rolloutCheck.parse({ metric: goal });
  const compared = compareGoal(goal, seen);
  const enough =
    compared.candidateSamples >= check.minimumSamples && compared.stableSamples >= check.minimumSamples;
  const pValue = enough ? compared.pValue : null;
  const decided = pValue !== null && pValue <= significance;
  const judgement: Judgement = {
    ...compared,
    verdict:
      !decided || compared.advantage === 0 ? 'inconclusive' : compared.advantage > 0 ? 'passed' : 'failed',
    pValue,
    expected: enough ? phrase('differenceBeyondChance') : null,
    needsStable: true,
  };
  return remember(known, check, rollout, judgement, { failures: 0, inconclusives: 0 });
}

interface GoalComparison extends SeenValues {
  readonly pValue: number;
  /** Positive when the candidate is better. */
  readonly advantage: number;
}

function compareGoal(
  goal: Rollout['plan']['goal'],
  { candidate, stable, sample }: RolloutObservation,
): GoalComparison {
  if (goal === 'errorRate') {
    const [ours, theirs] = [candidate, stable].map(({ requests, failures }) =>
      requests === 0 ? null : failures / requests,
    );
    const requests = candidate.requests + stable.requests;
    const failures = candidate.failures + stable.failures;
    const bothAsked = candidate.requests > 0 && stable.requests > 0;
    return {
      candidateValue: ours ?? null,
      stableValue: theirs ?? null,
      candidateSamples: candidate.requests,
      stableSamples: stable.requests,
      pValue: bothAsked ? shareAlwaysValid(candidate.failures, failures, candidate.requests / requests) : 1,
      advantage: (theirs ?? 0) - (ours ?? 0),
    };
  }
  const values = goal === 'reward' ? sample?.rewards : sample?.quality;
  if (!values) {
    return { ...nothing, candidateSamples: 0, stableSamples: 0, pValue: 1, advantage: 0 };
  }
  const higherIsBetter = goal === 'reward' || sample?.quality?.measure === 'accuracy';
  const { difference, pValue } = compareSides(values.candidate, values.stable);
  const mean = ({ count, sum }: typeof values.candidate) => (count === 0 ? null : sum / count);
  return {
    candidateValue: mean(values.candidate),
    stableValue: mean(values.stable),
    candidateSamples: values.candidate.count,
    stableSamples: values.stable.count,
    pValue,
    advantage: higherIsBetter ? difference : -difference,
  };
}

const nothing = { candidateValue: null, stableValue: null } as const;

function remember(
  known: CheckProgress,
  check: RolloutCheck,
  { candidateVersion, stableVersion }: Rollout,
  judgement: Judgement,
  counts: Pick<CheckProgress, 'failures' | 'inconclusives'>,
): CheckProgress {
  const { pValue, verdict, candidateSamples, stableSamples } = judgement;
  const smallestPValue = pValue === null ? known.smallestPValue : Math.min(pValue, known.smallestPValue ?? 1);
  const outcome: CheckOutcome = {
    metric: check.metric,
    verdict,
    candidateValue: pValue === null ? null : judgement.candidateValue,
    stableValue: pValue === null ? null : judgement.stableValue,
    candidateSamples,
    stableSamples,
    minimumSamples: check.minimumSamples,
    pValue: smallestPValue,
    failures: counts.failures,
    dryRun: check.dryRun,
    said: saidOf(check, judgement, candidateVersion, stableVersion),
  };
  return { ...counts, looks: known.looks + (pValue === null ? 0 : 1), smallestPValue, outcome };
}

function saidOf(check: RolloutCheck, judgement: Judgement, candidate: number, stable: number): Saying {
  const { candidateValue, stableValue, candidateSamples, stableSamples, expected, needsStable } = judgement;
  const metric = phrase(check.metric);
  if (expected === null || candidateValue === null) {
    const known = { metric, needed: check.minimumSamples, candidate, candidateSamples };
    return [
      needsStable
        ? phrase('checkNotKnownOfBoth', { ...known, stable, stableSamples })
        : phrase('checkNotKnown', known),
    ];
  }
  const alone = { metric, candidate, candidateSamples, value: measured(check, candidateValue), expected };
  if (stableValue === null) return [phrase('checkAlone', alone)];
  return [
    phrase('checkBeside', { ...alone, stable, stableSamples, stableValue: measured(check, stableValue) }),
  ];
}

function measured({ metric }: RolloutCheck, value: number): SentenceValue {
  if (metric === 'errorRate' || metric === 'agreement') return { share: value };
  return metric.startsWith('latency') ? { milliseconds: value } : { figure: value };
}
