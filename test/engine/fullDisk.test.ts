import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type FailingDiskProcess, failingDisksAllowed, startOnFailingDisk } from './failingDisk.ts';
import { inTemporaryFolder, startHeadless } from './headless.ts';
import { endLeftProcesses } from './leftProcesses.ts';
import { mountingAllowed, type NamespaceProcess, type SmallDiskProcess, smallDisks } from './smallDisk.ts';

const cli = [process.execPath, join(import.meta.dirname, '../../dist/cli.cjs')];
const mebibytes = 6;

describe('A disk on which nothing more can be written', function () {
  this.timeout(120_000);
  afterEach(endLeftProcesses);

  for (const disk of smallDisks()) {
    it(`is told as full with 507, and work goes on when there is room again: ${disk.title}`, async () => {
      await inTemporaryFolder(async (workspace) => {
        const engine = disk.start(
          [...cli, 'up', '--workspace', workspace, '--no-token'],
          workspace,
          mebibytes,
        );
        try {
          await fillAndEmpty(engine, workspace);
        } finally {
          engine.end('SIGKILL');
        }
      });
    });
  }

  it('is told as read-only, with what to do, and nothing is changed', async function () {
    const unshare = mountingAllowed();
    if (unshare === null) return this.skip();
    await inTemporaryFolder(async (workspace) => {
      const engine = await startHeadless(workspace);
      await engine.call('POST', '/api/2.0/mlflow/experiments/create', { name: 'before' });
      assert.equal(await engine.stop(), 0);
      const script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"';
      const command = [...cli, 'up', '--workspace', workspace];
      const { status, stderr } = spawnSync(
        'unshare',
        [...unshare, 'sh', '-c', script, join(workspace, '.slipway'), ...command],
        { encoding: 'utf8' },
      );
      assert.equal(status, 1);
      assert.match(
        stderr,
        /^slipway: (Nothing can be recorded in|The store) .*\.slipway.*(writable|written)/,
      );
      assert.doesNotMatch(stderr, /^ +at /m);
      const again = await startHeadless(workspace);
      await again.call('GET', '/api/2.0/mlflow/experiments/get-by-name?experiment_name=before');
      assert.equal(await again.stop(), 0);
    });
  });
});

describe('A disk that fails and turns read-only under way', function () {
  this.timeout(120_000);

  it('is told, what is there can be read on, and it is sound when the disk was repaired', async function () {
    if (!failingDisksAllowed()) return this.skip();
    await inTemporaryFolder(async (workspace) => {
      const engine = startOnFailingDisk([...cli, 'up', '--workspace', workspace, '--no-token'], workspace);
      try {
        await writeAndFail(engine);
        engine.end('SIGTERM');
        assert.equal(await engine.ended, 0);
      } finally {
        engine.end('SIGKILL');
        await engine.ended;
      }
      const { code, output } = engine.repair([...cli, 'check', '--workspace', workspace]);
      assert.equal(code, 0, output);
      assert.match(output, /^The store is sound: 1 experiment, 1 run,/);
    });
  });

  const writeAndFail = async (engine: FailingDiskProcess) => {
    const url = await addressOf(engine);
    const call = async (method: 'POST' | 'PUT', path: string, body: object | string) => {
      const isText = typeof body === 'string';
      const response = await fetch(`${url}/api/2.0/${path}`, {
        method,
        headers: { 'content-type': isText ? 'text/plain' : 'application/json' },
        body: isText ? body : JSON.stringify(body),
      });
      return { status: response.status, answer: await response.text() };
    };
    const created = await call('POST', 'mlflow/runs/create', { experiment_id: '0', start_time: 1 });
    const runId = /"run_id":\s*"(\w{32})"/.exec(created.answer)?.[1] ?? '';
    const log = (step: number) =>
      call('POST', 'mlflow/runs/log-metric', { run_id: runId, key: 'loss', value: 1, timestamp: 1, step });
    const upload = () => call('PUT', `mlflow-artifacts/artifacts/0/${runId}/artifacts/note.txt`, 'note');
    assert.equal((await log(1)).status, 200);

    engine.fail();
    for (const write of [() => log(2), upload]) {
      const { status, answer } = await write();
      assert.equal(status, 507, answer);
      assert.match(
        answer,
        /Nothing can be recorded in .*Make the folder writable.*What was recorded before is safe/,
      );
    }
    const history = `${url}/api/2.0/mlflow/metrics/get-history?run_id=${runId}&metric_key=loss`;
    const { metrics }: { readonly metrics: readonly { readonly step: number }[] } = JSON.parse(
      await (await fetch(history)).text(),
    );
    assert.deepEqual(
      metrics.map(({ step }) => step),
      [1],
    );
  };
});

/** Waits until it is ready. */
async function addressOf(engine: NamespaceProcess): Promise<string> {
  const [line] = await once(createInterface({ input: engine.stdout }), 'line');
  const { url }: { readonly url: string } = JSON.parse(String(line));
  return url;
}

async function fillAndEmpty(engine: SmallDiskProcess, workspace: string): Promise<void> {
  const url = await addressOf(engine);
  const post = async (path: string, body: object) => {
    const response = await fetch(`${url}/api/2.0/mlflow/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer: { readonly error_code?: string; readonly message?: string; readonly run?: unknown } =
      await response.json();
    return { status: response.status, ...answer };
  };
  const created = await post('runs/create', { experiment_id: '0', start_time: 1 });
  const runId = /"run_id":"([^"]+)"/.exec(JSON.stringify(created.run))?.[1] ?? '';
  assert.match(runId, /^[0-9a-f]{32}$/);
  const artifact = (name: string) => `${url}/api/2.0/mlflow-artifacts/artifacts/0/${runId}/artifacts/${name}`;
  const upload = (name: string, bytes: number) =>
    fetch(artifact(name), { method: 'PUT', body: Buffer.alloc(bytes, 1) });
  const metric = (step: number) => ({ key: 'loss', value: step, timestamp: step, step });
  const log = (from: number, count: number) =>
    post('runs/log-batch', {
      run_id: runId,
      metrics: Array.from({ length: count }, (_, index) => metric(from + index)),
    });

  const large = (mebibytes + 1) * 1024 * 1024;
  assert.equal((await upload('filler', 1_500_000)).status, 200);
  const tooLarge = await upload('too-large', large);
  assert.equal(tooLarge.status, 507);
  assert.match(JSON.stringify(await tooLarge.json()), /The disk is full.*Free some space/);
  assert.equal((await fetch(artifact('too-large'))).status, 404, 'nothing half');

  let acknowledged = 0;
  let refused: Awaited<ReturnType<typeof log>> | null = null;
  for (let count = 0; refused === null; count += 1) {
    assert.ok(count < 1_000, 'the disk never gets full');
    const answer = await log(acknowledged, 1_000);
    if (answer.status === 200) acknowledged += 1_000;
    else refused = answer;
  }
  assert.equal(refused.status, 507, JSON.stringify(refused));
  assert.match(refused.message ?? '', /The disk is full|Nothing can be recorded/);
  assert.match(refused.message ?? '', /What was recorded before is safe/);
  // Reading goes on, and says exactly what was acknowledged.
  const pointCount = async () => {
    const answer = await fetch(`${url}/api/2.0/mlflow/metrics/get-history?run_id=${runId}&metric_key=loss`);
    const { metrics }: { readonly metrics: readonly unknown[] } = JSON.parse(await answer.text());
    return metrics.length;
  };
  assert.equal(await pointCount(), acknowledged);

  if (!engine.makeRoom()) assert.equal((await fetch(artifact('filler'), { method: 'DELETE' })).status, 200);
  const after = await log(acknowledged, 1_000);
  assert.equal(after.status, 200, JSON.stringify(after));
  assert.equal(await pointCount(), acknowledged + 1_000);
  assert.equal((await upload('small', 1_000)).status, 200);

  const check = engine.look([...cli, 'check', '--workspace', workspace]);
  assert.match(check.output, /^The store is sound/);
  engine.end('SIGTERM');
  assert.equal(await engine.ended, 0);
}
