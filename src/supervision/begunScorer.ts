import { type ChildProcess, fork } from 'node:child_process';

/** Says to a scorer that waits for `begin` that it may load the runtime of ONNX models meanwhile. */
export const preloadArgument = '--preload';

/** A scorer process that was begun before it is known what it is to serve: both take their time, and take it together. */
export interface BegunScorer {
  /** Gives it away, once; null when somebody has it, or it is gone. */
  take(): ChildProcess | null;
  /** Ends it if nobody took it. */
  discard(): void;
}

/** Starts a process that waits for the message `begin`, and loads the runtime of ONNX models meanwhile. */
export function beginScorer(script: string): BegunScorer {
  let child: ChildProcess | null = forkScorer(script, [preloadArgument]);
  const taken = child;
  // Whoever takes a process that could not be started hears of it from the next one.
  taken.once('error', () => {
    child = null;
  });
  taken.once('exit', () => {
    child = null;
  });
  return {
    take() {
      const given = child;
      child = null;
      return given;
    },
    discard() {
      child?.kill();
      child = null;
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
