import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { watchProcess } from './leftProcesses.ts';

/** A process that prints a JSON line when it is ready. */
export interface StartedProcess<Ready> {
  readonly pid: number;
  readonly ready: Ready;
  /** All that it has said on its error output so far. */
  errors(): string;
  /** Ends it with a signal, and gives its exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
  readonly ended: Promise<number | null>;
}

export interface ProcessSurroundings {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts a Node program in the foreground and waits for its first line. @throws Error with what it said instead. */
export async function startReady<Ready>(
  args: readonly string[],
  surroundings: ProcessSurroundings = {},
): Promise<StartedProcess<Ready>> {
  const child = watchProcess(
    spawn(process.execPath, args, { ...surroundings, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += String(chunk);
  });
  const ended = once(child, 'close').then(([code]): number | null => code);
  const line = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(([first]) => String(first)),
    ended.then((code) => Promise.reject(new Error(`It ended with exit code ${code}: ${errors}`))),
  ]);
  return {
    pid: child.pid ?? 0,
    ready: JSON.parse(line),
    errors: () => errors,
    ended,
    end(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

/** Runs a Node program to its end. */
export async function runToEnd(args: readonly string[], surroundings: ProcessSurroundings = {}) {
  const child = watchProcess(
    spawn(process.execPath, args, { ...surroundings, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  const ended = once(child, 'close');
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code: Number(code), stdout: stdout.trimEnd(), stderr: stderr.trimEnd() };
}
