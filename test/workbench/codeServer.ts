import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readdir, symlink } from 'node:fs/promises';
import { createServer, type IncomingMessage, request } from 'node:http';
import { dirname, join } from 'node:path';
import { repository } from '../toolchain/cacheFolder.ts';
import { announcedPort } from './announcedPort.ts';
import {
  installVscodeServer,
  type ServerOptions,
  serverEnvironment,
  type VscodeServer,
} from './vscodeServer.ts';

/**
 * Starts the whole code-server, whose front hands `/proxy/<port>/` on to the ports of its machine, behind a reverse
 * proxy of another host name that only the browser of the test knows. Both hand the `Host` header on as it came.
 *
 * @param name the host name, such as `editor.example.com`.
 * @throws Error with what it said when it ends before it listens.
 */
export async function startProxiedCodeServer(name: string, options: ServerOptions): Promise<VscodeServer> {
  await placeExtension(options.extensionsFolder);
  const server = await startCodeServer(options);
  const proxy = await startReverseProxy(server.port);
  const authority = `${name}:${proxy.port}`;
  return {
    authority,
    browserArguments: [
      `--host-resolver-rules=MAP ${name} 127.0.0.1`,
      // Stands for the encryption of a real proxy, without which the editor does not work.
      `--unsafely-treat-insecure-origin-as-secure=http://${authority}`,
    ],
    ended: server.ended,
    async close() {
      await server.close();
      await proxy.close();
    },
  };
}

/** code-server takes no extension in development: the repository's stands among those that are installed. */
async function placeExtension(extensionsFolder: string): Promise<void> {
  const folder = join(extensionsFolder, 'slipway');
  await mkdir(folder);
  for (const name of await readdir(repository)) {
    const path = join(repository, name);
    // The manifest of an installed extension may be written to.
    if (name === 'package.json') await copyFile(path, join(folder, name));
    else if (/^(?:dist|media|l10n|node_modules|package\.nls.*\.json)$/.test(name)) {
      await symlink(path, join(folder, name));
    }
  }
}

async function startCodeServer(options: ServerOptions) {
  const lib = dirname(dirname(dirname(await installVscodeServer())));
  const child = spawn(
    process.execPath,
    [
      join(dirname(lib), 'out', 'node', 'entry.js'),
      ...[
        '--bind-addr',
        '127.0.0.1:0',
        '--auth',
        'none',
        '--config',
        join(options.dataFolder, 'config.yaml'),
      ],
      ...['--disable-telemetry', '--disable-update-check', '--disable-getting-started-override'],
      ...(options.trusted ? ['--disable-workspace-trust'] : []),
      ...['--user-data-dir', join(options.dataFolder, 'data'), '--extensions-dir', options.extensionsFolder],
    ],
    { env: serverEnvironment(options.environment), stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const ended = once(child, 'close').then(() => undefined);
  const announcement = /HTTP server listening on http:\/\/127\.0\.0\.1:(\d+)/;
  const port = await announcedPort(child, announcement, 'code-server');
  return {
    port,
    ended,
    async close() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Hands all requests on to a port of this machine, with their headers as they came. */
async function startReverseProxy(target: number) {
  const forward = ({ method, url, headers }: IncomingMessage) =>
    request({ host: '127.0.0.1', port: target, method, path: url, headers });
  const proxy = createServer((asked, answer) => {
    const sent = forward(asked);
    sent.on('response', (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    sent.on('error', () => answer.destroy());
    asked.pipe(sent);
  });
  proxy.on('upgrade', (asked, client, head) => {
    const sent = forward(asked);
    sent.on('upgrade', (got, socket) => {
      const headers = Object.entries(got.headers).map(([header, value]) => `${header}: ${value}\r\n`);
      client.write(`HTTP/1.1 101 Switching Protocols\r\n${headers.join('')}\r\n`);
      socket.write(head);
      socket.pipe(client).pipe(socket);
      socket.on('error', () => client.destroy());
      client.on('error', () => socket.destroy());
    });
    sent.on('response', () => client.destroy());
    sent.on('error', () => client.destroy());
    sent.end();
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  if (typeof address !== 'object' || address === null) throw new Error('The reverse proxy has no port.');
  return {
    port: address.port,
    async close() {
      const closed = once(proxy, 'close');
      proxy.close();
      proxy.closeAllConnections();
      await closed;
    },
  };
}
