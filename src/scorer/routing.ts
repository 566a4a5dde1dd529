import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Tensor } from '../inference/datatypes.ts';
import type { RequestProblem } from '../inference/problem.ts';
import type { LoadedVersion, VersionWish } from './modelRepository.ts';

/** A request as the protocols see it. */
export interface ScorerRequest {
  /** The decoded parts of its path. */
  readonly path: readonly string[];
  /** What stands behind the question mark, not decoded. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  /** Unpacked, where it came packed. */
  readonly body: Buffer;
  /**
   * Leads the request to a version of a model, once. What goes wrong afterwards counts against that version.
   *
   * @throws RequestProblem 404 when there is no such model, version or label.
   */
  choose(name: string, wish?: VersionWish): LoadedVersion;
}

export interface ScorerAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  readonly headers?: OutgoingHttpHeaders;
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
  /** What is at an address; null when nothing is. Called for each request, so it is cheap. */
  find(path: readonly string[]): Route | null;
  /** Whether an address that is no route would be this protocol's. */
  owns(path: readonly string[]): boolean;
  /** In words: that and why there is nothing at an address that it owns. */
  nothingAt(path: readonly string[]): string;
  problem(problem: RequestProblem): ScorerAnswer;
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

/** A route that asks for the token. */
export function guardedRoute(GET: RouteHandler): Route {
  return { GET, open: false, predicts: false };
}
