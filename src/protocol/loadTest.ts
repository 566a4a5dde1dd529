import { z } from 'zod';

/**
 * A load test sends requests to an endpoint at fixed rates, whether or not it keeps up, and measures each latency from
 * the moment at which the request was due. So an endpoint that falls behind shows it in its latencies, instead of
 * slowing the test down with it ("coordinated omission").
 */
export const loadTestPlan = z.object({
  /** Requests a second of the first step. Each step that holds doubles it. */
  firstRate: z.number().min(1).max(100_000).default(10),
  /** No step is faster. */
  lastRate: z.number().min(1).max(100_000).default(5_000),
  /** How long each rate is kept up. */
  seconds: z.number().min(0.5).max(60).default(3),
  /** Milliseconds. A step holds when its 99th percentile stays at or below this, and nearly all requests succeed. */
  latencyLimit: z.number().positive().max(60_000).default(50),
});
export type LoadTestPlan = z.infer<typeof loadTestPlan>;

/** What one rate came to. Latencies are milliseconds, from when a request was due until its whole answer was there. */
export interface LoadTestStep {
  /** Requests a second that were due. */
  readonly rate: number;
  readonly sentCount: number;
  /** Of those sent: answered with a status of 400 and more, broken off, or not answered in time. */
  readonly errorCount: number;
  /** Good answers a second, over the time until the last one came. */
  readonly answeredRate: number;
  /** Of good answers; null when there was none. */
  readonly latencyP50: number | null;
  readonly latencyP95: number | null;
  readonly latencyP99: number | null;
  readonly latencyMax: number | null;
  /** By how much the test itself was late to send, 99th percentile: what is near the latencies is the test's own. */
  readonly lateP99: number;
  /** Whether it kept to the plan's limit, with fewer than 1 in 100 requests failed. */
  readonly holds: boolean;
}

export interface LoadTestReport {
  readonly endpoint: string;
  readonly plan: LoadTestPlan;
  /** UTC milliseconds. */
  readonly startedAt: number;
  /** In the order in which they were run. */
  readonly steps: readonly LoadTestStep[];
  /** The highest rate that holds; null when not even the first one did. */
  readonly highestRate: number | null;
}
