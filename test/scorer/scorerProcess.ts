import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import {
  type ScorerMessage,
  type ScorerOptionsInput,
  type ServedVersion,
  type scorerCommand,
  scorerOptionsVariable,
} from '../../src/protocol/scorer.ts';

export const scorerScript = join(import.meta.dirname, '../../src/scorer/main.ts');

/** Those that a test which failed may have left. */
const running = new Set<ChildProcess>();

/** A folder for the files of one test suite. */
export async function temporaryFolder(): Promise<string> {
  return await mkdtemp(join(tmpdir(), 'slipway-scorer-'));
}

type CommandInput = z.input<typeof scorerCommand>;
type WithoutId<Command> = Command extends { readonly id: number } ? Omit<Command, 'id'> : never;
export type NewCommand = WithoutId<CommandInput>;

let lastCommand = 0;

export interface RunningScorer {
  readonly process: ChildProcess;
  readonly url: string;
  readonly ready: Extract<ScorerMessage, { type: 'ready' }>;
  /** What it says of the first version. */
  readonly version: ServedVersion;
  readonly messages: readonly ScorerMessage[];
  readonly token: string | null;
  /** Sends a request with the token; a body that is no text is sent as JSON. */
  ask(path: string, options?: AskOptions): Promise<Answer>;
  /** Sends a command and waits for its answer. */
  command(command: NewCommand): Promise<Extract<ScorerMessage, { type: 'done' | 'refused' }>>;
  /** Ends the process as the engine does, and gives its exit code. */
  drain(): Promise<number | null>;
}

export interface AskOptions {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form, and compare what they find
  readonly json: any;
  readonly headers: Headers;
}

/** Options of a scorer, and of the version 3 of "wine" that it serves first; `models` come beside it. */
export type ScorerTestOptions = Partial<Omit<ScorerOptionsInput, 'inferenceLog'>> & {
  readonly columns?: readonly string[];
  readonly example?: string;
  /** A file, or all that is said of a log. */
  readonly inferenceLog?: string | ScorerOptionsInput['inferenceLog'];
};

/** The path of a model that is given as bytes or as a path. */
export async function modelFile(folder: string, model: Buffer | string): Promise<string> {
  if (typeof model === 'string') return model;
  const file = join(folder, `${crypto.randomUUID()}.onnx`);
  await writeFile(file, model);
  return file;
}

/** Starts a scorer process that serves `model` (bytes of an ONNX file, or a path) and waits until it is ready. */
export async function startScorerProcess(
  folder: string,
  model: Buffer | string,
  options: ScorerTestOptions = {},
): Promise<RunningScorer> {
  const { columns, example, inferenceLog, models = [], ...rest } = options;
  const messages: ScorerMessage[] = [];
  const { child, first } = forkScorer(
    {
      endpoint: 'wine',
      models: [
        {
          name: 'wine',
          version: 3,
          source: { type: 'onnx', file: await modelFile(folder, model) },
          columns: columns ? [...columns] : null,
          example: example ?? null,
        },
        ...models,
      ],
      host: '127.0.0.1',
      port: 0,
      token: 'a token for the tests',
      inferenceLog: typeof inferenceLog === 'string' ? { file: inferenceLog } : (inferenceLog ?? null),
      ...rest,
    },
    (message) => messages.push(message),
  );
  const ready = await first;
  if (ready.type !== 'ready') throw new Error(`The scorer did not start: ${JSON.stringify(ready)}`);
  const [version] = ready.versions;
  if (!version) throw new Error('The scorer serves nothing.');
  const token = options.token === undefined ? 'a token for the tests' : options.token;
  const url = `http://127.0.0.1:${ready.port}`;
  return {
    process: child,
    url,
    ready,
    version,
    messages,
    token,
    ask: (path, request) => ask(url, token, path, request),
    async command(command) {
      const id = ++lastCommand;
      const answered = new Promise<Extract<ScorerMessage, { type: 'done' | 'refused' }>>((resolve) => {
        const listen = (message: ScorerMessage) => {
          if ((message.type !== 'done' && message.type !== 'refused') || message.id !== id) return;
          child.off('message', listen);
          resolve(message);
        };
        child.on('message', listen);
      });
      child.send({ ...command, id });
      return answered;
    },
    async drain() {
      const exited = once(child, 'exit');
      child.send({ type: 'drain' });
      const [code] = await exited;
      return code;
    },
  };
}

/** Starts a scorer process; `first` is its first message that is no warning. */
export function forkScorer(options: ScorerOptionsInput, listen: (message: ScorerMessage) => void) {
  const child = fork(scorerScript, [], {
    env: { ...process.env, [scorerOptionsVariable]: JSON.stringify(options) },
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const first = new Promise<ScorerMessage>((resolve, reject) => {
    child.on('message', (message: ScorerMessage) => {
      listen(message);
      if (message.type !== 'warning') resolve(message);
    });
    child.once('exit', (code, signal) => reject(new Error(`The scorer ended: ${code ?? signal}`)));
  });
  return { child, first };
}

async function ask(
  url: string,
  token: string | null,
  path: string,
  options: AskOptions = {},
): Promise<Answer> {
  const { body, method = body === undefined ? 'GET' : 'POST', headers = {} } = options;
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, text, json, headers: response.headers };
}

/** Removes the folder of a test suite, and ends the scorers that a failed test left. */
export async function removeFolder(folder: string): Promise<void> {
  for (const child of running) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
}
