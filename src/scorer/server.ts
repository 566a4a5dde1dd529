import { createServer, type ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { RequestProblem } from '../inference/problem.ts';
import { endOfTurn } from '../inference/turn.ts';
import type { Access } from './access.ts';
import { type Address, createAddressBook } from './addressBook.ts';
import { readBody } from './incomingBody.ts';
import { IncomingRequest } from './incomingRequest.ts';
import { type ListeningPlace, listen } from './listening.ts';
import type { ChosenVersion, ModelRepository } from './modelRepository.ts';
import { createOpenConnections } from './openConnections.ts';
import { newRequestId } from './requestIds.ts';
import { json, type Prediction, type Protocol, type Route, type ScorerAnswer } from './routing.ts';
import { variantHeader } from './trafficSplit.ts';

export interface ServerOptions {
  readonly place: ListeningPlace;
  readonly access: Access;
  readonly models: ModelRepository;
  readonly protocols: readonly Protocol[];
  readonly bodyBytes: number;
  /** Predictions that may be under way at a time. */
  readonly requests: number;
  readonly requestMilliseconds: number;
  /** What a prediction waits for before it is begun; null when it need not. */
  readonly admission: () => Promise<void> | null;
  /** Told after each prediction request was answered, refused ones included. */
  readonly predicted: (outcome: Outcome) => void;
  /** Told what failed that should not. */
  readonly unforeseen: (error: unknown) => void;
}

/** A prediction request that was answered. */
export interface Outcome {
  /** UTC milliseconds. */
  readonly receivedAt: number;
  readonly latencyMicroseconds: number;
  readonly status: number;
  readonly requestId: string;
  /** Null when the request was refused before a version was chosen. */
  readonly chosen: ChosenVersion | null;
  /** Null when the request was refused. */
  readonly prediction: Prediction | null;
}

export interface ScorerServer {
  readonly port: number;
  /** Answers what comes over a connection that somebody else accepted. */
  take(connection: Socket): void;
  /**
   * Takes no new connections, answers what is under way, at most for so long, and ends. Idle connections are closed
   * after a time of grace.
   */
  drain(milliseconds: number, graceMilliseconds: number): Promise<void>;
}

/** Seconds after which a client that was sent away may come again. */
const retryAfterSeconds = 1;

/** How long a new connection may say nothing while the server drains: a request follows it at once. */
const silentMilliseconds = 500;

/** Listens and answers. @throws SlipwayError `portTaken`; Error of the system. */
export async function startServer(options: ServerOptions): Promise<ScorerServer> {
  const server = createServer({
    IncomingMessage: IncomingRequest,
    requestTimeout: options.requestMilliseconds,
    headersTimeout: Math.min(options.requestMilliseconds, 10_000),
    connectionsCheckingInterval: Math.min(options.requestMilliseconds, 5_000),
    keepAliveTimeout: 65_000,
  });
  const load = { underWay: 0, draining: false };
  const find = createAddressBook(options.protocols);
  const connections = createOpenConnections();
  server.on('connection', connections.add);
  server.on('request', (request, response) => {
    answerRequest(request, response, find, load, options).catch((error: unknown) => {
      if (request.destroyed && !request.complete) return; // The client went away while it was sending.
      options.unforeseen(error);
      response.destroy();
    });
  });
  const port = await listen(server, options.place);
  server.on('error', options.unforeseen);
  return {
    port,
    take(connection) {
      server.emit('connection', connection);
      connection.resume();
    },
    async drain(milliseconds, graceMilliseconds) {
      load.draining = true;
      const deadline = setTimeout(() => server.closeAllConnections(), graceMilliseconds + milliseconds);
      // That of HTTP would close idle connections at once.
      const closed = new Promise((resolve) => NetServer.prototype.close.call(server, resolve));
      const grace = setTimeout(() => server.closeIdleConnections(), graceMilliseconds);
      // Browsers open some ahead of need. For the server they are not idle: their first request may be on its way.
      const silence = setTimeout(() => {
        afterReading(() => {
          for (const connection of connections) if (connection.bytesRead === 0) connection.destroy();
        });
      }, graceMilliseconds + silentMilliseconds);
      await closed;
      // The server does not wait for those that somebody else accepted.
      await connections.closed();
      clearTimeout(deadline);
      clearTimeout(grace);
      clearTimeout(silence);
      server.close(() => undefined);
    },
  };
}

/** Calls back once what had arrived was read: where this thread was busy, timers come before that. */
function afterReading(work: () => void): void {
  // Accepting a connection and reading from it take a turn of the event loop each.
  setImmediate(() => setImmediate(work));
}

interface Load {
  /** Prediction requests that are not answered yet. */
  underWay: number;
  draining: boolean;
}

async function answerRequest(
  request: IncomingRequest,
  response: ServerResponse,
  find: (path: string) => Address,
  load: Load,
  options: ServerOptions,
): Promise<void> {
  const receivedAt = Date.now();
  const started = performance.now();
  const { url = '' } = request;
  const mark = url.indexOf('?');
  const { path, protocol, route } = find(mark === -1 ? url : url.slice(0, mark));
  let chosen: ChosenVersion | null = null;
  let answer: ScorerAnswer;
  let predicts = false;
  try {
    authorise(request, route, options.access);
    const handler = chooseHandler(request, response, path ?? [], route, protocol);
    predicts = route?.predicts === true && request.method === 'POST';
    if (predicts) {
      // Counted before the body is read: that is what takes the memory.
      load.underWay++;
      if (load.underWay > options.requests) throw tooManyRequests(options.requests);
      const admission = options.admission();
      if (admission) await admission;
    }
    const { headers } = request;
    await endOfTurn();
    const read = readBody(request, response, options.bodyBytes);
    const body = Buffer.isBuffer(read) ? read : await read;
    answer = await handler({
      path: path ?? [],
      query: mark === -1 ? '' : url.slice(mark + 1),
      headers,
      body,
      choose(name, wish = {}) {
        chosen = options.models.choose(name, wish, headers);
        return chosen.loaded;
      },
    });
  } catch (error) {
    if (!request.complete && request.destroyed) throw error;
    if (!(error instanceof RequestProblem)) options.unforeseen(error);
    const problem =
      error instanceof RequestProblem
        ? error
        : new RequestProblem(500, 'The scorer failed; its log has the details.');
    answer = protocol
      ? protocol.problem(problem)
      : json(problem.status, JSON.stringify({ error: problem.message }));
    // A body that nobody wants is let past, so that the client comes to read the answer.
    request.discard();
  } finally {
    if (predicts) load.underWay--;
  }
  const clientId = predicts ? givenId(answer, request) : null;
  const requestId = predicts ? (clientId ?? newRequestId()) : null;
  write(response, answer, clientId === null ? requestId : headerText(clientId), chosen, load.draining);
  if (requestId !== null) {
    const latencyMicroseconds = Math.round((performance.now() - started) * 1000);
    const prediction = answer.prediction ?? null;
    options.predicted({
      receivedAt,
      latencyMicroseconds,
      status: answer.status,
      requestId,
      chosen,
      prediction,
    });
  }
}

/** What the client calls its request in the body, else in a header; null when it does not. */
function givenId({ prediction }: ScorerAnswer, { headers }: IncomingRequest): string | null {
  const given = prediction?.requestId ?? headers['x-request-id'];
  return typeof given === 'string' && given !== '' ? given : null;
}

function write(
  response: ServerResponse,
  { status, contentType, body, headers }: ScorerAnswer,
  idHeader: string | null,
  chosen: ChosenVersion | null,
  draining: boolean,
): void {
  const isText = typeof body === 'string';
  const length = isText ? Buffer.byteLength(body) : body.byteLength;
  // A flat list is what Node.js writes with the least work.
  const head: (string | number)[] = ['content-type', contentType, 'content-length', length];
  head.push('cache-control', 'no-store', 'x-content-type-options', 'nosniff');
  if (idHeader !== null) head.push('x-request-id', idHeader);
  if (draining) head.push('connection', 'close');
  if (status === 401) head.push('www-authenticate', 'Bearer');
  if (status === 429 || status === 503) head.push('retry-after', retryAfterSeconds);
  for (const name in headers) {
    const value = headers[name];
    if (Array.isArray(value)) for (const one of value) head.push(name, one);
    else if (value !== undefined) head.push(name, value);
  }
  if (chosen && chosen.variant !== 'version') head.push(variantHeader, chosen.variant);
  response.writeHead(status, head);
  // Where every letter is one byte, no other encoding has to be looked at.
  if (isText && length === body.length) response.end(body, 'latin1');
  else response.end(body);
}

function authorise(request: IncomingRequest, route: Route | null, access: Access): void {
  if (namesTwoHosts(request))
    throw new RequestProblem(400, 'A request names one host, and this one names two.');
  const refusal = access.refusal(request);
  if (refusal) throw refusal;
  if (!route?.open && !access.isAuthorised(request)) {
    throw new RequestProblem(401, 'The endpoint asks for its token: Authorization: Bearer <token>.');
  }
}

/** Whoever else reads such a request may take the other host (RFC 9112, 3.2); Node takes the first. */
function namesTwoHosts({ rawHeaders }: IncomingRequest): boolean {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts > 1;
}

function tooManyRequests(limit: number): RequestProblem {
  return new RequestProblem(429, `More than ${limit} requests are under way here; try again in a moment.`);
}

function chooseHandler(
  { method = '' }: IncomingRequest,
  response: ServerResponse,
  path: readonly string[],
  route: Route | null,
  protocol: Protocol | null,
) {
  if (!route) throw new RequestProblem(404, protocol?.nothingAt(path) ?? 'There is nothing at this address.');
  const handler =
    method === 'POST' ? route.POST : method === 'GET' || method === 'HEAD' ? route.GET : undefined;
  if (handler) return handler;
  const allowed = [...(route.GET ? ['GET', 'HEAD'] : []), ...(route.POST ? ['POST'] : [])].join(', ');
  response.setHeader('allow', allowed);
  throw new RequestProblem(405, `This address answers ${allowed}, not ${method}.`);
}

/** What of a text may stand in a header. */
function headerText(text: string): string {
  return /^[\x20-\x7e]{0,256}$/.test(text) ? text : text.replace(/[^\x20-\x7e]/g, '?').slice(0, 256);
}
