import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';

/** Makes ports of this machine reachable under one address. */
export interface PortForwarder {
  /** The address of a port, with `{{port}}` in its place, as `VSCODE_PROXY_URI` takes it. */
  readonly template: string;
  close(): Promise<void>;
}

/**
 * Starts a server on a free loopback port that hands `/<port>/path` on to `/path` of that loopback port. It stands for
 * the `/proxy` of code-server, whose front the bare VS Code server lacks. The `Host` header goes on as it came, so that
 * what listens there sees the same host as in the page's `Origin`; names other than loopback's get 403.
 */
export async function startPortForwarder(): Promise<PortForwarder> {
  const server = createServer(forward);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The port forwarder has no port.');
  return {
    template: `http://127.0.0.1:${address.port}/{{port}}/`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Ports below are the system's own. */
const firstPort = 1024;

function forward(asked: IncomingMessage, answer: ServerResponse): void {
  const { method, headers, url = '/' } = asked;
  if (!/^(?:localhost|127\.0\.0\.1)(?::\d+)?$/.test(headers.host ?? '')) {
    answer.writeHead(403).end();
    return;
  }
  const [, digits = '', path = '/'] = /^\/(\d{1,5})(\/.*)$/.exec(url) ?? [];
  const port = Number(digits);
  if (port < firstPort || port > 65_535) {
    answer.writeHead(404).end();
    return;
  }
  const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false });
  sent.once('response', (got) => {
    answer.writeHead(got.statusCode ?? 502, got.headers);
    // An end that breaks off ends the other one, which shows it to whoever asked.
    pipeline(got, answer, () => undefined);
  });
  answer.once('close', () => sent.destroy());
  sent.once('error', () => {
    if (answer.headersSent) answer.destroy();
    else answer.writeHead(502).end();
  });
  asked.pipe(sent);
}
