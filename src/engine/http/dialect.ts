/**
 * The conventions of the MLflow REST dialect, shared by all route files.
 *
 * A route file exports one function, such as `registerRunRoutes(routes, { tracking })`, that calls `routes.rpc(...)`
 * for each remote procedure. Answers are plain objects in snake_case: `undefined` fields vanish; lists go through
 * `encodeList` and doubles through `encodeDouble`. Errors are thrown as `SlipwayError` and become
 * `{error_code, message}` with MLflow's status.
 */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SlipwayError, toSlipwayError } from '../../protocol/errors.ts';
import { invalid } from '../tracking/limits.ts';
import type { Int64 } from '../tracking/types.ts';
import { answerError, answerJson, answerNoSuchEndpoint, answerOtherMethod } from './answer.ts';
import { parseJsonBody } from './bodyJson.ts';
import { createMessage, createSource, isFields, type Message } from './message.ts';

declare global {
  interface JSON {
    /** A value that `JSON.stringify` writes as this text; TypeScript does not know it yet. */
    rawJSON(text: string): object;
  }
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Answers a remote procedure with an object in snake_case, or a stream of its JSON; nothing to say is `{}`. */
export type RpcHandler = (message: Message, request: FastifyRequest) => object | Promise<object>;

/** Answers a request whose body or answer is no message, such as a file; `bodyOf` gives what it brings. */
export type RawHandler = (request: FastifyRequest, reply: FastifyReply) => unknown;

/** Something that can be asked for; `path` may hold `{parameters}` and end in `*`. */
export interface Endpoint {
  readonly method: Method;
  readonly path: string;
}

export interface DialectRoutes {
  /** All that was mounted so far. */
  readonly endpoints: readonly Endpoint[];
  /**
   * Mounts a remote procedure at `/api/{major}.0{path}` and `/ajax-api/{major}.0{path}`.
   * `path` is as in MLflow's protos, such as `/mlflow/logged-models/{model_id}`; path parameters, the query (GET)
   * and the JSON body (else) become one `Message`. `major` is 2 unless said.
   */
  rpc(method: Method, path: string, handler: RpcHandler, major?: 2 | 3): void;
  /** Mounts a raw handler at `/api/2.0{path}` and `/ajax-api/2.0{path}`. A trailing `*` is `request.params['*']`. */
  raw(method: Method, path: string, handler: RawHandler): void;
  /** Mounts a raw handler at exactly this path, such as `/get-artifact`. */
  plain(method: Method, path: string, handler: RawHandler): void;
}

/** The largest JSON body in bytes; MLflow's largest legal field, a dataset profile, has 16 MiB of characters. */
const largestBody = 64 * 1024 * 1024;

/** The routes of an app, to be mounted before it listens. `report` hears of errors that were not foreseen. */
export function createDialectRoutes(app: FastifyInstance, report: (error: unknown) => void): DialectRoutes {
  const known = new Map<string, KnownPath>();
  const endpoints: Endpoint[] = [];
  const plain = (method: Method, path: string, handler: RawHandler) => {
    const methods = known.get(path)?.methods ?? [];
    known.set(path, { pattern: patternOf(path), methods: [...methods, method] });
    endpoints.push({ method, path });
    app.route({ method, url: path.replace(/\{(\w+)\}/g, ':$1'), handler });
  };

  // Bodies stay streams: artifacts may be large and of any type, and messages check type and size themselves.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  app.setErrorHandler((thrown, { raw }, reply) => {
    // Many clients send all of a body before they read: without somebody to take the rest they would wait for ever.
    raw.resume();
    // That a client went away in the middle is no fault of ours to report.
    const error =
      raw.errored === null
        ? toSlipwayError(asClientError(thrown))
        : new SlipwayError('cancelled', {}, { cause: thrown });
    if (error.category === 'internal') report(thrown);
    return answerError(reply, error);
  });
  app.setNotFoundHandler((request, reply) => {
    const [path = '', ...query] = request.url.split('?');
    const methodsAt = (at: string) =>
      [...known.values()].flatMap(({ pattern, methods }) => (pattern.test(at) ? methods : []));
    const methods = methodsAt(path);
    const single = path.replace(/\/{2,}/g, '/');
    if (methods.length === 0 && single !== path && methodsAt(single).length > 0) {
      return reply.redirect([single, ...query].join('?'), 308);
    }
    return methods.length === 0
      ? answerNoSuchEndpoint(reply)
      : answerOtherMethod(reply, request.method, methods);
  });

  return {
    endpoints,
    plain,
    raw(method, path, handler) {
      plain(method, `/api/2.0${path}`, handler);
      plain(method, `/ajax-api/2.0${path}`, handler);
    },
    rpc(method, path, handler, major = 2) {
      const answer: RawHandler = async (request, reply) => {
        const message = await messageOf(request);
        const content = await handler(message, request);
        if (!(content instanceof Readable)) return answerJson(reply, 200, content);
        return reply.header('content-type', 'application/json').send(content);
      };
      plain(method, `/api/${major}.0${path}`, answer);
      plain(method, `/ajax-api/${major}.0${path}`, answer);
    },
  };
}

/** NaN and the infinities travel as text. */
export function encodeDouble(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** All digits of a 64-bit integer, which JSON can hold and a JavaScript number cannot. */
export function encodeInt64(value: Int64): number | object {
  return typeof value === 'number' ? value : JSON.rawJSON(String(value));
}

/** Empty lists are left out of an answer. */
export function encodeList<Item>(items: readonly Item[]): readonly Item[] | undefined {
  return items.length > 0 ? items : undefined;
}

/** Absent text is left out of an answer. */
export function encodeText(text: string | null): string | undefined {
  return text === null || text === '' ? undefined : text;
}

interface KnownPath {
  readonly pattern: RegExp;
  readonly methods: readonly Method[];
}

/** Fastify's own complaints about a request, such as a malformed content type, are the client's fault. */
function asClientError(thrown: unknown): unknown {
  const isClientError =
    thrown instanceof Error &&
    'statusCode' in thrown &&
    typeof thrown.statusCode === 'number' &&
    thrown.statusCode >= 400 &&
    thrown.statusCode < 500;
  return isClientError ? invalid(thrown.message) : thrown;
}

/**
 * What a request brings; nothing when it has no body. The request outlives a reader that stops or fails: it can still
 * be answered, and its error, if it has one, is the client's.
 */
export async function* bodyOf(request: FastifyRequest): AsyncGenerator<Buffer> {
  if (!(request.body instanceof Readable)) return;
  for await (const piece of request.body.iterator({ destroyOnReturn: false })) {
    if (Buffer.isBuffer(piece)) yield piece;
  }
}

/** The message in the query and the path of a request. */
export function queryOf(request: FastifyRequest): Message {
  return createMessage({ ...(isFields(request.query) ? request.query : {}), ...pathParametersOf(request) });
}

/** The message of a call: its query and path (GET), or its JSON body and path. */
export async function messageOf(request: FastifyRequest): Promise<Message> {
  if (request.method === 'GET' || request.method === 'HEAD') return queryOf(request);
  if (request.body !== undefined || request.method !== 'DELETE') checkContentType(request);
  const body = await readText(bodyOf(request));
  return createMessage({ ...parseBody(body), ...pathParametersOf(request) }, '', createSource(body));
}

function pathParametersOf(request: FastifyRequest): Readonly<Record<string, unknown>> {
  return isFields(request.params) ? request.params : {};
}

/** A page of another site cannot send this content type without asking first, which is never granted. */
function checkContentType(request: FastifyRequest): void {
  const header = request.headers['content-type'];
  if (header === undefined) throw invalid('Bad Request. Content-Type header is missing.');
  if (header.split(';', 1)[0]?.trim().toLowerCase() !== 'application/json') {
    throw invalid("Bad Request. Content-Type must be one of ['application/json'].");
  }
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    if (size > largestBody) throw invalid(`The request body exceeds the maximum of ${largestBody} bytes.`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function parseBody(body: string): Readonly<Record<string, unknown>> {
  const parsed = body === '' ? {} : parseJsonBody(body);
  if (isFields(parsed)) return parsed;
  throw invalid('The request body must be a JSON object.');
}

function patternOf(path: string): RegExp {
  const escaped = path.replace(/[.+^$()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/\{\w+\}/g, '[^/]+').replace('*', '.*')}$`);
}
