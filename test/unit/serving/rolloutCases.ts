import { noTraffic, type RolloutObservation } from '../../../src/engine/serving/rolloutObservation.ts';
import type { ArmTraffic, Rollout } from '../../../src/engine/serving/rolloutTypes.ts';
import { type RolloutPlanInput, rolloutPlan } from '../../../src/protocol/endpointSettings.ts';
import { latencyBucket, latencyBucketCount } from '../../../src/statistics/latencyHistogram.ts';

/** A rollout of version 4 for version 3 by a plan, as a file writes it. */
export function rolloutOf(plan: RolloutPlanInput): Rollout {
  return {
    id: 1,
    endpoint: 'wine',
    model: 'wine',
    stableVersion: 3,
    candidateVersion: 4,
    plan: rolloutPlan.parse(plan),
    startedAt: 0,
  };
}

/** What a version was asked: so many requests, of them failed, each answered in so many milliseconds. */
export function arm(requests: number, failures = 0, milliseconds = 2): ArmTraffic {
  const latencies = new Array<number>(latencyBucketCount).fill(0);
  latencies[latencyBucket(milliseconds * 1000)] = requests;
  return { requests, failures, latencies };
}

export function observed(part: Partial<RolloutObservation>): RolloutObservation {
  return { ...noTraffic, sample: null, ...part };
}
