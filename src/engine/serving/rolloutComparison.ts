import type { RolloutCheck } from '../../protocol/endpointSettings.ts';
import { type Phrase, phrase } from '../../protocol/servingSentences.ts';
import type { SampleMoments } from '../../protocol/worker.ts';
import { meanOf, varianceOf } from '../../statistics/moments.ts';
import {
  compareMeans,
  type MeanOfSide,
  type SequentialComparison,
  shareAsMean,
} from '../../statistics/sequentialTest.ts';

/** A bound of a check beside what was seen. */
export interface Comparison {
  /** Whether what was seen breaks it. */
  readonly beyond: boolean;
  /** Whether it must not be broken by chance either: then a look that cannot tell is inconclusive, else passed. */
  readonly strict: boolean;
  /** How likely it is to be broken by chance; 1 when it is not broken. */
  readonly pValue: number;
  readonly expected: Phrase;
}

/** What was seen of both versions, as far as a check looks at it. */
export interface SeenValues {
  readonly candidateValue: number | null;
  readonly stableValue: number | null;
  readonly candidateSamples: number;
  readonly stableSamples: number;
}

/** The values and the broken or kept bounds of a check. */
export interface Evaluation extends SeenValues {
  /** Whether a judgement needs samples of the stable version, too. */
  readonly needsStable: boolean;
  /** Made only when there are enough samples. */
  readonly comparisons: () => readonly Comparison[];
}

/** The differences that the tests are tuned to find, in standard deviations of one value. */
const tunedTo = 0.1;

/** Compares the mean of some values, such as rewards, with the bounds of a check or with the stable version's. */
export function compareValues(
  check: Pick<RolloutCheck, 'min' | 'max' | 'minRatio' | 'maxRatio'>,
  candidate: SampleMoments,
  stable: SampleMoments,
  higherIsBetter: boolean,
): Evaluation {
  const candidateValue = meanOf(candidate);
  const stableValue = meanOf(stable);
  const { min, max, minRatio, maxRatio } = check;
  const hasBounds = [min, max, minRatio, maxRatio].some((bound) => bound !== undefined);
  const needsStable = !hasBounds || minRatio !== undefined || maxRatio !== undefined;

  const bound = (reference: MeanOfSide, above: boolean, expected: Phrase): Comparison => {
    const { difference, pValue } = compareMeans(sideOf(candidate), reference, {
      tau: tunedTo * deviationOf(candidate, stable),
      significance: 0.05,
    });
    const beyond = above ? difference > 0 : difference < 0;
    return { beyond, strict: true, pValue: beyond ? pValue : 1, expected };
  };
  const known = (mean: number): MeanOfSide => ({ count: Number.POSITIVE_INFINITY, mean, variance: 0 });
  const scaled = (ratio: number): MeanOfSide => {
    const { count, mean, variance } = sideOf(stable);
    return { count, mean: mean * ratio, variance: variance * ratio * ratio };
  };
  return {
    candidateValue,
    stableValue,
    candidateSamples: candidate.count,
    stableSamples: stable.count,
    needsStable,
    comparisons() {
      if (!hasBounds) {
        const { difference, pValue } = compareSides(candidate, stable);
        const beyond = higherIsBetter ? difference < 0 : difference > 0;
        const expected = phrase(higherIsBetter ? 'noLowerThanChance' : 'noHigherThanChance');
        return [{ beyond, strict: false, pValue: beyond ? pValue : 1, expected }];
      }
      return [
        ...(max === undefined ? [] : [bound(known(max), true, phrase('atMost', { bound: { figure: max } }))]),
        ...(min === undefined
          ? []
          : [bound(known(min), false, phrase('atLeast', { bound: { figure: min } }))]),
        ...(maxRatio === undefined
          ? []
          : [bound(scaled(maxRatio), true, phrase('atMostTimes', { ratio: { figure: maxRatio } }))]),
        ...(minRatio === undefined
          ? []
          : [bound(scaled(minRatio), false, phrase('atLeastTimes', { ratio: { figure: minRatio } }))]),
      ];
    },
  };
}

/** The mSPRT of the means of two samples: those of zeros and ones are shares. */
export function compareSides(candidate: SampleMoments, stable: SampleMoments): SequentialComparison {
  return compareMeans(sideOf(candidate), sideOf(stable), {
    tau: tunedTo * deviationOf(candidate, stable),
    significance: 0.05,
  });
}

function isBinary({ sum, sumOfSquares, least, greatest }: SampleMoments): boolean {
  return sum === sumOfSquares && least >= 0 && greatest <= 1;
}

function sideOf(moments: SampleMoments): MeanOfSide {
  if (isBinary(moments)) return shareAsMean({ count: moments.count, successes: moments.sum });
  return { count: moments.count, mean: meanOf(moments) ?? 0, variance: varianceOf(moments) };
}

/** Of one value, over both sides. */
function deviationOf(candidate: SampleMoments, stable: SampleMoments): number {
  const variance = varianceOf({
    ...candidate,
    count: candidate.count + stable.count,
    sum: candidate.sum + stable.sum,
    sumOfSquares: candidate.sumOfSquares + stable.sumOfSquares,
  });
  return Math.sqrt(variance);
}
