import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { describeBackup, restoreStore } from '../../src/engine/engine.ts';
import { storeLayout } from '../../src/engine/layout.ts';
import { type ErrorKind, SlipwayError } from '../../src/protocol/errors.ts';
import { inTemporaryFolder } from './headless.ts';
import { openMaintainedStore, unwatched, withMaintainedStore } from './maintainedStore.ts';

const worker = join(import.meta.dirname, '../../src/worker/main.ts');

describe('Backup and restore', function () {
  this.timeout(60_000);

  /** A store in one folder, and another folder for what is made from it. */
  const inFolders = (work: (workspace: string, backups: string) => Promise<void>) => async () => {
    await inTemporaryFolder(async (workspace) => {
      await inTemporaryFolder(async (backups) => work(workspace, backups));
    });
  };
  const restore = (workspace: string, path: string) => restoreStore({ workspace, worker, path }, unwatched);

  it(
    'copies a store to which is written all the while, as it was at one moment',
    inFolders(async (workspace, backups) => {
      await withMaintainedStore(workspace, async ({ engine, run, layout }) => {
        const runId = run('0', 'trains');
        const fill = (from: number, count: number) => {
          const metrics = Array.from({ length: count }, (_, index) => ({
            key: 'loss',
            value: index,
            timestamp: from + index,
            step: from + index,
          }));
          engine.tracking.logBatch(runId, { metrics, parameters: [], tags: [] });
        };
        for (let batch = 0; batch < 100; batch += 1) fill(batch * 1000, 1000);
        // Another process as SQLite sees it: its writes would make a careless copy begin anew for ever.
        const other = new BetterSqlite3(layout.database);
        let during = 0;
        const backingUp = engine.maintenance.backUp(
          { path: join(backups, 'copy.db'), artifacts: false },
          {
            ...unwatched,
            progress() {
              during += 1;
              fill(1_000_000 + during * 10, 10);
              run('0', 'later');
              other.prepare("INSERT INTO tags VALUES ((SELECT id FROM runs), ?, 'x')").run(`k${during}`);
            },
          },
        );
        const report = await backingUp;
        other.close();
        assert.ok(during > 1, `${during} writes meanwhile`);
        assert.equal(report.path, join(backups, 'copy.db'));
        assert.equal(report.content.runs, 1, 'of the copy');
        assert.deepEqual(readdirSync(backups), ['copy.db']);
        const copy = new BetterSqlite3(report.path, { readonly: true });
        assert.equal(copy.pragma('integrity_check', { simple: true }), 'ok');
        const counted = copy
          .prepare<[], { points: number; counted: number; tags: number }>(
            `SELECT (SELECT COUNT(*) FROM metric_points) AS points, (SELECT SUM(point_count) FROM metric_series) AS counted,
               (SELECT COUNT(*) FROM tags WHERE key LIKE 'k%') AS tags`,
          )
          .get();
        copy.close();
        assert.equal(counted?.points, counted?.counted);
        assert.ok((counted?.points ?? 0) >= 100_000);
        assert.equal(counted?.tags, 0);
      });
    }),
  );

  it(
    'restores runs and artifacts, and keeps what was there',
    inFolders(async (workspace, backups) => {
      let path = '';
      let runId = '';
      let later = '';
      await withMaintainedStore(workspace, async ({ engine, run, model, version, layout, folderOf }) => {
        runId = run('0', 'early');
        version('wine', `models:/${model(runId, 'wine')}`);
        path = (await engine.maintenance.backUp({ path: backups, artifacts: true }, unwatched)).path;
        writeFileSync(join(layout.artifacts, folderOf(engine.tracking.run(runId)), 'note.txt'), 'changed');
        later = run('0', 'later');
        rmSync(join(layout.artifacts, '0', 'models'), { recursive: true });
      });
      const description = await describeBackup(path);
      assert.deepEqual(
        [description.content.runs, description.content.modelVersions, description.hasArtifacts],
        [1, 1, true],
      );
      assert.ok(Math.abs(description.createdAt - Date.now()) < 60_000);

      const report = await restore(workspace, path);

      assert.equal(report.content.runs, 1);
      assert.equal(report.artifactFiles, 2, 'the changed one and the removed one');
      await withMaintainedStore(workspace, async ({ engine, layout, folderOf, hasArtifact }) => {
        const { artifactUri } = engine.tracking.run(runId);
        const note = join(layout.artifacts, folderOf({ artifactUri }), 'note.txt');
        assert.equal(readFileSync(note, 'utf8'), 'ten bytes.');
        assert.throws(() => engine.tracking.run(later), /not found/);
        assert.ok(hasArtifact(`0/${later}/artifacts/note.txt`), 'no file is lost');
        assert.deepEqual((await engine.maintenance.check(unwatched)).findings, []);
        const usage = await engine.maintenance.diskUsage();
        assert.deepEqual(usage.orphans, [{ name: `0/${later}`, bytes: 10 }]);
        assert.ok(usage.replacedBytes > 0);
      });
      assert.ok(report.replaced !== null);
      const kept = join(report.replaced, 'artifacts', '0', runId, 'artifacts', 'note.txt');
      assert.equal(readFileSync(kept, 'utf8'), 'changed');

      // What was replaced is a backup in its turn.
      await restore(workspace, report.replaced);
      await withMaintainedStore(workspace, async ({ engine }) =>
        assert.equal(engine.tracking.run(later).name, 'later'),
      );
    }),
  );

  it(
    'makes a store in a folder that has none',
    inFolders(async (workspace, backups) => {
      const file = join(backups, 'copy.db');
      await withMaintainedStore(workspace, async ({ engine, run }) => {
        run('0', 'one');
        await engine.maintenance.backUp({ path: file, artifacts: false }, unwatched);
      });
      const elsewhere = join(backups, 'project');
      const report = await restore(elsewhere, file);
      assert.equal(report.replaced, null);
      await withMaintainedStore(elsewhere, async ({ engine }) =>
        assert.equal(engine.maintenance.content().runs, 1),
      );
      assert.ok(existsSync(join(elsewhere, '.slipway', '.gitignore')));
    }),
  );

  it(
    'replaces a damaged store, whose log must not be taken for the new one',
    inFolders(async (workspace, backups) => {
      const file = join(backups, 'copy.db');
      const { database } = storeLayout(workspace);
      await withMaintainedStore(workspace, async ({ engine, run }) => {
        run('0', 'one');
        await engine.maintenance.backUp({ path: file, artifacts: false }, unwatched);
      });
      writeFileSync(database, 'this was a store once, before something overwrote all of its beginning');
      writeFileSync(`${database}-wal`, 'and this its log');
      await assert.rejects(openMaintainedStore(workspace), isKind('storeDamaged'));
      const { replaced } = await restore(workspace, file);
      await withMaintainedStore(workspace, async ({ engine }) =>
        assert.equal(engine.maintenance.content().runs, 1),
      );
      assert.ok(readdirSync(String(replaced)).includes('store.db'));
    }),
  );

  it(
    'refuses what is no backup or is damaged, and a store that is open, and changes nothing',
    inFolders(async (workspace, backups) => {
      const file = join(backups, 'copy.db');
      await withMaintainedStore(workspace, async ({ engine, run }) => {
        for (let count = 0; count < 200; count += 1) run('0', `run ${count}`);
        await engine.maintenance.backUp({ path: file, artifacts: false }, unwatched);
      });
      const { database, root } = storeLayout(workspace);
      const before = readFileSync(database);
      const newer = join(backups, 'newer.db');
      writeFileSync(newer, readFileSync(file));
      const store = new BetterSqlite3(newer);
      store.pragma('user_version = 99');
      store.close();
      const damaged = join(backups, 'damaged.db');
      const bytes = readFileSync(file);
      bytes.fill(0x5a, 8 * 4096, 30 * 4096);
      writeFileSync(damaged, bytes);
      const text = join(backups, 'text.db');
      writeFileSync(text, 'no database at all, however long this text may become in the end');
      const foreign = join(backups, 'foreign.db');
      new BetterSqlite3(foreign).exec('CREATE TABLE experiments (id)').close();

      await assert.rejects(restore(workspace, newer), isKind('storeTooNew'));
      for (const path of [damaged, text, foreign, join(backups, 'nothing'), backups]) {
        await assert.rejects(restore(workspace, path), isKind('noBackup'), path);
      }
      await withMaintainedStore(workspace, async ({ run }) => {
        await assert.rejects(restore(workspace, file), isKind('storeInUse'));
        run('0', 'goes on');
      });
      assert.deepEqual(
        readdirSync(root).filter((name) => name.startsWith('restoring') || name === 'replaced'),
        [],
      );
      await withMaintainedStore(workspace, async ({ engine }) =>
        assert.equal(engine.maintenance.content().runs, 201),
      );
      assert.notDeepEqual(readFileSync(database), before);
    }),
  );

  it(
    'writes nothing half: neither when it is cancelled, nor over what is there, nor where it cannot',
    inFolders(async (workspace, backups) => {
      await withMaintainedStore(workspace, async ({ engine, run }) => {
        run('0', 'one');
        const backUp = (path: string, artifacts: boolean, signal = unwatched.signal) =>
          engine.maintenance.backUp({ path, artifacts }, { ...unwatched, signal });
        await assert.rejects(backUp(backups, true, AbortSignal.abort()), isKind('cancelled'));
        await assert.rejects(backUp(join(backups, 'copy.db'), true), isKind('invalidParameter'));
        writeFileSync(join(backups, 'a file'), '');
        await assert.rejects(backUp(join(backups, 'a file', 'below'), false), isKind('backupFailed'));
        writeFileSync(join(backups, 'copy.db'), 'precious');
        await assert.rejects(backUp(join(backups, 'copy.db'), false), isKind('alreadyExists'));
        assert.deepEqual(readdirSync(backups).sort(), ['a file', 'copy.db']);
        assert.equal(readFileSync(join(backups, 'copy.db'), 'utf8'), 'precious');
      });
    }),
  );
});

function isKind(kind: ErrorKind): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SlipwayError, String(error));
    assert.equal(error.kind, kind);
    return true;
  };
}
