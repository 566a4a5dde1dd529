import { type ChildProcess, fork } from 'node:child_process';

/** Say to a scorer that waits for `begin` what it may load meanwhile. */
export const preloadArguments = {
  /** The runtime of ONNX models. */
  runtime: '--preload-runtime',
  /** What writes an inference log. */
  log: '--preload-log',
} as const;

/** A scorer process that was begun before it is known what it is to serve: both take their time, and take it together. */
export interface BegunScorer {
  /** Gives it away, once; null when somebody has it, or it is gone. */
  take(): ChildProcess | null;
  /** Ends it if nobody took it. */
  discard(): void;
}

/** Starts a process that waits for the message `begin`, and loads meanwhile what it is going to need. */
export function beginScorer(script: string, needs: readonly (keyof typeof preloadArguments)[]): BegunScorer {
  const child = forkScorer(
    script,
    needs.map((need) => preloadArguments[need]),
  );
  let isFree = true;
  const leave = () => {
    isFree = false;
  };
  // Where it cannot be started, the next one that is cannot either, and says so.
  child.once('error', leave).once('exit', leave);
  return {
    take() {
      if (!isFree) return null;
      leave();
      return child;
    },
    discard() {
      if (isFree) child.kill();
      leave();
    },
  };
}

/** Starts a scorer under the program that runs this one (in an editor that is Electron, told to be Node.js). */
export function forkScorer(script: string, args: readonly string[] = []): ChildProcess {
  return fork(script, args, {
    execPath: process.execPath,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}
