import { shadowVariant } from '../../protocol/inferenceLogTables.ts';
import type { RolloutSample } from '../../protocol/worker.ts';
import { latencyBucketCount } from '../../statistics/latencyHistogram.ts';
import type { ArmTraffic, Rollout, RolloutCrashes, RolloutTarget, RolloutTraffic } from './rolloutTypes.ts';
import type { SupervisorStatus } from './supervisorTypes.ts';

/** What the checks of a rollout look at. */
export interface RolloutObservation extends RolloutTraffic {
  /** Null when the inference log was not asked, or could not be read. */
  readonly sample: RolloutSample | null;
}

const noTrafficOfArm: ArmTraffic = { requests: 0, failures: 0, latencies: [] };

export const noTraffic: RolloutTraffic = {
  candidate: noTrafficOfArm,
  stable: noTrafficOfArm,
  baseline: noTrafficOfArm,
  comparedRows: 0,
  equalRows: 0,
  crashes: { candidate: 0, unknown: 0, before: 0 },
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
    baseline: noTrafficOfArm,
    comparedRows: pair?.comparedRows ?? 0,
    equalRows: pair?.equalRows ?? 0,
    crashes: crashesOf(model, candidateVersion, target.status()),
  };
}

/** What came to `earlier` to make it `later`; counters that began anew count from zero. */
export function trafficSince(earlier: RolloutTraffic, later: RolloutTraffic): RolloutTraffic {
  return combine(later, earlier, (one, other) => (one >= other ? one - other : one));
}

export function addTraffic(one: RolloutTraffic, other: RolloutTraffic): RolloutTraffic {
  return combine(one, other, sum);
}

/**
 * What is known when a step begins: nothing but what the stable version was asked before, and which processes ended.
 *
 * @param seen in the step before.
 */
export function trafficOfNewStep(seen: RolloutTraffic): RolloutTraffic {
  return { ...noTraffic, crashes: seen.crashes, baseline: combineArms(seen.baseline, seen.stable, sum) };
}

/**
 * What is known when a rollout begins.
 *
 * @param before what the endpoint counted until then. The stable version as it was is the baseline of a plan that asks
 * it nothing from the first step on; other plans ask both at the same time, which is the better comparison.
 */
export function trafficOfFirstStep({ plan }: Rollout, before: RolloutTraffic | null): RolloutTraffic {
  const isAloneAtOnce = plan.strategy === 'canary' && plan.steps[0]?.share === 100;
  return {
    ...noTraffic,
    ...(isAloneAtOnce && before ? { baseline: before.stable } : {}),
    crashes: { ...noTraffic.crashes, before: before?.crashes.unknown ?? 0 },
  };
}

/** What the checks compare the candidate with: at a share of 1 what the stable version was asked before, too. */
export function withBaseline<Seen extends RolloutTraffic>(seen: Seen, share: number): Seen {
  return share < 1 ? seen : { ...seen, stable: combineArms(seen.baseline, seen.stable, sum) };
}

const sum = (one: number, other: number): number => one + other;

function combineArms(
  one: ArmTraffic,
  other: ArmTraffic,
  work: (one: number, other: number) => number,
): ArmTraffic {
  return {
    requests: work(one.requests, other.requests),
    failures: work(one.failures, other.failures),
    latencies: Array.from({ length: Math.max(one.latencies.length, other.latencies.length) }, (_, bucket) =>
      work(one.latencies[bucket] ?? 0, other.latencies[bucket] ?? 0),
    ),
  };
}

function combine(
  one: RolloutTraffic,
  other: RolloutTraffic,
  work: (one: number, other: number) => number,
): RolloutTraffic {
  return {
    candidate: combineArms(one.candidate, other.candidate, work),
    stable: combineArms(one.stable, other.stable, work),
    baseline: combineArms(one.baseline, other.baseline, work),
    comparedRows: work(one.comparedRows, other.comparedRows),
    equalRows: work(one.equalRows, other.equalRows),
    crashes: {
      candidate: work(one.crashes.candidate, other.crashes.candidate),
      unknown: work(one.crashes.unknown, other.crashes.unknown),
      before: work(one.crashes.before, other.crashes.before),
    },
  };
}

function crashesOf(
  model: string,
  candidateVersion: number,
  { crashCount, crashedRuns }: Pick<SupervisorStatus, 'crashCount' | 'crashedRuns'>,
): RolloutCrashes {
  const told = crashedRuns.reduce((count, run) => count + run.count, 0);
  const own = crashedRuns.find((run) => run.model === model && run.version === candidateVersion);
  return { candidate: own?.count ?? 0, unknown: crashCount - told, before: 0 };
}
