import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inTemporaryFolder } from './headless.ts';
import { endLeftProcesses, watchProcess } from './leftProcesses.ts';
import {
  createRun,
  end,
  engineScript,
  opened,
  openParams,
  post,
  rejectsWithKind,
  startEngine,
  token,
  withEngine,
} from './rpcEngine.ts';

describe('engine over JSON-RPC', function () {
  this.timeout(30_000);
  afterEach(endLeftProcesses);

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
        metrics: [{ key: 'loss', part: { kind: 'after', step: 1 }, smoothing: 0 }],
        budget: 100,
      });
      assert.ok(series);
      assert.deepEqual(series.steps, new Float64Array([2, 3]));
      assert.deepEqual(series.values, new Float64Array([1 / 2, 1 / 3]));
      assert.equal(series.pointCount, 3);
    });
  });

  it('takes a relative artifact location for one in the workspace', async () => {
    await withEngine(async (engine, workspace) => {
      const { url } = await opened(engine, workspace, null);
      const created = await post(url, 'experiments/create', { name: 'near', artifact_location: 'near/by' });
      const id = /"experiment_id":"(\d+)"/.exec(JSON.stringify(created))?.[1];
      const response = await fetch(`${url}/api/2.0/mlflow/experiments/get?experiment_id=${id}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      const { experiment }: { experiment: { artifact_location: string } } = JSON.parse(await response.text());
      assert.equal(experiment.artifact_location, join(workspace, 'near', 'by'));
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
        untrusted.request('serving/delete', { endpoint: 'm', log: 'keep' }),
        untrusted.request('serving/sendRequest', { endpoint: 'm', body: '{}' }),
        untrusted.request('monitoring/drift', { endpoint: 'm', referenceFile: null, from: 0, to: 1 }),
        untrusted.request('tracking/setMainMetric', { experimentId: '0', key: 'k', higherIsBetter: true }),
        untrusted.request('maintenance/deleteRuns', { runIds: [runId] }),
        untrusted.request('maintenance/restoreRuns', { runIds: [runId] }),
        untrusted.request('maintenance/deleteExperiment', { experimentId: '0' }),
        untrusted.request('maintenance/restoreExperiment', { experimentId: '0' }),
        untrusted.request('maintenance/collectGarbage', {
          runIds: null,
          experimentIds: null,
          olderThan: null,
        }),
        untrusted.request('maintenance/backup', { path: join(workspace, 'copy.db'), artifacts: false }),
        untrusted.request('maintenance/restore', { path: join(workspace, 'copy.db') }),
        untrusted.request('maintenance/check', {}),
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
      const parent = watchProcess(
        spawn(
          process.execPath,
          [join(import.meta.dirname, '../fixtures/engineParent.ts'), engineScript, workspace],
          { stdio: ['ignore', 'pipe', 'inherit'] },
        ),
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

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
