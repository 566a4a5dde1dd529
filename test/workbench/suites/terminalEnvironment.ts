import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';

/** The environment variables of a new terminal of the first workspace folder. */
export async function terminalEnvironment(): Promise<Readonly<Record<string, string>>> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-terminal-'));
  const file = join(folder, 'environment.json');
  const script = `require('node:fs').writeFileSync(${JSON.stringify(file)}, JSON.stringify(process.env))`;
  try {
    const terminal = vscode.window.createTerminal({
      name: 'environment',
      shellPath: process.execPath,
      shellArgs: ['-e', script],
      env: { ELECTRON_RUN_AS_NODE: '1' },
    });
    await new Promise<void>((resolve) => {
      const subscription = vscode.window.onDidCloseTerminal((closed) => {
        if (closed !== terminal) return;
        subscription.dispose();
        resolve();
      });
    });
    return JSON.parse(await readFile(file, 'utf8'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Where the engine answers MLflow clients, as a new terminal knows it. */
export interface TrackingServer {
  readonly url: string;
  readonly token: string;
  /** Asks the MLflow REST dialect; `path` begins after `/api/2.0/mlflow/`. Fails unless the status is 200. */
  ask(path: string, body?: unknown): Promise<unknown>;
}

/** The engine that terminals know, once it runs: opens terminals until one has its address. */
export async function trackingServer(): Promise<TrackingServer> {
  for (;;) {
    const { MLFLOW_TRACKING_URI: url, MLFLOW_TRACKING_TOKEN: token } = await terminalEnvironment();
    if (url !== undefined && token !== undefined) return { url, token, ask: createAsk(url, token) };
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function createAsk(url: string, token: string): TrackingServer['ask'] {
  return async (path, body) => {
    const answer = await fetch(`${url}/api/2.0/mlflow/${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    return JSON.parse(text);
  };
}
