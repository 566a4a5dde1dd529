import type { LoadTestPlan, LoadTestStep } from '../../protocol/loadTest.ts';
import type { LoadTarget } from './target.ts';

/** So many unanswered requests show that an endpoint cannot keep up; more would only fill this process. */
const mostInFlight = 10_000;
/** How long the last answers of a step are waited for. */
const lastAnswersMilliseconds = 10_000;
/** The system wakes a process up only to the millisecond; the rest of the way to a due request is spent awake. */
const awakeMilliseconds = 2;
const mostFailed = 0.01;

/**
 * Sends requests at a constant rate for the plan's seconds, never waiting for an answer before the next one is due.
 *
 * @returns once every answer is there, or was waited for long enough.
 */
export async function runStep(target: LoadTarget, rate: number, plan: LoadTestPlan): Promise<LoadTestStep> {
  const count = Math.max(1, Math.round(rate * plan.seconds));
  const interval = 1000 / rate;
  const latencies: number[] = [];
  const late: number[] = [];
  let answered = 0;
  let failed = 0;
  let lastAnswer = 0;
  let everythingAnswered: () => void = () => undefined;
  const begun = performance.now();

  const send = (due: number): void => {
    late.push(performance.now() - due);
    target.send((succeeded) => {
      const now = performance.now();
      answered += 1;
      if (succeeded) {
        latencies.push(now - due);
        lastAnswer = now;
      } else failed += 1;
      if (answered === late.length) everythingAnswered();
    });
  };

  await new Promise<void>((resolve) => {
    const turn = (): void => {
      const now = performance.now();
      let full = false;
      while (!full && late.length < count && begun + late.length * interval <= now) {
        full = late.length - answered >= mostInFlight;
        if (!full) send(begun + late.length * interval);
      }
      const wait = begun + late.length * interval - performance.now();
      if (full || late.length === count) resolve();
      else if (wait > awakeMilliseconds) setTimeout(turn, wait - awakeMilliseconds);
      else setImmediate(turn);
    };
    turn();
  });

  if (answered < late.length) {
    await new Promise<void>((resolve) => {
      const giveUp = setTimeout(resolve, lastAnswersMilliseconds);
      everythingAnswered = () => {
        clearTimeout(giveUp);
        resolve();
      };
    });
  }
  const sentCount = late.length;
  const errorCount = failed + (sentCount - answered);
  if (answered < sentCount) target.breakOff();

  latencies.sort(ascending);
  late.sort(ascending);
  const latencyP99 = quantile(latencies, 0.99);
  return {
    rate,
    sentCount,
    errorCount,
    answeredRate:
      latencies.length === 0 ? 0 : latencies.length / Math.max((lastAnswer - begun) / 1000, count / rate),
    latencyP50: quantile(latencies, 0.5),
    latencyP95: quantile(latencies, 0.95),
    latencyP99,
    latencyMax: latencies.at(-1) ?? null,
    lateP99: quantile(late, 0.99) ?? 0,
    holds:
      sentCount === count &&
      errorCount / sentCount < mostFailed &&
      latencyP99 !== null &&
      latencyP99 <= plan.latencyLimit,
  };
}

/** The value that a share of all values does not exceed, by the nearest rank. */
function quantile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}

function ascending(one: number, other: number): number {
  return one - other;
}
