import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../toolchain/cacheFolder.ts';
import { npm, run } from '../toolchain/command.ts';
import { installOnce } from '../toolchain/installOnce.ts';
import { announcedPort } from './announcedPort.ts';

/** The npm package that carries the VS Code server and workbench; 4.139.1 holds VS Code 1.139.1. */
export const serverPackage = { name: 'code-server', version: '4.139.1' } as const;

/** Counted up when what is made of the package changes, so that no machine goes on with what it made before. */
const installation = 2;

const loggerPackage = '@vscode/spdlog';

/** How a VS Code server is started. */
export interface ServerOptions {
  /** Keeps the server's data, the person's settings among them. */
  readonly dataFolder: string;
  readonly extensionsFolder: string;
  /** False: folders open in Restricted Mode. */
  readonly trusted: boolean;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A running VS Code server. */
export interface VscodeServer {
  /** Such as `127.0.0.1:40123`. */
  readonly authority: string;
  /** What a browser must be told to come there. */
  readonly browserArguments?: readonly string[];
  /** Resolves when the process ended, however it ended. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/**
 * Installs the VS Code server into the cache when it is not there yet.
 *
 * @returns the absolute path of its `server-main.js`.
 */
export async function installVscodeServer(): Promise<string> {
  const { name, version } = serverPackage;
  const folder = join(cacheFolder, `${name}-${version}-${installation}`);
  await installOnce(folder, async (partial) => {
    console.log(`Installing the VS Code server (${name} ${version}) into ${folder}; this happens once`);
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await writeFile(join(partial, 'package.json'), '{ "private": true }\n');
    await npm(['install', ...quiet, `${name}@${version}`], { cwd: partial });
    const vscode = join(partial, 'node_modules', name, 'lib', 'vscode');
    await npm(['install', ...quiet, '--omit=dev'], { cwd: vscode });
    await buildLogger(vscode);
  });
  return join(folder, 'node_modules', name, 'lib', 'vscode', 'out', 'server-main.js');
}

/**
 * Builds the native library with which VS Code writes what output channels hold: the package brings its source only.
 * Without a compiler they stay empty.
 */
async function buildLogger(vscode: string): Promise<void> {
  const headers = dirname(dirname(process.execPath));
  const ours = existsSync(join(headers, 'include', 'node', 'node_api.h')) ? [`--nodedir=${headers}`] : [];
  const rebuild = ['rebuild', loggerPackage, '--ignore-scripts=false', '--loglevel=error', ...ours];
  await npm(rebuild, { cwd: vscode }).catch((error: Error) => {
    console.log(`Output channels will stay empty in the VS Code server: ${error.message}`);
  });
}

/** Whether output channels hold what is written to them; the server must be installed. */
export async function writesOutputChannels(): Promise<boolean> {
  const vscode = dirname(dirname(await installVscodeServer()));
  return existsSync(join(vscode, 'node_modules', loggerPackage, 'build', 'Release', 'spdlog.node'));
}

/** Installs a packaged extension into a folder of extensions, without the network. */
export async function installVsix(vsix: string, extensionsFolder: string): Promise<string> {
  const main = await installVscodeServer();
  return run(process.execPath, [
    main,
    '--accept-server-license-terms',
    '--install-extension',
    vsix,
    '--extensions-dir',
    extensionsFolder,
  ]);
}

/**
 * Starts the VS Code server on a free loopback port and waits until it listens.
 *
 * @throws Error with what it said when it ends before.
 */
export async function startVscodeServer(options: ServerOptions): Promise<VscodeServer> {
  const main = await installVscodeServer();
  const child = spawn(
    process.execPath,
    [
      main,
      ...[
        '--host',
        '127.0.0.1',
        '--port',
        '0',
        '--without-connection-token',
        '--accept-server-license-terms',
      ],
      ...['--disable-telemetry', '--enable-smoke-test-driver'],
      ...(options.trusted ? ['--disable-workspace-trust'] : []),
      ...['--server-data-dir', options.dataFolder, '--extensions-dir', options.extensionsFolder],
    ],
    { env: serverEnvironment(options.environment), stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const ended = once(child, 'close').then(() => undefined);
  const port = await announcedPort(child, /Extension host agent listening on (\d+)/, 'The VS Code server');
  return {
    authority: `127.0.0.1:${port}`,
    ended,
    async close() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Variables of an editor around this process would make the server take itself for a part of that editor. */
export function serverEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(VSCODE_|ELECTRON_|MLFLOW_)/.test(name));
  return { ...Object.fromEntries(own), ...extra };
}
