import type { LoadTestPlan, LoadTestStep } from '../../protocol/loadTest.ts';

/** Rates closer together than this are not told apart. */
const finest = 1.15;
const growth = 2;

type JudgedStep = Pick<LoadTestStep, 'rate' | 'holds'>;

/**
 * The rate to try next: twice the last as long as all hold, then the geometric middle between the highest that holds and
 * the lowest that does not, until these are close. Null when nothing is left to find out.
 */
export function nextRate(plan: LoadTestPlan, steps: readonly JudgedStep[]): number | null {
  if (steps.length === 0) return Math.min(plan.firstRate, plan.lastRate);
  const failing = lowestFailing(steps);
  const holding = highestRate(steps);
  if (holding === null) return null;
  if (failing === null) return holding >= plan.lastRate ? null : Math.min(holding * growth, plan.lastRate);
  if (failing / holding < finest) return null;
  const middle = rounded(Math.sqrt(failing * holding));
  return middle > holding && middle < failing ? middle : null;
}

/** The highest rate that holds below every one that does not; null when there is none. */
export function highestRate(steps: readonly JudgedStep[]): number | null {
  const failing = lowestFailing(steps) ?? Number.POSITIVE_INFINITY;
  const holding = steps.filter(({ rate, holds }) => holds && rate < failing).map(({ rate }) => rate);
  return holding.length === 0 ? null : Math.max(...holding);
}

/** At most how many steps a plan comes to. */
export function mostSteps({ firstRate, lastRate }: LoadTestPlan): number {
  const doublings = Math.max(0, Math.ceil(Math.log2(lastRate / firstRate)));
  const bisections = Math.ceil(Math.log2(Math.log(growth) / Math.log(finest)));
  return 1 + doublings + bisections;
}

function lowestFailing(steps: readonly JudgedStep[]): number | null {
  const failing = steps.filter(({ holds }) => !holds).map(({ rate }) => rate);
  return failing.length === 0 ? null : Math.min(...failing);
}

/** Two significant digits, so that rates read well. */
function rounded(rate: number): number {
  return Number(rate.toPrecision(2));
}
