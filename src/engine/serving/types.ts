import type { EndpointDescription, EndpointSummary } from '../../protocol/serving.ts';

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

/** The rules of endpoints: one for each registered model, served by a scorer process of its own. */
export interface ServingService {
  /** All endpoints, running or not, by name. */
  endpoints(): readonly EndpointSummary[];
  /** @throws SlipwayError `notFound`. */
  endpoint(name: string): EndpointSummary;
  /**
   * Serves a version and answers when it is ready. An endpoint that runs already is moved to the version: the old
   * process answers what it has accepted and ends, then the new one takes its port. Requests that arrive in between
   * are refused.
   *
   * @throws SlipwayError `versionNotServable`, `modelUnreadable`, `portTaken` or `endpointFailed`.
   */
  start(params: StartParams): Promise<EndpointSummary>;
  /** Ends the endpoint's process; its definition and its inference log stay. @throws SlipwayError `notFound`. */
  stop(name: string): Promise<EndpointSummary>;
  /** @throws SlipwayError `notFound`, or `endpointNotReady` when it does not run. */
  describe(name: string): EndpointDescription;
  /** Sends one Open Inference request. @throws SlipwayError `notFound` or `endpointNotReady`. */
  sendRequest(params: RequestParams): Promise<RequestAnswer>;
  /**
   * Lets the endpoint of a renamed model follow: its name and its inference log at once, and where it runs its
   * process, which is started anew under the new address. Does not throw; what goes wrong is in the log.
   */
  modelRenamed(name: string, newName: string): void;
  /**
   * Ends the endpoint that serves what was deleted; `version` null stands for all versions. Its definition and its
   * inference log stay. Does not throw.
   */
  modelDeleted(name: string, version: number | null): void;
  /** Starts every endpoint that should run. Failures show in the endpoints' states. */
  resume(): void;
  /** Ends all processes; the endpoints that ran will run again after `resume`. */
  close(): Promise<void>;
}
