import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** One call and its answer, as they went over the wire. */
export interface RecordedExchange {
  /** What the script was about to do. */
  readonly step: string;
  readonly method: string;
  /** Decoded, without the query. */
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  readonly requestBody: Buffer;
  readonly status: number;
  readonly type: string;
  readonly disposition: string;
  readonly body: Buffer;
}

export interface RecordingProxy {
  readonly url: string;
  /** All exchanges so far, in the order in which they were answered. */
  readonly exchanges: readonly RecordedExchange[];
  close(): Promise<void>;
}

const stepPath = '/__step/';
/** Where the client offers spans by OpenTelemetry's protocol; without an answer it uploads them as a file. */
const openTelemetryPath = '/v1/traces';

/**
 * Stands between a client and the server at `target`, and records what they say to each other. Two things it answers
 * itself: the script's steps, and OpenTelemetry, which it knows nothing of, so that both servers get spans as files.
 */
export async function openRecordingProxy(target: string): Promise<RecordingProxy> {
  const exchanges: RecordedExchange[] = [];
  let step = '';
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', target);
    if (url.pathname.startsWith(stepPath)) {
      step = url.pathname.slice(stepPath.length);
      response.end();
    } else if (url.pathname === openTelemetryPath) {
      request.resume();
      response.writeHead(404, { 'content-type': 'text/html' }).end();
    } else {
      forward(target, request, response).then(
        (exchange) => exchanges.push({ step, ...exchange }),
        (error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))),
      );
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    exchanges,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Bodies keep their framing: a chunked one stays chunked. */
async function forward(
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Omit<RecordedExchange, 'step'>> {
  const upstream = httpRequest(new URL(request.url ?? '/', target), {
    method: request.method ?? 'GET',
    headers: { ...request.headers, host: new URL(target).host },
    agent: false,
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    upstream.once('response', resolve).once('error', reject);
  });
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece)).pipe(upstream);
  const answer = await answered;
  const body = await buffer(answer);
  const { connection: _, 'transfer-encoding': __, ...headers } = answer.headers;
  response.writeHead(answer.statusCode ?? 502, { ...headers, 'content-length': body.length });
  // Recorded before the client can go on, so that the order is that of the calls.
  const url = new URL(request.url ?? '/', target);
  setImmediate(() => response.end(body));
  return {
    method: request.method ?? 'GET',
    path: decodeURIComponent(url.pathname),
    query: [...url.searchParams],
    requestBody: Buffer.concat(pieces),
    status: answer.statusCode ?? 0,
    type: (answer.headers['content-type'] ?? '').split(';', 1)[0] ?? '',
    disposition: answer.headers['content-disposition'] ?? '',
    body,
  };
}
