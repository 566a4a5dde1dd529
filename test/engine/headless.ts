import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { watchProcess } from './leftProcesses.ts';

/** A headless engine, started as a person would: `slipway up` from the built CLI. */
export interface HeadlessEngine {
  readonly url: string;
  readonly token: string | null;
  readonly process: ChildProcess;
  /** Calls the MLflow REST dialect; gives the parsed answer, or throws with status and text. */
  call(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
  ): Promise<Record<string, unknown>>;
  /** Ends it as Ctrl+C does, and gives its exit code. */
  stop(): Promise<number | null>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
}

const cli = join(import.meta.dirname, '../../dist/cli.cjs');

/** Starts `slipway up` in a folder and waits until it is ready. */
export async function startHeadless(
  workspace: string,
  args: readonly string[] = [],
): Promise<HeadlessEngine> {
  const child = watchProcess(
    spawn(process.execPath, [cli, 'up', '--workspace', workspace, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  const exited = once(child, 'exit');
  const line = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(([first]) => String(first)),
    exited.then(([code]) => Promise.reject(new Error(`slipway up ended with exit code ${code}`))),
  ]);
  const { url, token } = parseReadyLine(line);
  return {
    url,
    token,
    process: child,
    async call(method, path, body) {
      const response = await fetch(new URL(path, url), {
        method,
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return JSON.parse(text);
    },
    async stop() {
      child.kill('SIGINT');
      const [code] = await exited;
      return code;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function parseReadyLine(line: string): { url: string; token: string | null } {
  const ready: unknown = JSON.parse(line);
  if (typeof ready === 'object' && ready !== null && 'url' in ready && 'token' in ready) {
    return { url: String(ready.url), token: ready.token === null ? null : String(ready.token) };
  }
  throw new Error(`slipway up printed no ready line but: ${line}`);
}

/** Runs `work` in a new folder of its own, and removes the folder afterwards. */
export async function inTemporaryFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
