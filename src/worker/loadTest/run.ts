import type { LoadTestReport, LoadTestStep } from '../../protocol/loadTest.ts';
import type { WorkerJobOf } from '../../protocol/worker.ts';
import { runStep } from './constantRate.ts';
import { highestRate, mostSteps, nextRate } from './ramp.ts';
import { createTarget } from './target.ts';

export interface LoadTestListener {
  /** Told a share between 0 and 1, and what comes next. */
  readonly progress: (fraction: number, message: string) => void;
  readonly step: (step: LoadTestStep) => void;
}

/** Requests that go before the first step, so that connections and code are warm. */
const warmUpRequests = 20;

/**
 * Finds the highest rate that an endpoint takes within a plan's limit.
 *
 * @throws SlipwayError endpointNotReady, or loadTestRefused when the endpoint does not accept the request.
 */
export async function runLoadTest(
  job: WorkerJobOf<'loadTest'>,
  listener: LoadTestListener,
): Promise<LoadTestReport> {
  const { endpoint, plan } = job;
  const startedAt = Date.now();
  const target = createTarget(job);
  try {
    for (let sent = 0; sent < warmUpRequests; sent += 1) await target.tryOne();
    const steps: LoadTestStep[] = [];
    for (let rate = nextRate(plan, steps); rate !== null; rate = nextRate(plan, steps)) {
      listener.progress(Math.min(1, steps.length / mostSteps(plan)), `${rate} requests/s`);
      const step = await runStep(target, rate, plan);
      steps.push(step);
      listener.step(step);
    }
    return { endpoint, plan, startedAt, steps, highestRate: highestRate(steps) };
  } finally {
    target.breakOff();
  }
}
