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
import { type ErrorCategory, SlipwayError, toSlipwayError } from '../../protocol/errors.ts';
import { createMessage, isFields, type Message } from './message.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Answers a remote procedure with an object in snake_case; nothing to say is `{}`. */
export type RpcHandler = (message: Message) => object;

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
  const known = new Map<string, RegExp>();
  const endpoints: Endpoint[] = [];
  const plain = (method: Method, path: string, handler: RawHandler) => {
    known.set(path, patternOf(path));
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
    const path = request.url.split('?', 1)[0] ?? '';
    const exists = [...known.values()].some((pattern) => pattern.test(path));
    answerNoSuchEndpoint(reply, exists ? 405 : 404);
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
        const message = await readMessage(request);
        return answerJson(reply, 200, handler(message));
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

/** Empty lists are left out of an answer. */
export function encodeList<Item>(items: readonly Item[]): readonly Item[] | undefined {
  return items.length > 0 ? items : undefined;
}

/** Absent text is left out of an answer. */
export function encodeText(text: string | null): string | undefined {
  return text === null || text === '' ? undefined : text;
}

/** Answers with JSON; `undefined` fields are left out. */
export function answerJson(reply: FastifyReply, status: number, body: object): FastifyReply {
  return reply.code(status).header('content-type', 'application/json').send(JSON.stringify(body));
}

/** Answers with `{error_code, message}` and the status that MLflow gives to such an error. */
export function answerError(reply: FastifyReply, error: SlipwayError): FastifyReply {
  const { status, code } = answers[error.category];
  const message = [error.message, error.remedy].filter((sentence) => sentence !== '').join(' ');
  return answerJson(reply, status, { error_code: code, message });
}

/** A client takes 404 without JSON as "this server lacks the endpoint" and uses its fallback. */
function answerNoSuchEndpoint(reply: FastifyReply, status: 404 | 405): FastifyReply {
  const title = status === 404 ? 'Not Found' : 'Method Not Allowed';
  return reply
    .code(status)
    .header('content-type', 'text/html; charset=utf-8')
    .send(`<!doctype html>\n<html lang=en>\n<title>${status} ${title}</title>\n<h1>${title}</h1>\n`);
}

/**
 * Statuses as MLflow's. The Python client repeats requests answered 408, 429, 500, 502, 503 or 504 for minutes, so a
 * condition that we foresee never gets one of those; 507 is for a store that takes no writes.
 */
const answers: Readonly<Record<ErrorCategory, { readonly status: number; readonly code: string }>> = {
  invalid: { status: 400, code: 'INVALID_PARAMETER_VALUE' },
  alreadyExists: { status: 400, code: 'RESOURCE_ALREADY_EXISTS' },
  notFound: { status: 404, code: 'RESOURCE_DOES_NOT_EXIST' },
  denied: { status: 403, code: 'PERMISSION_DENIED' },
  notImplemented: { status: 501, code: 'NOT_IMPLEMENTED' },
  unavailable: { status: 507, code: 'TEMPORARILY_UNAVAILABLE' },
  cancelled: { status: 499, code: 'CANCELLED' },
  internal: { status: 500, code: 'INTERNAL_ERROR' },
};

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

async function readMessage(request: FastifyRequest): Promise<Message> {
  if (request.method === 'GET' || request.method === 'HEAD') return queryOf(request);
  if (request.body !== undefined || request.method !== 'DELETE') checkContentType(request);
  const body = await readText(bodyOf(request));
  return createMessage({ ...parseBody(body), ...pathParametersOf(request) });
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

/** Some clients encode twice, so a text that holds JSON is read once more. */
function parseBody(body: string): Readonly<Record<string, unknown>> {
  if (body === '') return {};
  let parsed = parseJson(body);
  if (typeof parsed === 'string') parsed = parseJson(parsed);
  if (isFields(parsed)) return parsed;
  throw invalid('The request body must be a JSON object.');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return parsePythonJson(text, error);
  }
}

/** Python's json module writes NaN and Infinity bare. They are quoted outside of texts, then parsed again. */
function parsePythonJson(text: string, original: unknown): unknown {
  try {
    return JSON.parse(
      text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (token) =>
        token.startsWith('"') ? token : `"${token}"`,
      ),
    );
  } catch {
    throw invalid(`The request body is not valid JSON: ${messageOf(original)}`);
  }
}

function patternOf(path: string): RegExp {
  const escaped = path.replace(/[.+^$()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/\{\w+\}/g, '[^/]+').replace('*', '.*')}$`);
}

function invalid(detail: string): SlipwayError {
  return new SlipwayError('invalidParameter', { detail });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
