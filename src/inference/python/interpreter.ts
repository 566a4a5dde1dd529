import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFrameReader, encodeFrame, type Frame } from './frames.ts';

/** A process of the person's own Python that talks in frames. */
export interface Interpreter {
  /** The next frame that it says; one waits at a time. @throws InterpreterEnded when there will be none. */
  receive(): Promise<Frame>;
  send(header: unknown, chunks: readonly Uint8Array[]): void;
  kill(): void;
  /** Resolves when the process is gone, with what to tell a person about it. */
  readonly ended: Promise<string>;
}

export interface InterpreterOptions {
  /** Absolute path of the interpreter. */
  readonly python: string;
  /** A file of the folder `pythonWorkers`. */
  readonly script: string;
  readonly args: readonly string[];
  /** Takes what models print. */
  readonly output: (text: string) => void;
}

/** A process went away. Its message tells a person how. */
export class InterpreterEnded extends Error {}

/** Beside this file, as source and as bundle. */
const scriptFolder = join(import.meta.dirname, 'pythonWorkers');
const keptOutput = 4000;
const running = new Set<ChildProcess>();

// What a closed pipe tells the interpreters they may hear only later.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a script of Slipway's under an interpreter. It ends when this process does, however that happens. */
export function startInterpreter({ python, script, args, output }: InterpreterOptions): Interpreter {
  // Without buffers of its own, and without files beside the person's: a model's folder stays as it was logged.
  const child = spawn(python, ['-u', '-B', join(scriptFolder, script), ...args], {
    cwd: tmpdir(),
    env: interpreterEnvironment(process.env),
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  });
  running.add(child);
  const reader = createFrameReader();
  const said: Frame[] = [];
  let heard: ((frame: Frame) => void) | null = null;
  let last = '';
  child.stdout.on('data', (bytes: Buffer) => {
    said.push(...reader.take(bytes));
    const hear = heard;
    const frame = hear && said.shift();
    if (!hear || !frame) return;
    heard = null;
    hear(frame);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    last = (last + text).slice(-keptOutput);
    output(text);
  });
  // The end of the process that follows says more.
  child.stdin.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => {
      if (child.pid === undefined) resolve(error.message);
    });
    child.once('close', (code, signal) => resolve(describeEnd(code, signal, last)));
  });
  void ended.then(() => running.delete(child));
  return {
    receive() {
      const frame = said.shift();
      if (frame) return Promise.resolve(frame);
      const next = new Promise<Frame>((resolve) => {
        heard = resolve;
      });
      const end = ended.then((detail): never => {
        throw new InterpreterEnded(detail);
      });
      return Promise.race([next, end]);
    },
    send(header, chunks) {
      if (!child.stdin.writable) return;
      child.stdin.cork();
      for (const chunk of encodeFrame(header, chunks)) child.stdin.write(chunk);
      child.stdin.uncork();
    },
    kill: () => void child.kill('SIGKILL'),
    ended,
  };
}

/** Of the variables those that are neither Slipway's own nor about this runtime, and no key to the tracking server. */
const withheld =
  /^(SLIPWAY_|NODE_|ELECTRON_|VSCODE_)|^MLFLOW_TRACKING_(TOKEN|USERNAME|PASSWORD)$|^PYTHON(HOME|INSPECT|STARTUP)$/i;

function interpreterEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => !withheld.test(name));
  return {
    ...Object.fromEntries(kept),
    PYTHONIOENCODING: 'utf-8',
    // MLflow and ONNX Runtime would tell their makers, and MLflow make a store where there is none.
    MLFLOW_DISABLE_TELEMETRY: 'true',
    ORT_DISABLE_TELEMETRY: '1',
    MLFLOW_TRACKING_URI: '',
  };
}

function describeEnd(code: number | null, signal: string | null, output: string): string {
  const reason = signal ? `it was ended by ${signal}` : `it ended with code ${code}`;
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const said = lines.findLast((line) => /error/i.test(line));
  return said ? `${reason} (${said.trim().slice(0, 300)})` : reason;
}
