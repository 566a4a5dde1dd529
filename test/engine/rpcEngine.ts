import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import {
  CancellationTokenSource,
  createMessageConnection,
  IPCMessageReader,
  IPCMessageWriter,
  type MessageConnection,
  ResponseError,
} from 'vscode-jsonrpc/node';
import type { EngineMethod, EngineParams, EngineResult } from '../../src/protocol/engine.ts';
import { isErrorData } from '../../src/protocol/errors.ts';
import { inTemporaryFolder } from './headless.ts';
import { watchProcess } from './leftProcesses.ts';

/** The engine's bundle. */
export const engineScript = join(import.meta.dirname, '../../dist/engine.cjs');
export const token = 'a-token-for-this-test-only';

/** An engine as a child process, spoken to as the extension host does. */
export interface RpcEngine {
  readonly process: ChildProcess;
  readonly connection: MessageConnection;
  request<Method extends EngineMethod>(
    method: Method,
    params: EngineParams<Method>,
  ): Promise<EngineResult<Method>>;
}

/** Starts an engine process that knows no workspace yet. Who uses it has `afterEach(endLeftProcesses)`. */
export function startEngine(): RpcEngine {
  const child = watchProcess(fork(engineScript, { serialization: 'advanced' }));
  const connection = createMessageConnection(new IPCMessageReader(child), new IPCMessageWriter(child));
  connection.listen();
  return {
    process: child,
    connection,
    request: (method, params) => connection.sendRequest(method, params, new CancellationTokenSource().token),
  };
}

/** Ends it as the editor does, and sees that it ends well. */
export async function end(engine: RpcEngine): Promise<void> {
  const exited = once(engine.process, 'exit');
  engine.connection.dispose();
  engine.process.disconnect();
  const [code] = await exited;
  assert.equal(code, 0);
}

/** Runs `work` with an engine process and a folder of its own. */
export async function withEngine(
  work: (engine: RpcEngine, workspace: string) => Promise<void>,
): Promise<void> {
  await inTemporaryFolder(async (workspace) => {
    const engine = startEngine();
    await work(engine, workspace);
    await end(engine);
  });
}

/** Opens the store of a trusted workspace. */
export function openParams(workspace: string): EngineParams<'engine/open'> {
  return { workspace, preferredPort: null, token, trusted: true };
}

/** Opens a workspace; gives its address. */
export async function opened(engine: RpcEngine, workspace: string, preferredPort: number | null) {
  const address = await engine.request('engine/open', { ...openParams(workspace), preferredPort });
  assert.ok(address);
  return address;
}

/** Calls the MLflow REST dialect. */
export async function post(url: string, path: string, body: object): Promise<unknown> {
  const response = await fetch(`${url}/api/2.0/mlflow/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.equal(response.status, 200, await response.clone().text());
  return response.json();
}

/** Creates a run in experiment 0; gives its id. */
export async function createRun(url: string): Promise<string> {
  const answer = JSON.stringify(await post(url, 'runs/create', { experiment_id: '0', start_time: 1 }));
  const id = /"run_id":"(\w{32})"/.exec(answer)?.[1];
  assert.ok(id);
  return id;
}

/** Sees that a request is refused with an error of that kind. */
export async function rejectsWithKind(answer: Promise<unknown>, kind: string): Promise<void> {
  await assert.rejects(answer, (error) => {
    assert.ok(error instanceof ResponseError, String(error));
    assert.ok(isErrorData(error.data), JSON.stringify(error.data));
    assert.equal(error.data.kind, kind);
    return true;
  });
}
