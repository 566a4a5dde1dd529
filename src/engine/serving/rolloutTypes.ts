import type { RolloutPlan } from '../../protocol/endpointSettings.ts';
import type { TrafficSplit } from '../../protocol/scorer.ts';
import type { CheckOutcome, RolloutState } from '../../protocol/serving.ts';
import type { Saying } from '../../protocol/servingSentences.ts';
import type { Supervisor } from './supervisorTypes.ts';

/** What a version is brought in with: settled when a rollout begins. */
export interface Rollout {
  readonly id: number;
  readonly endpoint: string;
  readonly model: string;
  readonly stableVersion: number;
  readonly candidateVersion: number;
  readonly plan: RolloutPlan;
  /** UTC milliseconds. */
  readonly startedAt: number;
}

/** How far a rollout is. */
export interface RolloutProgress {
  readonly state: RolloutState;
  /** Why it is paused or ended; null while it runs. */
  readonly reason: Saying | null;
  /** What a pause waits for: the confirmation of a step, a judgement that the checks could not give, or who paused it. */
  readonly waitsFor: 'confirmation' | 'judgement' | 'person' | null;
  /** From 0. */
  readonly step: number;
  /** UTC milliseconds. */
  readonly stepSince: number;
  /** UTC milliseconds; null where an older Slipway did not keep it. A step does not go on while nobody looks. */
  readonly lookedAt: number | null;
  /** The candidate's share of the requests, between 0 and 1. */
  readonly share: number;
  /** The share of the requests that the candidate hears as a shadow. */
  readonly shadowShare: number;
  /** UTC milliseconds. */
  readonly endedAt: number | null;
  /** In the order of the plan's checks. */
  readonly checks: readonly CheckProgress[];
  /** What decides an A/B test; null of other strategies, and before its first look. */
  readonly goal: CheckProgress | null;
  /** Ends of processes, of those that nobody can tell the version of, that it has paused for. */
  readonly judgedCrashes: number;
}

/** What is remembered of a check from look to look. */
export interface CheckProgress {
  /** Failed looks, and looks without a judgement, one after the other. */
  readonly failures: number;
  readonly inconclusives: number;
  /** Looks that had enough samples, since the step began. */
  readonly looks: number;
  /** The smallest p-value of those looks; null before the first one. */
  readonly smallestPValue: number | null;
  /** Null before the first look. */
  readonly outcome: CheckOutcome | null;
}

/** What one version was asked since a rollout's step began. */
export interface ArmTraffic {
  readonly requests: number;
  /** Those of them with a status of 500 and more. */
  readonly failures: number;
  /** Counts of latencies by bucket of `latencyHistogram.ts`. */
  readonly latencies: readonly number[];
}

/** What the counters of an endpoint say of both versions. */
export interface RolloutTraffic {
  readonly candidate: ArmTraffic;
  readonly stable: ArmTraffic;
  /**
   * What the stable version was asked before the step: in the steps before it, or before the rollout when the first
   * step leaves it nothing. The candidate is compared with it once the stable version is asked nothing any more.
   */
  readonly baseline: ArmTraffic;
  /** Of a shadow: rows that both answered, and on how many of them they agree. */
  readonly comparedRows: number;
  readonly equalRows: number;
  readonly crashes: RolloutCrashes;
}

/** Ends of the endpoint's processes that nobody asked for, since the rollout began. */
export interface RolloutCrashes {
  /** While they ran the candidate. */
  readonly candidate: number;
  /** Nobody can tell which version they ran, if any. */
  readonly unknown: number;
  /** Those of before, of which nobody could tell either. */
  readonly before: number;
}

/** What a rollout has to know of its endpoint. */
export interface RolloutEndpoint {
  readonly model: string;
  readonly stableVersion: number;
  readonly sticky: TrafficSplit['sticky'];
  /** What hears the requests besides any rollout. */
  readonly shadow: TrafficSplit['shadow'];
  /** Versions of the model that stay loaded for other reasons. */
  readonly keptVersions: readonly number[];
}

/** What a rollout asks of the processes that serve an endpoint. */
export type RolloutTarget = Pick<
  Supervisor,
  'status' | 'versions' | 'load' | 'unload' | 'route' | 'statistics'
>;
