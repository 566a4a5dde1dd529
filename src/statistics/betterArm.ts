import { upperGamma } from './gamma.ts';
import { betaDensity, incompleteBeta } from './incompleteBeta.ts';
import { type Moments, meanOf, varianceOf } from './moments.ts';

/** Beta(a, b): what is known of a share after a − 1 successes and b − 1 failures, when nothing was known before. */
export interface BetaPosterior {
  readonly a: number;
  readonly b: number;
}

/** Beyond so many standard deviations from its mean a posterior adds nothing that matters, however skewed it is. */
const reachInDeviations = 30;
const panels = 1200;

/**
 * The probability that the first of two independent shares is the higher one, ∫ f₁(x) F₂(x) dx, by Simpson's rule to
 * about 1e-8. A split of requests by this probability is Thompson sampling: each request goes where a draw from the
 * posteriors would send it.
 */
export function probabilityHigher(first: BetaPosterior, second: BetaPosterior): number {
  // Over the narrower one, beside which the distribution of the other is smooth.
  return betaMoments(first).deviation <= betaMoments(second).deviation
    ? integrateOver(first, second)
    : 1 - integrateOver(second, first);
}

function integrateOver(first: BetaPosterior, second: BetaPosterior): number {
  const { mean, deviation } = betaMoments(first);
  const low = Math.max(0, mean - reachInDeviations * deviation);
  const high = Math.min(1, mean + reachInDeviations * deviation);
  const width = (high - low) / panels;
  let sum = 0;
  for (let point = 0; point <= panels; point += 1) {
    const x = low + point * width;
    const weight = point === 0 || point === panels ? 1 : point % 2 === 1 ? 4 : 2;
    // At the ends of [0, 1] the density of a and b from 1 on is finite, but its formula has no value.
    const inside = Math.min(Math.max(x, Number.MIN_VALUE), 1 - Number.EPSILON / 2);
    sum += weight * betaDensity(inside, first.a, first.b) * incompleteBeta(inside, second.a, second.b);
  }
  return Math.min(1, Math.max(0, (sum * width) / 3));
}

function betaMoments({ a, b }: BetaPosterior): { readonly mean: number; readonly deviation: number } {
  const mean = a / (a + b);
  return { mean, deviation: Math.sqrt((mean * (1 - mean)) / (a + b + 1)) };
}

/** Rewards beyond [0, 1] are told apart by their means, which takes a few values on each side. */
const fewestUnbounded = 10;

/**
 * The probability that the candidate's mean reward is higher than the stable version's: of rewards within [0, 1] by the
 * posteriors of shares (a reward of 0.3 counts as three tenths of a success), of others by the normal approximation.
 * ½ while nothing is known.
 */
export function probabilityOfBetterReward(candidate: Moments, stable: Moments): number {
  const least = Math.min(candidate.least, stable.least);
  const greatest = Math.max(candidate.greatest, stable.greatest);
  if (candidate.count + stable.count === 0) return 0.5;
  if (least >= 0 && greatest <= 1) return probabilityHigher(posterior(candidate), posterior(stable));
  if (candidate.count < fewestUnbounded || stable.count < fewestUnbounded) return 0.5;
  const difference = (meanOf(candidate) ?? 0) - (meanOf(stable) ?? 0);
  const variance = varianceOf(candidate) / candidate.count + varianceOf(stable) / stable.count;
  if (variance === 0) return difference === 0 ? 0.5 : difference > 0 ? 1 : 0;
  return normalCdf(difference / Math.sqrt(variance));
}

function posterior({ count, sum }: Moments): BetaPosterior {
  return { a: 1 + sum, b: 1 + count - sum };
}

/** The probability that a standard normal value is at most z. */
function normalCdf(z: number): number {
  const tail = 0.5 * upperGamma(0.5, (z * z) / 2);
  return z < 0 ? tail : 1 - tail;
}
