import type { RolloutPlanInput } from '../../protocol/endpointSettings.ts';
import type {
  EndpointDescription,
  EndpointEvent,
  EndpointLive,
  EndpointSummary,
  RolloutSummary,
} from '../../protocol/serving.ts';

/** An endpoint as it is kept: what it serves and whether it should run. */
export interface EndpointDefinition {
  readonly name: string;
  readonly modelName: string;
  readonly modelVersion: number;
  /** Whether it should run: it is started again after the engine was. */
  readonly enabled: boolean;
  /** The port that it had last; null when it never was ready. */
  readonly port: number | null;
}

export interface StartParams {
  readonly modelName: string;
  readonly modelVersion: number;
  /** Null means the endpoint's old port when it is free, else any free one. */
  readonly port: number | null;
}

export interface RequestParams {
  readonly endpoint: string;
  readonly body: string;
}

export interface RequestAnswer {
  readonly status: number;
  readonly body: string;
  readonly milliseconds: number;
}

export interface StartRolloutParams {
  readonly endpoint: string;
  readonly modelVersion: number;
  /** Null takes that of `slipway.yaml`, else the default. */
  readonly plan: RolloutPlanInput | null;
  readonly who: string;
}

export interface DecideRolloutParams {
  readonly endpoint: string;
  readonly decision: 'promote' | 'rollBack' | 'pause' | 'resume';
  readonly who: string;
  readonly why: string;
  /** The version that comes in instead, where that is why. */
  readonly replacement?: number | undefined;
}

/** The rules of endpoints: each serves a registered model by scorer processes of its own. */
export interface ServingService {
  /** All endpoints, running or not, by name. */
  endpoints(): readonly EndpointSummary[];
  /** @throws SlipwayError `notFound`. */
  endpoint(name: string): EndpointSummary;
  /**
   * Serves a version and answers when it is ready. An endpoint that runs already is moved to the version without a
   * request that is lost; when the version cannot be loaded, the one that was served goes on.
   *
   * The endpoint bears the model's name.
   *
   * @throws SlipwayError `endpointNameTaken`, `versionNotServable`, `modelUnreadable`, `portTaken` or `endpointFailed`.
   */
  start(params: StartParams): Promise<EndpointSummary>;
  /** Ends the endpoint's process; its definition and its inference log stay. @throws SlipwayError `notFound`. */
  stop(name: string): Promise<EndpointSummary>;
  /**
   * Stops an endpoint and forgets it, with its rollouts; requests that it accepted are answered first. Its audit trail
   * stays, and so does its inference log, unless that is to be deleted, too.
   *
   * @throws SlipwayError `notFound`, or `endpointDeclared` when `slipway.yaml` names it.
   */
  delete(name: string, log: 'keep' | 'delete'): Promise<void>;
  /** @throws SlipwayError `notFound`, or `endpointNotReady` when it does not run. */
  describe(name: string): EndpointDescription;
  /** What happened since a moment (UTC milliseconds). @throws SlipwayError `notFound`. */
  live(name: string, from: number): EndpointLive;
  /** Lets an endpoint be asked by a further host name, as long as the engine runs. @throws SlipwayError `notFound`. */
  serveHost(name: string, host: string): Promise<void>;
  /** Sends one Open Inference request. @throws SlipwayError `notFound` or `endpointNotReady`. */
  sendRequest(params: RequestParams): Promise<RequestAnswer>;
  /**
   * Begins to bring a version in, and answers when requests are led to it. One that cannot be loaded is rolled back at
   * once, with the reason in the answer.
   *
   * @throws SlipwayError `notFound`, `rolloutUnderWay`, `versionIsStable` or `endpointNotReady`.
   */
  startRollout(params: StartRolloutParams): Promise<RolloutSummary>;
  /** Does what a person decided of a rollout, at once. @throws SlipwayError `notFound` or `noRollout`. */
  decideRollout(params: DecideRolloutParams): Promise<RolloutSummary>;
  /** The audit trail of an endpoint, newest first, also of a deleted one. @throws SlipwayError `notFound`. */
  events(name: string, limit: number): readonly EndpointEvent[];
  /**
   * Lets the endpoints of a renamed model follow: that of the model's name and its inference log at once, and where they
   * run their processes, which are started anew under the new address. Does not throw; what goes wrong is in the log.
   */
  modelRenamed(name: string, newName: string): void;
  /**
   * Ends the endpoints that serve what was deleted; `version` null stands for all versions. Their definitions and
   * inference logs stay. Does not throw.
   */
  modelDeleted(name: string, version: number | null): void;
  /** Starts every endpoint that should run. Failures show in the endpoints' states. */
  resume(): void;
  /** Ends all processes; the endpoints that ran will run again after `resume`. */
  close(): Promise<void>;
}
