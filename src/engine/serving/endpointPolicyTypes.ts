import type { RolloutPlanInput } from '../../protocol/endpointSettings.ts';
import type { ScorerModelInput } from '../../protocol/scorer.ts';
import type { EndpointEvent, EndpointFollows, RolloutSummary } from '../../protocol/serving.ts';
import type { Saying } from '../../protocol/servingSentences.ts';
import type { RolloutSample, WorkerJobOf } from '../../protocol/worker.ts';
import type { Changes } from '../changes.ts';
import type { Database } from '../database/connection.ts';
import type { RegistryService } from '../registry/service.ts';
import type { RolloutClock } from './rolloutClock.ts';
import type { Decision } from './rolloutRules.ts';
import type { Serving, Supervisor } from './supervisorTypes.ts';
import type { EndpointDefinition } from './types.ts';

/** What the policy asks of those who keep and run endpoints. */
export interface EndpointControl {
  all(): readonly EndpointDefinition[];
  find(name: string): EndpointDefinition | null;
  save(definition: EndpointDefinition): void;
  supervisor(name: string): Supervisor;
  /** @throws SlipwayError why the version cannot be served. */
  servable(model: string, version: number): ScorerModelInput;
  /** Does what asks `servable`, which may refuse until large files have been read. */
  whenRead<Result>(work: () => Result): Promise<Result>;
  /** Starts the processes of an endpoint, or others in their place. @throws SlipwayError */
  run(definition: EndpointDefinition): Promise<void>;
  /** Absolute path. */
  inferenceLog(endpoint: string): string;
}

export interface PolicyDependencies {
  readonly database: Database;
  readonly changes: Changes;
  readonly registry: Pick<RegistryService, 'model' | 'modelVersion' | 'promote' | 'takeBack' | 'setAlias'>;
  readonly control: EndpointControl;
  /** The workspace folder, as an absolute path; null: no settings are read. */
  readonly workspace: string | null;
  readonly clock: RolloutClock;
  readonly sample: (job: WorkerJobOf<'rolloutSample'>, signal: AbortSignal) => Promise<RolloutSample>;
}

/** How endpoints change: by `slipway.yaml`, by the registry, by rollouts and by what persons decide. */
export interface EndpointPolicy {
  /** Reads the settings and does what they say; from now on they and the registry are followed. */
  begin(): void;
  /** What an endpoint is to serve. @throws SlipwayError why its stable version cannot be served. */
  serving(definition: EndpointDefinition): Serving;
  /** The port that its settings ask for; null when they do not. */
  port(endpoint: string): number | null;
  facts(endpoint: string): {
    readonly rollout: RolloutSummary | null;
    readonly follows: EndpointFollows;
    readonly declared: boolean;
  };
  /** A person has a version served: a rollout that is under way ends. */
  chosen(definition: EndpointDefinition): Promise<void>;
  /** Its processes are ready. `who` had them started; null: the person. */
  started(definition: EndpointDefinition, who: string | null): Promise<void>;
  /** Its processes were asked to end. `who` asked; null: the person. */
  stopped(endpoint: string, who: string | null, why: Saying): void;
  /** Something about its processes changed; notices crashes. */
  noticed(endpoint: string): void;
  /** Its model has another name; `to` is the endpoint from now on. */
  renamed(endpoint: string, to: EndpointDefinition): void;
  /** A person deletes it: a rollout that is under way ends. @throws SlipwayError `endpointDeclared`. */
  leaves(endpoint: string): Promise<void>;
  /** What is kept of it is removed, but for its audit trail. `remove` removes its definition, in one transaction. */
  deleted(endpoint: string, remove: () => void): void;
  /** `plan` null takes that of the settings. @throws SlipwayError as `Rollouts.start` */
  startRollout(
    endpoint: string,
    version: number,
    plan: RolloutPlanInput | null,
    who: string,
  ): Promise<RolloutSummary>;
  /** @throws SlipwayError as `Rollouts.decide` */
  decideRollout(endpoint: string, decision: Decision): Promise<RolloutSummary>;
  /** Newest first. */
  rollouts(endpoint: string, limit: number): readonly RolloutSummary[];
  /** Newest first. */
  events(endpoint: string, limit: number): readonly EndpointEvent[];
  /** What was begun is waited for; rollouts that are under way go on with the next engine. */
  close(): Promise<void>;
}
