import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startAnswering } from './answeringScript.ts';

const script = join(import.meta.dirname, '../fixtures/python/tracked_work.py');

const environment = {
  // Newer MLflow refuses its own file store without it.
  MLFLOW_ALLOW_FILE_STORE: 'true',
  MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
  GIT_PYTHON_REFRESH: 'quiet',
};

/** Work that goes on. */
export interface GrowingWork {
  /** What it printed so far. */
  readonly output: () => string;
  /** All that it printed, once it ended well. */
  readonly ended: Promise<string>;
}

/** Logs metrics to a tracking URI for some seconds, with the MLflow of an interpreter. */
export function growWork(python: string, folder: string, uri: string, seconds: number): GrowingWork {
  const child = spawn(python, [script, 'grow', uri, String(seconds)], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
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
  return { output: () => output, ended };
}

/** A real client that tracks some work, and tells what a tracking URI holds. */
export interface TrackedWork {
  make(uri: string): Promise<void>;
  describe(uri: string): Promise<Description>;
  close(): Promise<void>;
}

/** The client of an interpreter, in a folder. */
export function openTrackedWork(python: string, folder: string): TrackedWork {
  const client = startAnswering(python, 'tracked_work.py', folder, environment);
  return {
    make: async (uri) => void (await client.ask('make', uri)),
    async describe(uri) {
      // MLflow's databases hold no infinity but this number in its place.
      return JSON.parse((await client.ask('describe', uri)).replaceAll('1.7976931348623157e+308', 'inf'));
    },
    close: () => client.close(),
  };
}

export interface Description {
  readonly experiments: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly registered: Readonly<Record<string, unknown>>;
}
