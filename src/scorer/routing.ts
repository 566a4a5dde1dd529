import type { IncomingHttpHeaders } from 'node:http';
import type { Tensor } from './datatypes.ts';
import type { RequestProblem } from './problem.ts';

/** A request as the protocols see it. */
export interface ScorerRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface ScorerAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** What was predicted from what, for the inference log. */
  readonly prediction?: Prediction;
}

export interface Prediction {
  /** What the client calls its request; null when it does not. */
  readonly requestId: string | null;
  readonly feeds: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

export type RouteHandler = (request: ScorerRequest) => ScorerAnswer | Promise<ScorerAnswer>;

/** What is at one address. */
export interface Route {
  readonly GET?: RouteHandler;
  readonly POST?: RouteHandler;
  /** Open to everyone, as health checks need no token. */
  readonly open: boolean;
  /** Its POST predicts, and goes to the inference log. */
  readonly predicts: boolean;
}

/** A prediction protocol: its addresses and how it tells a client what went wrong. */
export interface Protocol {
  /** Routes by address, as `addressOf` writes it. */
  readonly routes: ReadonlyMap<string, Route>;
  /** Whether an address that is no route would be this protocol's. */
  owns(path: readonly string[]): boolean;
  /** In words: that and why there is nothing at an address that it owns. */
  nothingAt(path: readonly string[]): string;
  problem(problem: RequestProblem): ScorerAnswer;
}

/** What the protocols know of the scorer that they speak for. */
export interface ServedModel {
  readonly name: string;
  readonly version: number;
  /** False while the scorer drains. */
  isReady(): boolean;
}

/** The one way to write an address whose parts are given decoded. */
export function addressOf(...path: readonly string[]): string {
  return path.map(encodeURIComponent).join('/');
}

/** An answer of JSON text. */
export function json(status: number, body: string): ScorerAnswer {
  return { status, contentType: 'application/json', body };
}

/** A route that anyone may read. */
export function openRoute(GET: RouteHandler): Route {
  return { GET, open: true, predicts: false };
}
