import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { runProgram } from './terminalProgram.ts';

const scripts = join(import.meta.dirname, '../fixtures/python');

/** Keeps trackers from talking to the network and from writing outside of `folder`. */
function environment(folder: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...{
      WANDB_MODE: 'offline',
      WANDB_DATA_DIR: join(folder, 'staging'),
      WANDB_CACHE_DIR: join(folder, 'cache'),
    },
    ...{ WANDB_CONFIG_DIR: join(folder, 'config'), DVC_NO_ANALYTICS: '1', DVCLIVE_LOGLEVEL: 'ERROR' },
    ...{ GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
  };
}

/** Runs a script of a tracker to its end. @throws Error with what it complained about when it fails. */
export async function runTracker(
  python: string,
  script: string,
  folder: string,
  ...args: readonly string[]
): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const { code, output, errors } = await runProgram(python, [join(scripts, script), folder, ...args], {
    cwd: folder,
    env: environment(folder),
  });
  if (code !== 0) throw new Error(`${script} ended with ${code}: ${errors}`);
  return output;
}

/** A script that trains as long as it is told to. */
export interface LiveTracker {
  /** Sends it a value to log, and resolves when it says that it did. */
  log(value: number): Promise<void>;
  /** Lets it finish. */
  end(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
}

/** @param begins whether it says a line before the first value. */
export async function startTracker(
  python: string,
  script: string,
  folder: string,
  begins: boolean,
): Promise<LiveTracker> {
  mkdirSync(folder, { recursive: true });
  const child = spawn(python, [join(scripts, script), folder, 'live'], {
    cwd: folder,
    env: environment(folder),
  });
  child.stderr.resume();
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  if (begins) await lines.next();
  return {
    async log(value) {
      child.stdin.write(`${value}\n`);
      const { done } = await lines.next();
      if (done) throw new Error(`${script} ended early`);
    },
    async end() {
      child.stdin.end();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
    },
    async kill() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
    },
  };
}
