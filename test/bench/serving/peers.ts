import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from '../../freePort.ts';
import { treeOf } from './processorTime.ts';

/** A server of the same model, ready to answer. */
export interface RunningPeer {
  readonly name: string;
  /** Of the first process; its children belong to it. */
  readonly pid: number;
  readonly port: number;
  readonly path: string;
  /** The body that asks for these rows. */
  body(rows: readonly (readonly number[])[]): string;
  /** Milliseconds from the start of its process to the first answer with the status 200. */
  readonly startMilliseconds: number;
  stop(): Promise<void>;
}

export interface PeerModel {
  readonly name: string;
  /** The ONNX file. */
  readonly file: string;
  /** The same model as MLflow keeps it. */
  readonly mlflowFolder: string;
}

export interface Peer {
  readonly name: string;
  /** How many are measured: one process of Node.js is some 10 % faster than another of the same program. */
  readonly processes: number;
  start(model: PeerModel): Promise<RunningPeer>;
}

const root = join(import.meta.dirname, '../../..');
const pythonFiles = join(root, 'test/fixtures/python');
const startPatienceMilliseconds = 120_000;

type Rows = readonly (readonly number[])[];
const openInference = (rows: Rows) =>
  JSON.stringify({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [rows.length, rows[0]?.length ?? 0], data: rows.flat() }],
  });
const instances = (rows: Rows) => JSON.stringify({ instances: rows });
const inputs = (rows: Rows) => JSON.stringify({ inputs: rows });
const infer = ({ name }: PeerModel) => `/v2/models/${name}/infer`;

/**
 * The HTTP and JSON floor of the same Node.js, a server on it that is written by hand, Slipway with and without its log, and
 * the peers that Python is there for.
 */
export function servingPeers(columns: number, logFolder: string): readonly Peer[] {
  const { SLIPWAY_TEST_PYTHON: mlflowPython, SLIPWAY_TEST_PYTHON_SERVING: servingPython } = process.env;
  const one: Rows = [Array.from({ length: columns }, () => 0.5)];
  const node = (name: string, args: (model: PeerModel) => readonly string[]): Peer => ({
    name,
    processes: 3,
    start: (model) => startNode(name, args(model), infer(model), one),
  });
  const cli = join(root, 'dist/cli.cjs');
  return [
    node('floor', () => [join(import.meta.dirname, 'floorServer.ts')]),
    node('by hand', ({ file }) => [join(import.meta.dirname, 'handwrittenServer.ts'), file]),
    node('slipway', ({ file }) => [cli, 'serve', file, '--no-token', '--no-log']),
    node('slipway with log', ({ file, name }) => [
      ...[cli, 'serve', file, '--no-token'],
      ...['--log', join(logFolder, `${name}-${randomUUID()}.db`)],
    ]),
    ...(servingPython
      ? [
          {
            name: 'FastAPI',
            processes: 1,
            start: (model: PeerModel) =>
              startPython('FastAPI', {
                command: [servingPython, '-m', 'uvicorn', 'serving_fastapi:app', '--no-access-log', '--port'],
                model,
                path: '/predict',
                body: instances,
                one,
              }),
          },
          {
            name: 'BentoML',
            processes: 1,
            start: (model: PeerModel) =>
              startPython('BentoML', {
                command: [
                  ...[servingPython, '-m', 'bentoml', 'serve', 'serving_bento:Model'],
                  ...['--host', '127.0.0.1', '--port'],
                ],
                model,
                path: '/predict',
                body: instances,
                one,
              }),
          },
        ]
      : []),
    ...(mlflowPython
      ? [
          {
            name: 'mlflow',
            processes: 1,
            start: (model: PeerModel) =>
              startPython('mlflow', {
                command: [
                  ...[mlflowPython, '-m', 'mlflow', 'models', 'serve', '--model-uri', model.mlflowFolder],
                  ...['--env-manager', 'local', '--host', '127.0.0.1', '--port'],
                ],
                model,
                path: '/invocations',
                body: inputs,
                one,
              }),
          },
        ]
      : []),
  ];
}

async function startNode(
  name: string,
  args: readonly string[],
  path: string,
  one: Rows,
): Promise<RunningPeer> {
  const begin = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`${name} ended with exit code ${code}`))),
  ]);
  const { url }: { readonly url: string } = JSON.parse(String(line));
  const status = await ask(`${url}${path}`, openInference(one));
  if (status !== 200) throw new Error(`${name} answered ${status}`);
  const startMilliseconds = performance.now() - begin;
  return running(name, child, Number(new URL(url).port), path, openInference, startMilliseconds);
}

interface PythonStart {
  /** The port comes last. */
  readonly command: readonly string[];
  readonly model: PeerModel;
  readonly path: string;
  readonly body: (rows: Rows) => string;
  readonly one: Rows;
}

async function startPython(
  name: string,
  { command, model, path, body, one }: PythonStart,
): Promise<RunningPeer> {
  const port = await freePort();
  const begin = performance.now();
  const [python = '', ...args] = command;
  const child = spawn(python, [...args, String(port)], {
    cwd: pythonFiles,
    env: {
      ...process.env,
      MODEL_FILE: model.file,
      PATH: `${dirname(python)}:${process.env.PATH}`,
      PYTHONPATH: pythonFiles,
      PYTHONDONTWRITEBYTECODE: '1',
      BENTOML_DO_NOT_TRACK: 'True',
      // Its log lines would cost it time.
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'ignore', process.env.SLIPWAY_BENCH_VERBOSE ? 'inherit' : 'ignore'],
  });
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  while ((await ask(`http://127.0.0.1:${port}${path}`, body(one))) !== 200) {
    if (ended || performance.now() - begin > startPatienceMilliseconds) {
      end(child);
      throw new Error(`${name} did not start.`);
    }
    await wait(10);
  }
  return running(name, child, port, path, body, performance.now() - begin);
}

function running(
  name: string,
  child: ChildProcess,
  port: number,
  path: string,
  body: (rows: Rows) => string,
  startMilliseconds: number,
): RunningPeer {
  return {
    name,
    pid: child.pid ?? 0,
    port,
    path,
    body,
    startMilliseconds,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      end(child);
      await exited;
    },
  };
}

/** A Python server has workers, some of them in process groups of their own. */
function end({ pid = 0, spawnfile }: ChildProcess): void {
  if (spawnfile === process.execPath) {
    process.kill(pid, 'SIGTERM');
    return;
  }
  for (const member of process.platform === 'linux' ? treeOf(pid) : [pid]) process.kill(member, 'SIGKILL');
}

/** The status of the answer; 0 when there is none. */
async function ask(url: string, body: string): Promise<number> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body,
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}
