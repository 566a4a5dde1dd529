import { z } from 'zod';
import {
  type checkMetrics,
  type RolloutPlan,
  type RolloutPlanInput,
  rolloutPlan,
} from './endpointSettings.ts';
import type { ErrorData } from './errors.ts';
import { hostName } from './hostName.ts';
import { type LoadTestReport, loadTestPlan } from './loadTest.ts';
import type { Stage } from './registry.ts';
import { request } from './request.ts';
import type { ServedVersion, ShadowStatistics } from './scorer.ts';
import type { Saying } from './servingSentences.ts';
import type { TensorDescription } from './tensor.ts';

export const endpointStates = ['starting', 'ready', 'stopped', 'failed'] as const;
export type EndpointState = (typeof endpointStates)[number];

/** What a variant of an endpoint was asked of late, and in all. */
export interface VariantSummary {
  /** `stable`, `candidate`, `shadow`, or `version` for requests that named their version. */
  readonly name: string;
  readonly model: string;
  readonly version: number;
  /** Between 0 and 1, as the split says; of a shadow the share that it hears. Null for `version`. */
  readonly share: number | null;
  readonly requestCount: number;
  readonly errorCount: number;
  /** Requests a second over the last ten seconds. */
  readonly rate: number;
  /** Milliseconds over the last minute; null when nothing was asked. */
  readonly latencyP50: number | null;
  readonly latencyP99: number | null;
}

export const rolloutStates = [
  'running',
  /** Waits for the person: a step asks for a confirmation, or the checks could not judge. */
  'paused',
  'promoted',
  'rolledBack',
] as const;
export type RolloutState = (typeof rolloutStates)[number];

export type CheckVerdict = 'passed' | 'failed' | 'inconclusive';

/** What a check of a rollout saw at its last look. */
export interface CheckOutcome {
  readonly metric: (typeof checkMetrics)[number];
  readonly verdict: CheckVerdict;
  /** Null while there are too few samples. */
  readonly candidateValue: number | null;
  readonly stableValue: number | null;
  readonly candidateSamples: number;
  readonly stableSamples: number;
  readonly minimumSamples: number;
  /** Of a sequential test: the probability, valid at any look, of such a difference by chance. */
  readonly pValue: number | null;
  /** Failed looks one after the other. */
  readonly failures: number;
  readonly dryRun: boolean;
  /** What was expected and what was seen. */
  readonly said: Saying;
}

/** A rollout of a version, under way or ended. */
export interface RolloutSummary {
  readonly id: number;
  readonly endpoint: string;
  readonly model: string;
  readonly stableVersion: number;
  readonly candidateVersion: number;
  readonly strategy: RolloutPlan['strategy'];
  readonly state: RolloutState;
  /** Why it is paused or ended; null while it runs. */
  readonly reason: Saying | null;
  /** From 0; of strategies without steps 0. */
  readonly step: number;
  readonly stepCount: number;
  /** The candidate's share now, between 0 and 1. */
  readonly share: number;
  readonly checks: readonly CheckOutcome[];
  /** UTC milliseconds. */
  readonly startedAt: number;
  readonly stepSince: number;
  readonly endedAt: number | null;
}

/** One event in the life of an endpoint, kept for good. */
export interface EndpointEvent {
  readonly id: number;
  readonly endpoint: string;
  /** UTC milliseconds. */
  readonly when: number;
  /** Who: a person's name, `registry`, or `analysis`. */
  readonly who: string;
  /** Such as `started`, `stopped`, `rolloutStarted`, `stepped`, `paused`, `resumed`, `promoted`, `rolledBack`. */
  readonly kind: string;
  readonly said: Saying;
}

/** How the versions that an endpoint serves are chosen. */
export type EndpointFollows =
  | { readonly type: 'pinned' }
  | { readonly type: 'stage'; readonly stage: Stage }
  | { readonly type: 'alias'; readonly alias: string };

export interface EndpointSummary {
  readonly name: string;
  readonly modelName: string;
  /** The stable version. */
  readonly modelVersion: number;
  readonly state: EndpointState;
  /** Such as `http://127.0.0.1:49152`; null unless ready. */
  readonly url: string | null;
  /** Such as `127.0.0.1:49153`; null unless ready and asked for. */
  readonly grpcAddress: string | null;
  /** UTC milliseconds; null when it never was ready. */
  readonly readySince: number | null;
  readonly requestCount: number;
  readonly errorCount: number;
  /** Requests a second over the last ten seconds. */
  readonly rate: number;
  /** Milliseconds over the last minute; null when nothing was asked. */
  readonly latencyP50: number | null;
  readonly latencyP99: number | null;
  readonly variants: readonly VariantSummary[];
  /** The rollout that is under way; null when there is none. */
  readonly rollout: RolloutSummary | null;
  readonly follows: EndpointFollows;
  /** Declared in `slipway.yaml`. */
  readonly declared: boolean;
  /** Why it failed; null unless failed. */
  readonly failure: ErrorData | null;
}

/** What an endpoint's page draws: one point a second, oldest first. */
export interface EndpointLive {
  readonly endpoint: EndpointSummary;
  /** UTC milliseconds of each point. */
  readonly times: readonly number[];
  readonly variants: readonly {
    readonly name: string;
    readonly model: string;
    readonly version: number;
    /** Of each point: requests in that second, of them errors, and percentiles in milliseconds (null: none asked). */
    readonly requests: readonly number[];
    readonly errors: readonly number[];
    readonly latencyP50: readonly (number | null)[];
    readonly latencyP95: readonly (number | null)[];
    readonly latencyP99: readonly (number | null)[];
  }[];
  readonly shadows: readonly ShadowStatistics[];
  readonly rollouts: readonly RolloutSummary[];
  readonly events: readonly EndpointEvent[];
}

export interface EndpointDescription {
  readonly endpoint: EndpointSummary;
  readonly inputs: readonly TensorDescription[];
  readonly outputs: readonly TensorDescription[];
  /** Every version that is loaded. */
  readonly versions: readonly ServedVersion[];
  /** The address to send predictions to, in the Open Inference Protocol. */
  readonly inferUrl: string;
  /** A request body that the model accepts, for `inferUrl`. */
  readonly exampleRequest: string;
  /** Sent as `Authorization: Bearer <token>`; null when the engine runs without one. */
  readonly token: string | null;
}

const endpoint = z.string().min(1).max(256);

/** What the extension host asks the engine about endpoints. */
export const servingRequests = {
  /** All endpoints, running or not, by name. */
  'serving/endpoints': request<readonly EndpointSummary[]>()(z.object({})),
  /**
   * Serves a version on this machine and answers when it is ready. The endpoint bears the model's name; one that
   * already runs is moved to the given version, on its old port. `port` null means the old port or a free one.
   */
  'serving/start': request<EndpointSummary>()(
    z.object({
      modelName: endpoint,
      modelVersion: z.number().int().positive(),
      port: z.number().int().min(1).max(65535).nullable(),
    }),
  ),
  /** Ends the endpoint's process; its definition and its inference log stay. */
  'serving/stop': request<EndpointSummary>()(z.object({ endpoint })),
  /**
   * Stops an endpoint and forgets it, with its rollouts. Its audit trail stays, and so does its inference log, unless
   * that is to be deleted, too.
   */
  'serving/delete': request<null>()(z.object({ endpoint, log: z.enum(['keep', 'delete']) })),
  'serving/describe': request<EndpointDescription>()(z.object({ endpoint })),
  /**
   * Lets an endpoint be asked by a further host name, such as that under which the editor itself is open in a browser;
   * kept while the engine runs.
   */
  'serving/serveHost': request<null>()(z.object({ endpoint, host: hostName })),
  /** Sends one request to a ready endpoint and gives the answer as text. */
  'serving/sendRequest': request<{
    readonly status: number;
    readonly body: string;
    readonly milliseconds: number;
  }>()(z.object({ endpoint, body: z.string() })),
  /** What happened since a moment (UTC milliseconds), at most a quarter of an hour ago. */
  'serving/live': request<EndpointLive>()(z.object({ endpoint, from: z.number() })),
  /** Begins to bring a version in. The plan is that of `slipway.yaml`, unless one is given. */
  'serving/startRollout': request<RolloutSummary>()(
    z.object({
      endpoint,
      modelVersion: z.number().int().positive(),
      /** As `slipway.yaml` would have it, with durations as texts; checked here, read with `rolloutPlan`. */
      plan: z.custom<RolloutPlanInput>((plan) => rolloutPlan.safeParse(plan).success).nullable(),
      who: z.string().min(1),
    }),
  ),
  /**
   * `promote` makes the candidate the stable version now; `rollBack` sends all requests to the stable version now;
   * `pause` keeps the shares as they are; `resume` goes on, to the next step where a confirmation was asked for.
   */
  'serving/decideRollout': request<RolloutSummary>()(
    z.object({
      endpoint,
      decision: z.enum(['promote', 'rollBack', 'pause', 'resume']),
      who: z.string().min(1),
      why: z.string(),
      /** The version that comes in instead, where that is why. */
      replacement: z.number().int().positive().optional(),
    }),
  ),
  /** Events of an endpoint, newest first; those of a deleted one are kept. */
  'serving/events': request<readonly EndpointEvent[]>()(
    z.object({ endpoint, limit: z.number().int().min(1).max(10_000) }),
  ),
  /**
   * Finds out how many requests a second a ready endpoint takes, in a process of its own that is killed on abort. Each
   * step is told as `serving/loadTestStep` when it is over. `body` null sends the endpoint's example request.
   */
  'serving/loadTest': request<LoadTestReport>()(
    z.object({ endpoint, body: z.string().min(1).nullable(), plan: loadTestPlan }),
  ),
} as const;
