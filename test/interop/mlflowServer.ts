import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from '../freePort.ts';

/** MLflow's own server, over a SQLite store, with its artifacts behind it. */
export interface MlflowServer {
  readonly url: string;
  /** The first of its processes; the others are its children. */
  readonly pid: number;
  /** Ends it with all the processes that it started, and removes its files. */
  close(): void;
}

/**
 * Starts one with the `mlflow` of a Python interpreter. `patience` is how many milliseconds it may take to answer; `workers` how
 * many processes answer, of which MLflow itself starts four.
 *
 * @param kept a folder that has its `mlflow.db` already, and outlives it.
 */
export async function startMlflowServer(
  python: string,
  patience: number,
  workers = 1,
  kept: string | null = null,
): Promise<MlflowServer> {
  const folder = kept ?? mkdtempSync(join(tmpdir(), 'slipway-mlflow-server-'));
  const port = await freePort();
  const child = spawn(
    python,
    [
      ...[
        '-m',
        'mlflow',
        'server',
        '--host',
        '127.0.0.1',
        '--port',
        String(port),
        '--workers',
        String(workers),
      ],
      ...['--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`],
      ...['--serve-artifacts', '--artifacts-destination', join(folder, 'artifacts')],
    ],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that its workers end with it.
      detached: process.platform !== 'win32',
      env: {
        ...process.env,
        MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
        MLFLOW_DISABLE_TELEMETRY: 'true',
        MLFLOW_TRACKING_URI: undefined,
      },
    },
  );
  let said = '';
  let ended = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-8000);
    });
  }
  child.once('exit', () => {
    ended = true;
  });
  const url = `http://127.0.0.1:${port}`;
  const close = () => {
    if (child.pid !== undefined) endTree(child.pid);
    if (kept === null) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const deadline = Date.now() + patience;
  while (!(await isUp(url))) {
    if (ended || Date.now() > deadline) {
      close();
      throw new Error(`mlflow server did not start:\n${said}`);
    }
    // It says nothing when it is ready, so it has to be asked.
    await wait(200);
  }
  return { url, pid: child.pid ?? 0, close };
}

async function isUp(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`)).ok;
  } catch {
    return false;
  }
}

function endTree(pid: number): void {
  if (process.platform === 'win32') {
    spawnSync('taskkill', ['/pid', String(pid), '/T', '/F']);
    return;
  }
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // Gone already.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
