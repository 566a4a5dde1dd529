import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const script = join(import.meta.dirname, '../fixtures/python/tracked_work.py');

/** A `tracked_work.py` that runs. */
export interface TrackedWork {
  readonly process: ChildProcess;
  /** What it printed so far. */
  readonly output: () => string;
  /** All that it printed, once it ended well. */
  readonly ended: Promise<string>;
}

/** Starts `tracked_work.py` in a folder, with the MLflow of an interpreter. */
export function startTrackedWork(
  python: string,
  folder: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): TrackedWork {
  const child = spawn(python, [script, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      // Newer MLflow refuses its own file store without it.
      MLFLOW_ALLOW_FILE_STORE: 'true',
      MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
      GIT_PYTHON_REFRESH: 'quiet',
      ...environment,
    },
  });
  let output = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const ended = once(child, 'close').then(([code]) => {
    assert.equal(code, 0, complaint);
    return output;
  });
  return { process: child, output: () => output, ended };
}

/** What the real client says that a tracking URI holds. */
export async function describeWork(
  python: string,
  folder: string,
  uri: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Description> {
  const text = await startTrackedWork(python, folder, ['describe', uri], environment).ended;
  // MLflow's databases hold no infinity but this number in its place.
  const line = text.trim().split('\n').at(-1) ?? '';
  return JSON.parse(line.replaceAll('1.7976931348623157e+308', 'inf'));
}

export interface Description {
  readonly experiments: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly registered: Readonly<Record<string, unknown>>;
}
