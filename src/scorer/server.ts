import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Access } from './access.ts';
import { RequestProblem } from './problem.ts';
import { addressOf, json, type Prediction, type Protocol, type Route, type ScorerAnswer } from './routing.ts';

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly access: Access;
  readonly protocols: readonly Protocol[];
  readonly bodyBytes: number;
  readonly requestMilliseconds: number;
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
  /** Null when the request was refused. */
  readonly prediction: Prediction | null;
}

export interface ScorerServer {
  readonly port: number;
  /** Takes no new connections, answers what is under way, at most for so long, and ends. */
  drain(milliseconds: number): Promise<void>;
}

/** Listens and answers. @throws Error of the system, `EADDRINUSE` among them. */
export async function startServer(options: ServerOptions): Promise<ScorerServer> {
  const server = createServer({
    requestTimeout: options.requestMilliseconds,
    headersTimeout: Math.min(options.requestMilliseconds, 10_000),
    connectionsCheckingInterval: Math.min(options.requestMilliseconds, 5_000),
    keepAliveTimeout: 65_000,
  });
  server.on('request', (request, response) => {
    answerRequest(request, response, server, options).catch((error: unknown) => {
      if (request.destroyed && !request.complete) return; // The client went away while it was sending.
      options.unforeseen(error);
      response.destroy();
    });
  });
  await listen(server, options.host, options.port);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    drain: (milliseconds) =>
      new Promise((resolve) => {
        const deadline = setTimeout(() => server.closeAllConnections(), milliseconds);
        server.close(() => {
          clearTimeout(deadline);
          resolve();
        });
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function answerRequest(
  request: IncomingMessage,
  response: ServerResponse,
  server: Server,
  options: ServerOptions,
): Promise<void> {
  const receivedAt = Date.now();
  const started = performance.now();
  const path = readPath(request.url ?? '');
  const protocol = path && options.protocols.find((candidate) => candidate.owns(path));
  const route = path && findRoute(path, options.protocols);
  let answer: ScorerAnswer;
  let predicts = false;
  try {
    authorise(request, route, options.access);
    const handler = chooseHandler(request, response, path ?? [], route, protocol ?? null);
    predicts = route?.predicts === true && request.method === 'POST';
    answer = await handler({ headers: request.headers, body: await readBody(request, options.bodyBytes) });
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
    request.resume();
  }
  const requestId = answer.prediction?.requestId ?? crypto.randomUUID();
  if (!server.listening) response.setHeader('connection', 'close');
  if (answer.status === 401) response.setHeader('www-authenticate', 'Bearer');
  if (predicts) response.setHeader('x-request-id', headerText(requestId));
  response.writeHead(answer.status, {
    'content-type': answer.contentType,
    'content-length': Buffer.byteLength(answer.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(answer.body, () => {
    if (!predicts) return;
    const latencyMicroseconds = Math.round((performance.now() - started) * 1000);
    const prediction = answer.prediction ?? null;
    options.predicted({ receivedAt, latencyMicroseconds, status: answer.status, requestId, prediction });
  });
}

/** The decoded parts of a request's path; null when it cannot be decoded. */
function readPath(url: string): readonly string[] | null {
  const [path = ''] = url.split('?');
  try {
    return path.replace(/^\//, '').split('/').map(decodeURIComponent);
  } catch {
    return null;
  }
}

function findRoute(path: readonly string[], protocols: readonly Protocol[]): Route | null {
  const address = addressOf(...path);
  for (const { routes } of protocols) {
    const route = routes.get(address);
    if (route) return route;
  }
  return null;
}

function authorise(request: IncomingMessage, route: Route | null, access: Access): void {
  const refusal = access.refusal(request);
  if (refusal) throw refusal;
  if (!route?.open && !access.isAuthorised(request)) {
    throw new RequestProblem(401, 'The endpoint asks for its token: Authorization: Bearer <token>.');
  }
}

function chooseHandler(
  { method = '' }: IncomingMessage,
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

async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const tooLarge = () =>
    new RequestProblem(413, `The body is larger than the ${limit} bytes that are allowed.`);
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity')
    throw new RequestProblem(415, `A body in "${encoding}" is not understood; send it plain.`);
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  await new Promise<void>((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) {
        request.removeAllListeners('data');
        reject(tooLarge());
      } else chunks.push(chunk);
    });
    request.on('end', resolve);
    request.on('error', reject);
  });
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

/** What of a text may stand in a header. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 256);
}
