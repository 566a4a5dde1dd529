import { shadowVariant } from '../../protocol/scorer.ts';
import type { RolloutSample } from '../../protocol/worker.ts';
import { latencyBucketCount } from '../../statistics/latencyHistogram.ts';
import type { ArmTraffic, Rollout, RolloutTarget, RolloutTraffic } from './rolloutTypes.ts';

/** What the checks of a rollout look at. */
export interface RolloutObservation extends RolloutTraffic {
  /** Null when the inference log was not asked, or could not be read. */
  readonly sample: RolloutSample | null;
}

const noTrafficOfArm: ArmTraffic = { requests: 0, failures: 0, latencies: [] };

export const noTraffic: RolloutTraffic = {
  candidate: noTrafficOfArm,
  stable: noTrafficOfArm,
  comparedRows: 0,
  equalRows: 0,
  crashes: 0,
};

/** Picks what concerns a rollout from the counters of its endpoint. */
export function trafficOf(
  { model, stableVersion, candidateVersion, plan }: Rollout,
  target: Pick<RolloutTarget, 'statistics' | 'status'>,
): RolloutTraffic {
  const { variants, shadows } = target.statistics();
  const arm = (version: number, names: readonly string[]): ArmTraffic => {
    const latencies = new Array<number>(latencyBucketCount).fill(0);
    let requests = 0;
    let failures = 0;
    for (const variant of variants) {
      if (variant.model !== model || variant.version !== version || !names.includes(variant.variant))
        continue;
      requests += variant.requestCount;
      failures += variant.failureCount;
      for (const [bucket, count] of variant.latencies.entries()) {
        latencies[bucket] = (latencies[bucket] ?? 0) + count;
      }
    }
    return { requests, failures, latencies };
  };
  const pair = shadows.find(
    (shadow) =>
      shadow.model === model &&
      shadow.stableVersion === stableVersion &&
      shadow.shadowVersion === candidateVersion,
  );
  return {
    candidate: arm(candidateVersion, [plan.strategy === 'shadow' ? shadowVariant : 'candidate']),
    stable: arm(stableVersion, ['stable']),
    comparedRows: pair?.comparedRows ?? 0,
    equalRows: pair?.equalRows ?? 0,
    crashes: target.status().crashCount,
  };
}

/** What came to `earlier` to make it `later`; counters that began anew count from zero. */
export function trafficSince(earlier: RolloutTraffic, later: RolloutTraffic): RolloutTraffic {
  return combine(later, earlier, (one, other) => (one >= other ? one - other : one));
}

export function addTraffic(one: RolloutTraffic, other: RolloutTraffic): RolloutTraffic {
  return combine(one, other, (first, second) => first + second);
}

function combine(
  one: RolloutTraffic,
  other: RolloutTraffic,
  work: (one: number, other: number) => number,
): RolloutTraffic {
  const arm = (first: ArmTraffic, second: ArmTraffic): ArmTraffic => ({
    requests: work(first.requests, second.requests),
    failures: work(first.failures, second.failures),
    latencies: Array.from(
      { length: Math.max(first.latencies.length, second.latencies.length) },
      (_, bucket) => work(first.latencies[bucket] ?? 0, second.latencies[bucket] ?? 0),
    ),
  });
  return {
    candidate: arm(one.candidate, other.candidate),
    stable: arm(one.stable, other.stable),
    comparedRows: work(one.comparedRows, other.comparedRows),
    equalRows: work(one.equalRows, other.equalRows),
    crashes: work(one.crashes, other.crashes),
  };
}
