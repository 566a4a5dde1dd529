import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fromErrorData, SlipwayError } from '../../protocol/errors.ts';
import {
  type ScorerCommand,
  type ScorerMessage,
  type ScorerOptionsInput,
  scorerOptionsVariable,
} from '../../protocol/scorer.ts';

/** What a scorer says of itself when it is ready. */
export type ScorerReady = Extract<ScorerMessage, { type: 'ready' }>;

/** A scorer process, seen from the engine. */
export interface ScorerProcess {
  /** The number that the system gave the process; null when it could not be started. */
  readonly processId: number | null;
  /** What it said when it became ready. Rejects with what went wrong when it ends before. */
  readonly ready: Promise<ScorerReady>;
  /** Resolves when the process is gone, with what to tell a person about it. */
  readonly ended: Promise<string>;
  /** Lets it answer what is in flight and end; one that does not is killed. Resolves when it is gone. */
  drain(): Promise<void>;
}

export interface ScorerListener {
  counts(requestCount: number, errorCount: number): void;
  /** A line for the output channel. */
  log(level: 'info' | 'warning', message: string): void;
}

/** How long a scorer may take to end beyond the time that its answers may take. */
const killMilliseconds = 15_000;
const keptErrorLines = 20;

/** Starts a scorer under the program that runs this engine (in an editor that is Electron, told to be Node.js). */
export function startScorerProcess(
  script: string,
  options: ScorerOptionsInput,
  listener: ScorerListener,
): ScorerProcess {
  const { endpoint } = options;
  const child = fork(script, [], {
    execPath: process.execPath,
    execArgv: [],
    env: { ...process.env, [scorerOptionsVariable]: JSON.stringify(options) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const errorLines: string[] = [];
  if (child.stderr) {
    createInterface(child.stderr).on('line', (line) => {
      errorLines.push(line);
      if (errorLines.length > keptErrorLines) errorLines.shift();
      listener.log('warning', `${endpoint}: ${line}`);
    });
  }
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => {
      // Only an error without a process is an end; others are followed by one.
      if (child.pid === undefined) resolve(error.message);
    });
    child.once('close', (code, signal) => resolve(describeEnd(code, signal, errorLines)));
  });
  const ready = new Promise<ScorerReady>((resolve, reject) => {
    child.on('message', (message: ScorerMessage) => {
      if (message.type === 'ready') resolve(message);
      else if (message.type === 'failed') reject(fromErrorData(message.error));
      else if (message.type === 'counts') listener.counts(message.requestCount, message.errorCount);
      else listener.log('warning', `${endpoint}: ${message.message}`);
    });
    void ended.then((detail) => reject(new SlipwayError('endpointFailed', { endpoint, detail })));
  });
  return {
    processId: child.pid ?? null,
    ready,
    ended,
    async drain() {
      const command: ScorerCommand = { type: 'drain' };
      // When the command cannot be sent the channel is closed, on which a scorer ends too.
      if (child.connected) child.send(command, () => undefined);
      const deadline = setTimeout(() => child.kill('SIGKILL'), killMilliseconds);
      await ended;
      clearTimeout(deadline);
    },
  };
}

function describeEnd(code: number | null, signal: string | null, errorLines: readonly string[]): string {
  const reason = signal ? `its process was ended by ${signal}` : `its process ended with code ${code}`;
  const last = errorLines.findLast((line) => /error/i.test(line)) ?? errorLines.at(-1);
  return last ? `${reason} (${last})` : reason;
}
