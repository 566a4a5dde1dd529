import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import BetterSqlite3 from 'better-sqlite3';
import { checkStore } from '../../src/worker/storeCheck.ts';
import { inTemporaryFolder } from './headless.ts';
import { endLeftProcesses, watchProcess } from './leftProcesses.ts';
import { unwatched, withMaintainedStore } from './maintainedStore.ts';

const rounds = Number(process.env.SLIPWAY_TEST_GARBAGE_ROUNDS ?? 5);
const collector = join(import.meta.dirname, '../fixtures/garbageCollector.ts');

describe('kill -9 while something is deleted for good', function () {
  this.timeout(60_000 + rounds * 10_000);
  afterEach(endLeftProcesses);

  it(`leaves no row without its files, and the next time finishes, in ${rounds} rounds`, async () => {
    await inTemporaryFolder(async (workspace) => {
      let cutShort = 0;
      for (let round = 0; round < rounds; round += 1) {
        const { stays, layout, hasArtifact } = await withMaintainedStore(workspace, (before) => {
          for (let count = 0; count < 3; count += 1) {
            const id = before.experiment(`round ${round}, ${count}`);
            for (let index = 0; index < 100; index += 1) before.model(before.run(id, `run ${index}`), 'wine');
            before.engine.tracking.deleteExperiment(id);
          }
          return { ...before, stays: before.run('0', 'stays') };
        });

        const child = watchProcess(
          fork(collector, [workspace], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
        );
        const ended = once(child, 'exit');
        await once(child, 'message');
        let done = false;
        child.once('message', () => {
          done = true;
        });
        child.send('go');
        await pause(Math.random() * 400);
        child.kill('SIGKILL');
        await ended;
        if (!done) cutShort += 1;

        assert.deepEqual(
          checkStore(layout.database, () => undefined),
          [],
        );
        assert.deepEqual(rowsWithoutFiles(layout.database, hasArtifact), [], `round ${round}`);
        await withMaintainedStore(workspace, async (after) => {
          await after.collect();
          assert.equal(after.engine.maintenance.deleted(1).runCount, 0);
          assert.deepEqual(after.notes(), []);
          const { orphans } = await after.engine.maintenance.diskUsage();
          assert.deepEqual(orphans, [], `round ${round}: left behind`);
          assert.equal(after.engine.tracking.run(stays).lifecycleStage, 'active');
        });
      }
      assert.ok(cutShort > 0, 'every collection had ended before it was killed');
    });
  });
});

describe('kill -9 while a backup is restored', function () {
  this.timeout(60_000 + rounds * 10_000);
  afterEach(endLeftProcesses);

  it(`leaves the old store or the new one, and all files of either, in ${rounds} rounds`, async () => {
    await inTemporaryFolder(async (workspace) => {
      await inTemporaryFolder(async (backups) => {
        const { path, layout, hasArtifact } = await withMaintainedStore(workspace, async (first) => {
          for (let index = 0; index < 100; index += 1) first.run('0', `early ${index}`);
          const request = { path: backups, artifacts: true };
          return { ...first, ...(await first.engine.maintenance.backUp(request, unwatched)) };
        });
        for (let round = 0; round < rounds; round += 1) {
          // Something in the store that the backup has not, and files that it has to bring.
          const before = await withMaintainedStore(workspace, ({ engine, run }) => {
            return { later: run('0', 'later'), runs: engine.maintenance.content().runs };
          });
          for (const name of readdirSync(join(path, 'artifacts', '0')).slice(0, 50)) {
            rmSync(join(layout.artifacts, '0', name), { recursive: true, force: true });
          }
          const child = watchProcess(
            fork(join(import.meta.dirname, '../fixtures/restorer.ts'), [workspace, path], {
              stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
            }),
          );
          const ended = once(child, 'exit');
          await once(child, 'message');
          // The part after the check, in which files are moved, is the one that matters.
          const moving = new Promise<void>((resolve) => {
            child.on('message', (told) => {
              if (typeof told !== 'number' || told >= 0.6) resolve();
            });
          });
          child.send('go');
          await Promise.race([moving, ended]);
          await pause(Math.random() * 60);
          child.kill('SIGKILL');
          await ended;
          assert.deepEqual(
            checkStore(layout.database, () => undefined),
            [],
            `round ${round}`,
          );
          await withMaintainedStore(workspace, ({ engine }) => {
            const { runs } = engine.maintenance.content();
            if (runs === 100) {
              assert.deepEqual(rowsWithoutFiles(layout.database, hasArtifact), []);
            } else {
              assert.equal(runs, before.runs);
              assert.equal(engine.tracking.run(before.later).name, 'later');
            }
          });
        }
      });
    });
  });
});

/** Runs and models of the store, deleted ones included, whose files are gone. */
function rowsWithoutFiles(database: string, hasArtifact: (path: string) => boolean): readonly string[] {
  const store = new BetterSqlite3(database, { readonly: true });
  try {
    return store
      .prepare<[], string>('SELECT artifact_uri FROM runs UNION ALL SELECT artifact_uri FROM logged_models')
      .pluck()
      .all()
      .filter((uri) => !hasArtifact(uri.replace('mlflow-artifacts:/', '')));
  } finally {
    store.close();
  }
}
