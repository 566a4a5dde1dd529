import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { CancellationTokenSource } from 'vscode-jsonrpc/node';
import { storeLayout } from '../../src/engine/layout.ts';
import type { EngineEvents } from '../../src/protocol/engine.ts';
import { inTemporaryFolder, startHeadless } from './headless.ts';
import { endLeftProcesses } from './leftProcesses.ts';
import {
  createRun,
  end,
  opened,
  openParams,
  post,
  rejectsWithKind,
  startEngine,
  withEngine,
} from './rpcEngine.ts';

const everything = { runIds: null, experimentIds: null, olderThan: null };

describe('The life cycle over JSON-RPC', function () {
  this.timeout(60_000);
  afterEach(endLeftProcesses);

  it('deletes, restores, lists and deletes for good', async () => {
    await withEngine(async (engine, workspace) => {
      const { url } = await opened(engine, workspace, null);
      const [parent, child] = [await createRun(url), await createRun(url)];
      await post(url, 'runs/set-tag', { run_id: child, key: 'mlflow.parentRunId', value: parent });
      const grandchild = await createRun(url);
      await post(url, 'runs/set-tag', { run_id: grandchild, key: 'mlflow.parentRunId', value: child });
      const nested = await engine.request('maintenance/nestedRuns', { runId: parent });
      assert.deepEqual(nested.toSorted(), [child, grandchild].toSorted());

      await engine.request('maintenance/deleteRuns', { runIds: [parent, ...nested] });
      // Deleting and restoring what is so already changes nothing.
      await engine.request('maintenance/deleteRuns', { runIds: [parent] });
      const deleted = await engine.request('maintenance/deleted', { limit: 2 });
      assert.deepEqual([deleted.runs.length, deleted.runCount, deleted.experiments], [2, 3, []]);
      await engine.request('maintenance/restoreRuns', { runIds: [parent] });
      await engine.request('maintenance/restoreRuns', { runIds: [parent] });
      await rejectsWithKind(
        engine.request('maintenance/deleteRuns', { runIds: [parent, 'f'.repeat(32)] }),
        'notFound',
      );
      assert.equal((await engine.request('tracking/run', { runId: parent })).lifecycleStage, 'active');

      const found = await engine.request('maintenance/garbage', everything);
      assert.equal(found.runs.length, 2);
      const told = once(engine.process, 'message');
      const report = await engine.request('maintenance/collectGarbage', everything);
      assert.equal(report.runs.length, 2);
      await told;
      await rejectsWithKind(engine.request('tracking/run', { runId: child }), 'notFound');
      assert.deepEqual(
        (await engine.request('tracking/experiments', {})).map(({ runCount }) => runCount),
        [1],
      );
    });
  });

  it('backs up, restores under the same address, measures and checks, and tells its progress', async () => {
    await inTemporaryFolder(async (backups) => {
      await withEngine(async (engine, workspace) => {
        const { url } = await opened(engine, workspace, null);
        const methods = new Set<string>();
        engine.connection.onNotification('job/progress', (told: EngineEvents['job/progress']) => {
          methods.add(told.method);
        });
        const early = await createRun(url);
        const { path } = await engine.request('maintenance/backup', { path: backups, artifacts: true });
        const later = await createRun(url);
        const description = await engine.request('maintenance/describeBackup', { path });
        assert.equal(description.content.runs, 1);
        assert.equal((await engine.request('maintenance/content', {})).runs, 2);

        const anythingChanged = new Promise<void>((resolve) => {
          const hear = ({ experimentIds }: EngineEvents['tracking/changed']) => {
            if (experimentIds.length === 0) resolve();
          };
          engine.connection.onNotification('tracking/changed', hear);
        });
        const restored = await engine.request('maintenance/restore', { path });
        assert.equal(restored.content.runs, 1);
        await anythingChanged;
        assert.equal((await engine.request('tracking/run', { runId: early })).run.runId, early);
        await rejectsWithKind(engine.request('tracking/run', { runId: later }), 'notFound');
        await createRun(url);

        await rejectsWithKind(
          engine.request('maintenance/restore', { path: join(backups, 'nothing') }),
          'noBackup',
        );
        const usage = await engine.request('maintenance/diskUsage', {});
        assert.ok(usage.storeBytes > 0 && usage.replacedBytes > 0);
        const { findings, content } = await engine.request('maintenance/check', {});
        assert.deepEqual([findings, content.runs], [[], 2]);
        assert.deepEqual([...methods].sort(), [
          'maintenance/backup',
          'maintenance/check',
          'maintenance/restore',
        ]);
      });
    });
  });

  const lose = (content: Buffer, page: number) => content.fill(0, (page - 1) * 4096, page * 4096);
  for (const [damage, harm] of [
    ['is no database any more', (content: Buffer) => lose(content, 1)],
    ['shows its damage only when a table is read', (content: Buffer, page: number) => lose(content, page)],
  ] as const) {
    it(`restores over a store that ${damage}`, async () => {
      await inTemporaryFolder(async (workspace) => {
        await inTemporaryFolder(async (backups) => {
          const path = join(backups, 'copy.db');
          const first = startEngine();
          const runId = await createRun((await opened(first, workspace, null)).url);
          await first.request('maintenance/backup', { path, artifacts: false });
          await end(first);
          const { database } = storeLayout(workspace);
          writeFileSync(database, harm(readFileSync(database), rootPage(database, 'programs')));

          const engine = startEngine();
          await rejectsWithKind(engine.request('engine/open', openParams(workspace)), 'storeDamaged');
          await rejectsWithKind(engine.request('tracking/run', { runId }), 'storeDamaged');
          const nothing = join(backups, 'nothing');
          await rejectsWithKind(engine.request('maintenance/restore', { path: nothing }), 'noBackup');
          await rejectsWithKind(engine.request('maintenance/content', {}), 'storeDamaged');
          assert.equal((await engine.request('maintenance/describeBackup', { path })).content.runs, 1);
          assert.ok((await engine.request('maintenance/restore', { path })).replaced);
          assert.equal((await engine.request('tracking/run', { runId })).run.runId, runId);
          await end(engine);
        });
      });
    });
  }

  it('restores nothing under another engine, goes on, and can be cancelled', async () => {
    await inTemporaryFolder(async (workspace) => {
      await inTemporaryFolder(async (backups) => {
        const engine = startEngine();
        const { url } = await opened(engine, workspace, null);
        const runId = await createRun(url);
        const path = join(backups, 'copy.db');
        await engine.request('maintenance/backup', { path, artifacts: false });
        const other = await startHeadless(workspace);
        await rejectsWithKind(engine.request('maintenance/restore', { path }), 'storeInUse');
        await createRun(url);
        assert.equal(await other.stop(), 0);

        const cancellation = new CancellationTokenSource();
        const checking = engine.connection.sendRequest('maintenance/check', {}, cancellation.token);
        cancellation.cancel();
        await rejectsWithKind(checking, 'cancelled');
        assert.equal((await engine.request('tracking/run', { runId })).run.runId, runId);
        await end(engine);
      });
    });
  });
});

/** The first page of a table. */
function rootPage(file: string, table: string): number {
  const database = new BetterSqlite3(file, { readonly: true });
  try {
    const page = database
      .prepare<[string], number>('SELECT rootpage FROM sqlite_schema WHERE name = ?')
      .pluck();
    return page.get(table) ?? 0;
  } finally {
    database.close();
  }
}
