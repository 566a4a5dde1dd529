import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
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

const engineScript = join(import.meta.dirname, '../../dist/engine.cjs');
const token = 'a-token-for-this-test-only';

interface RpcEngine {
  readonly process: ChildProcess;
  readonly connection: MessageConnection;
  request<Method extends EngineMethod>(
    method: Method,
    params: EngineParams<Method>,
  ): Promise<EngineResult<Method>>;
}

describe('engine over JSON-RPC', function () {
  this.timeout(30_000);

  it('opens, answers, tells what changed, and sends series as typed arrays', async () => {
    await withEngine(async (engine, workspace) => {
      const address = await engine.request('engine/open', openParams(workspace));
      assert.ok(address);
      assert.equal(address.token, token);
      assert.deepEqual(await engine.request('tracking/experiments', {}), []);

      const changed = new Promise<unknown>((resolve) =>
        engine.connection.onNotification('tracking/changed', resolve),
      );
      const runId = await createRun(address.url);
      await post(address.url, 'runs/log-batch', {
        run_id: runId,
        metrics: [1, 2, 3].map((step) => ({ key: 'loss', value: 1 / step, timestamp: 1000 + step, step })),
      });
      const change = await changed;
      assert.ok(typeof change === 'object' && change !== null && 'runIds' in change);
      assert.deepEqual(change.runIds, [runId]);

      const [series] = await engine.request('tracking/metricSeries', {
        runId,
        metrics: [{ key: 'loss', afterStep: 1 }],
      });
      assert.ok(series);
      assert.deepEqual(series.steps, new Float64Array([2, 3]));
      assert.deepEqual(series.values, new Float64Array([1 / 2, 1 / 3]));
      assert.equal(series.pointCount, 3);
    });
  });

  it('refuses parameters that are not of the schema, and what it foresees, as named errors', async () => {
    await withEngine(async (engine, workspace) => {
      await rejectsWithKind(engine.request('tracking/experiments', {}), 'engineStopped');
      await engine.request('engine/open', openParams(workspace));
      await rejectsWithKind(engine.request('tracking/run', { runId: 'no-such-run' }), 'notFound');
      await rejectsWithKind(engine.connection.sendRequest('tracking/run', { runId: 7 }), 'invalidParameter');
      await rejectsWithKind(engine.connection.sendRequest('tracking/run', null), 'invalidParameter');
    });
  });

  it('takes its old port again after a crash, and another when that is taken', async () => {
    await inTemporaryFolder(async (workspace) => {
      const first = startEngine();
      const { port } = await opened(first, workspace, null);
      first.process.kill('SIGKILL');
      await once(first.process, 'exit');

      const second = startEngine();
      assert.equal((await opened(second, workspace, port)).port, port);
      const third = startEngine();
      assert.notEqual((await opened(third, join(workspace, 'other'), port)).port, port);
      await Promise.all([end(second), end(third)]);
    });
  });

  it('reads a store and starts, listens and writes nothing where the workspace is not trusted', async () => {
    await inTemporaryFolder(async (workspace) => {
      const trusted = startEngine();
      const { url } = await opened(trusted, workspace, null);
      const runId = await createRun(url);
      await end(trusted);

      const untrusted = startEngine();
      const address = await untrusted.request('engine/open', { ...openParams(workspace), trusted: false });
      assert.equal(address, null);
      assert.equal((await untrusted.request('tracking/run', { runId })).run.runId, runId);
      const refused = [
        untrusted.request('registry/register', { name: 'm', runId, modelId: 'm-1' }),
        untrusted.request('registry/promote', {
          name: 'm',
          version: 1,
          stage: 'Staging',
          who: 'me',
          why: '',
        }),
        untrusted.request('serving/start', { modelName: 'm', modelVersion: 1, port: null }),
        untrusted.request('serving/stop', { endpoint: 'm' }),
        untrusted.request('serving/sendRequest', { endpoint: 'm', body: '{}' }),
        untrusted.request('monitoring/drift', { endpoint: 'm', referenceFile: null, from: 0, to: 1 }),
        untrusted.request('tracking/setMainMetric', { experimentId: '0', key: 'k', higherIsBetter: true }),
      ];
      for (const request of refused) await rejectsWithKind(request, 'workspaceUntrusted');
      await end(untrusted);
    });
  });

  it('creates nothing in a folder that is not trusted', async () => {
    await inTemporaryFolder(async (workspace) => {
      const engine = startEngine();
      await rejectsWithKind(
        engine.request('engine/open', { ...openParams(workspace), trusted: false }),
        'storeUnreadable',
      );
      await end(engine);
      assert.ok(!existsSync(join(workspace, '.slipway')));
    });
  });

  it('ends when its parent is killed', async () => {
    await inTemporaryFolder(async (workspace) => {
      const parent = spawn(
        process.execPath,
        [join(import.meta.dirname, '../fixtures/engineParent.ts'), engineScript, workspace],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      const [line] = await once(parent.stdout, 'data');
      const enginePid = Number(String(line));
      assert.ok(isAlive(enginePid));
      parent.kill('SIGKILL');
      await once(parent, 'exit');
      while (isAlive(enginePid)) await new Promise((resolve) => setImmediate(resolve));
    });
  });
});

function startEngine(): RpcEngine {
  const child = fork(engineScript, { serialization: 'advanced' });
  const connection = createMessageConnection(new IPCMessageReader(child), new IPCMessageWriter(child));
  connection.listen();
  return {
    process: child,
    connection,
    request: (method, params) => connection.sendRequest(method, params, new CancellationTokenSource().token),
  };
}

async function end(engine: RpcEngine): Promise<void> {
  const exited = once(engine.process, 'exit');
  engine.connection.dispose();
  engine.process.disconnect();
  const [code] = await exited;
  assert.equal(code, 0);
}

async function withEngine(work: (engine: RpcEngine, workspace: string) => Promise<void>): Promise<void> {
  await inTemporaryFolder(async (workspace) => {
    const engine = startEngine();
    await work(engine, workspace);
    await end(engine);
  });
}

function openParams(workspace: string): EngineParams<'engine/open'> {
  return { workspace, preferredPort: null, token, trusted: true };
}

async function opened(engine: RpcEngine, workspace: string, preferredPort: number | null) {
  const address = await engine.request('engine/open', { ...openParams(workspace), preferredPort });
  assert.ok(address);
  return address;
}

async function post(url: string, path: string, body: object): Promise<unknown> {
  const response = await fetch(`${url}/api/2.0/mlflow/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.equal(response.status, 200, await response.clone().text());
  return response.json();
}

async function createRun(url: string): Promise<string> {
  const answer = JSON.stringify(await post(url, 'runs/create', { experiment_id: '0', start_time: 1 }));
  const id = /"run_id":"(\w{32})"/.exec(answer)?.[1];
  assert.ok(id);
  return id;
}

async function rejectsWithKind(answer: Promise<unknown>, kind: string): Promise<void> {
  await assert.rejects(answer, (error) => {
    assert.ok(error instanceof ResponseError, String(error));
    assert.ok(isErrorData(error.data), JSON.stringify(error.data));
    assert.equal(error.data.kind, kind);
    return true;
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
