import type { RolloutCheck } from '../../protocol/endpointSettings.ts';
import type { CheckVerdict } from '../../protocol/serving.ts';
import { type Phrase, phrase } from '../../protocol/servingSentences.ts';
import { latencyPercentile } from '../../statistics/latencyHistogram.ts';
import { shareAlwaysValid } from '../../statistics/sequentialTest.ts';
import { type Comparison, compareValues, type Evaluation, type SeenValues } from './rolloutComparison.ts';
import type { RolloutObservation } from './rolloutObservation.ts';
import type { ArmTraffic } from './rolloutTypes.ts';

/** What one look at a check gave. */
export interface Judgement extends SeenValues {
  readonly verdict: CheckVerdict;
  /** Of this look; null without enough samples. */
  readonly pValue: number | null;
  /** What was expected; null without enough samples. */
  readonly expected: Phrase | null;
  readonly needsStable: boolean;
}

export interface LookOptions {
  /** The error rate at which a check may be wrong, over all its looks. */
  readonly significance: number;
  /** The smallest p-value of earlier looks; null before the first. */
  readonly smallestPValue: number | null;
  /** From 1: looks that had enough samples, this one included. */
  readonly look: number;
}

/** What a bound on the index means when a check names none: from there on a population counts as moved. */
const customaryIndex = 0.1;

const shares = { latencyP50: 0.5, latencyP95: 0.95, latencyP99: 0.99 } as const;

/**
 * Judges a check by what was seen. Without enough samples, or when a bound is broken but chance may have done it, the look
 * is inconclusive; it has failed when a bound is broken beyond chance. A check of errors, quality or rewards that names
 * no bound fails when the candidate is worse beyond chance.
 *
 * "Beyond chance" holds over all looks together: the p-values are always valid ones, or, of drift, paid for by
 * the number of looks.
 */
export function judge(check: RolloutCheck, seen: RolloutObservation, options: LookOptions): Judgement {
  const { comparisons, ...values } = evaluate(check, seen, options);
  const enough =
    values.candidateSamples >= check.minimumSamples &&
    (!values.needsStable || values.stableSamples >= check.minimumSamples);
  if (!enough) return { ...values, verdict: 'inconclusive', pValue: null, expected: null };
  const made = comparisons();
  const pValue = Math.min(1, ...made.map((comparison) => comparison.pValue));
  const smallest = Math.min(pValue, options.smallestPValue ?? 1);
  // Each bound of a check has a part of the chance to be wrong.
  const significant = smallest <= options.significance / Math.max(1, made.length);
  const broken = made.filter(({ beyond }) => beyond);
  const verdict: CheckVerdict =
    broken.length > 0 && significant
      ? 'failed'
      : broken.some(({ strict }) => strict)
        ? 'inconclusive'
        : 'passed';
  const expected = made
    .map((comparison) => comparison.expected)
    .reduce((one, other) => phrase('bothOf', { one, other }));
  return { ...values, verdict, pValue, expected };
}

function evaluate(check: RolloutCheck, seen: RolloutObservation, { look }: LookOptions): Evaluation {
  switch (check.metric) {
    case 'errorRate':
      return errorRate(check, seen);
    case 'latencyP50':
    case 'latencyP95':
    case 'latencyP99':
      return latency(check, shares[check.metric], seen);
    case 'predictionDrift':
      return drift(check, seen, look);
    case 'quality':
      return quality(check, seen);
    case 'reward':
      return reward(check, seen);
    case 'agreement':
      return agreement(check, seen);
  }
}

function errorRate(check: RolloutCheck, { candidate, stable }: RolloutObservation): Evaluation {
  const rate = ({ requests, failures }: ArmTraffic) => (requests === 0 ? null : failures / requests);
  const candidateValue = rate(candidate);
  const stableValue = rate(stable);
  const { max, maxRatio } = check;
  const needsStable = max === undefined || maxRatio !== undefined;
  return {
    candidateValue,
    stableValue,
    candidateSamples: candidate.requests,
    stableSamples: stable.requests,
    needsStable,
    comparisons() {
      const made: Comparison[] = [];
      if (max !== undefined) {
        made.push({
          beyond: (candidateValue ?? 0) > max,
          strict: true,
          pValue: pValueOfExcess(candidate.failures, candidate.requests, max),
          expected: phrase('atMost', { bound: { share: max } }),
        });
      }
      if (needsStable) {
        const ratio = maxRatio ?? 1;
        // When both fail alike, or the candidate `ratio` times as often, this is the share of its failures in all.
        const weight = candidate.requests * ratio;
        const expectedShare = weight / (weight + stable.requests);
        const failures = candidate.failures + stable.failures;
        made.push({
          beyond: (candidateValue ?? 0) > ratio * (stableValue ?? 0),
          strict: maxRatio !== undefined,
          pValue: pValueOfExcess(candidate.failures, failures, expectedShare),
          expected:
            maxRatio === undefined
              ? phrase('noMoreThanChance')
              : phrase('atMostTimes', { ratio: { figure: maxRatio } }),
        });
      }
      return made;
    },
  };
}

function latency(
  { max, maxRatio }: RolloutCheck,
  share: number,
  { candidate, stable }: RolloutObservation,
): Evaluation {
  const candidateMicroseconds = latencyPercentile(candidate.latencies, share);
  const stableMicroseconds = latencyPercentile(stable.latencies, share);
  const candidateSamples = total(candidate.latencies);
  const bounds = [
    ...(max === undefined
      ? []
      : [{ limit: max * 1000, expected: phrase('atMost', { bound: { milliseconds: max } }) }]),
    ...(maxRatio === undefined
      ? []
      : [
          {
            limit: maxRatio * (stableMicroseconds ?? 0),
            expected: phrase('atMostTimes', { ratio: { figure: maxRatio } }),
          },
        ]),
  ];
  return {
    candidateValue: candidateMicroseconds === null ? null : candidateMicroseconds / 1000,
    stableValue: stableMicroseconds === null ? null : stableMicroseconds / 1000,
    candidateSamples,
    stableSamples: total(stable.latencies),
    needsStable: maxRatio !== undefined,
    comparisons: () =>
      bounds.map(({ limit, expected }) => ({
        beyond: (candidateMicroseconds ?? 0) > limit,
        strict: true,
        // Of a percentile within its bound, no more than the rest lies above it.
        pValue: pValueOfExcess(countAbove(candidate.latencies, limit), candidateSamples, 1 - share),
        expected,
      })),
  };
}

function drift(
  { max = customaryIndex }: RolloutCheck,
  { sample }: RolloutObservation,
  look: number,
): Evaluation {
  const found = sample?.drift ?? null;
  return {
    candidateValue: found?.psi ?? null,
    stableValue: null,
    candidateSamples: found?.candidateRows ?? 0,
    stableSamples: found?.stableRows ?? 0,
    needsStable: true,
    comparisons: () => [
      {
        beyond: (found?.psi ?? 0) > max,
        strict: true,
        // The parts 1 / (1 · 2), 1 / (2 · 3), ... of the chance to be wrong add up to all of it.
        pValue: found !== null && found.psi > max ? Math.min(1, found.pValue * look * (look + 1)) : 1,
        expected: phrase('indexAtMost', { bound: { figure: max } }),
      },
    ],
  };
}

function quality(check: RolloutCheck, { sample }: RolloutObservation): Evaluation {
  const found = sample?.quality ?? null;
  if (found === null) return nothingSeen;
  return compareValues(check, found.candidate, found.stable, found.measure === 'accuracy');
}

function reward(check: RolloutCheck, { sample }: RolloutObservation): Evaluation {
  if (sample === null) return nothingSeen;
  return compareValues(check, sample.rewards.candidate, sample.rewards.stable, true);
}

function agreement({ min = 1 }: RolloutCheck, { comparedRows, equalRows }: RolloutObservation): Evaluation {
  const share = comparedRows === 0 ? null : equalRows / comparedRows;
  return {
    candidateValue: share,
    stableValue: null,
    candidateSamples: comparedRows,
    stableSamples: comparedRows,
    needsStable: false,
    comparisons: () => [
      {
        beyond: (share ?? 0) < min,
        strict: true,
        pValue: pValueOfExcess(comparedRows - equalRows, comparedRows, 1 - min),
        expected: phrase('atLeast', { bound: { share: min } }),
      },
    ],
  };
}

const nothingSeen: Evaluation = {
  candidateValue: null,
  stableValue: null,
  candidateSamples: 0,
  stableSamples: 0,
  needsStable: true,
  comparisons: () => [],
};

/** The always valid p-value of more successes than expected; 1 when there are not more. */
function pValueOfExcess(successes: number, trials: number, expected: number): number {
  if (successes <= trials * expected) return 1;
  return expected <= 0 ? 0 : shareAlwaysValid(successes, trials, expected);
}

function countAbove(latencies: readonly number[], microseconds: number): number {
  let above = 0;
  for (const [bucket, count] of latencies.entries()) {
    // The middle of a bucket stands for all in it, as in the percentile.
    if (count > 0 && latencyMiddle(bucket) > microseconds) above += count;
  }
  return above;
}

function latencyMiddle(bucket: number): number {
  const alone: number[] = [];
  alone[bucket] = 1;
  return latencyPercentile(alone, 1) ?? 0;
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
