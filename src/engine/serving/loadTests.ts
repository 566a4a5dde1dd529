import type { LoadTestPlan, LoadTestReport } from '../../protocol/loadTest.ts';
import type { EndpointDescription } from '../../protocol/serving.ts';
import type { Changes } from '../changes.ts';
import { createWorkerProcesses, type JobControl } from '../workerProcess.ts';

export interface LoadTestParams {
  readonly endpoint: string;
  /** Null sends the endpoint's example request. */
  readonly body: string | null;
  readonly plan: LoadTestPlan;
}

/** Finds out how many requests endpoints take. */
export interface LoadTests {
  /**
   * Sends requests at growing rates from a process of its own, which is killed on abort. Each step is told as it ends.
   *
   * @throws SlipwayError `notFound`, `endpointNotReady`, `loadTestRefused`, or `cancelled`.
   */
  run(params: LoadTestParams, control: JobControl): Promise<LoadTestReport>;
  /** Ends running ones. */
  close(): Promise<void>;
}

export interface LoadTestDependencies {
  /** @throws SlipwayError `notFound` or `endpointNotReady`. */
  readonly describe: (endpoint: string) => EndpointDescription;
  readonly changes: Pick<Changes, 'loadTestStep'>;
  /** Entry file of the worker process. */
  readonly script: string;
}

export function createLoadTests({ describe, changes, script }: LoadTestDependencies): LoadTests {
  const workers = createWorkerProcesses(script);
  return {
    async run({ endpoint, body, plan }, control) {
      const { inferUrl, exampleRequest, token } = describe(endpoint);
      return workers.run(
        { type: 'loadTest', endpoint, url: inferUrl, token, body: body ?? exampleRequest, plan },
        { ...control, step: (step) => changes.loadTestStep(endpoint, step) },
      );
    },
    close: () => workers.close(),
  };
}
