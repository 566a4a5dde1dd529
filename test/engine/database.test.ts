import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { openDatabase } from '../../src/engine/database/connection.ts';
import { migrations } from '../../src/engine/database/migrations/index.ts';
import { SlipwayError } from '../../src/protocol/errors.ts';
import { inTemporaryFolder } from './headless.ts';

describe('store', () => {
  it('numbers its migrations from 1 without a gap', () => {
    assert.deepEqual(
      migrations.map(({ version }) => version),
      migrations.map((_, index) => index + 1),
    );
  });

  it('opens in WAL mode at the newest version, with the experiment 0', async () => {
    await inTemporaryFolder(async (folder) => {
      const database = openDatabase(join(folder, 'store.db'));
      const [mode] = database.prepare<[], { journal_mode: string }>('PRAGMA journal_mode').all();
      const [version] = database.prepare<[], { user_version: number }>('PRAGMA user_version').all();
      const names = database.prepare<[], { name: string }>('SELECT name FROM experiments WHERE id = 0').all();
      database.close();
      assert.equal(mode?.journal_mode, 'wal');
      assert.equal(version?.user_version, migrations.at(-1)?.version);
      assert.deepEqual(names, [{ name: 'Default' }]);
    });
  });

  it('leaves nothing of a migration that fails', async () => {
    await inTemporaryFolder(async (folder) => {
      const file = join(folder, 'store.db');
      const broken = { version: 2, sql: 'CREATE TABLE half (id INTEGER); SELECT * FROM nowhere;' };
      const first = migrations.slice(0, 1);
      assert.throws(() => openDatabase(file, { migrations: [...first, broken] }), /nowhere/);
      const database = openDatabase(file, { migrations: first });
      const tables = database
        .prepare<[], { name: string }>("SELECT name FROM sqlite_master WHERE name = 'half'")
        .all();
      database.close();
      assert.deepEqual(tables, []);
    });
  });

  it('refuses a store of a newer Slipway and changes nothing in it', async () => {
    await inTemporaryFolder(async (folder) => {
      const file = join(folder, 'store.db');
      openDatabase(file).close();
      const newer = new BetterSqlite3(file);
      newer.pragma('user_version = 99');
      newer.close();
      assert.throws(
        () => openDatabase(file),
        (error) => error instanceof SlipwayError && error.kind === 'storeTooNew' && error.values.found === 99,
      );
      const after = new BetterSqlite3(file, { readonly: true });
      assert.equal(after.pragma('user_version', { simple: true }), 99);
      after.close();
    });
  });

  it('names the file that is no store', async () => {
    await inTemporaryFolder(async (folder) => {
      const file = join(folder, 'store.db');
      writeFileSync(
        file,
        'this is not a database, whatever its name says, and it is long enough to be asked',
      );
      chmodSync(file, 0o600);
      assert.throws(
        () => openDatabase(file),
        (error) =>
          error instanceof SlipwayError && error.kind === 'storeDamaged' && error.values.path === file,
      );
      if (process.platform === 'linux') assert.ok(!openFiles().includes(file));
    });
  });

  it('opens without the write lock when there is nothing to migrate', async () => {
    await inTemporaryFolder(async (folder) => {
      const file = join(folder, 'store.db');
      openDatabase(file).close();
      const writer = new BetterSqlite3(file);
      writer.exec('BEGIN IMMEDIATE');
      try {
        openDatabase(file).close();
      } finally {
        writer.close();
      }
    });
  });

  it('rolls a transaction back when its work throws, and keeps the connection usable', async () => {
    await inTemporaryFolder(async (folder) => {
      const database = openDatabase(join(folder, 'store.db'));
      const insert = database.prepare<[string], unknown>(
        "INSERT INTO experiments (name, artifact_location, creation_time, last_update_time) VALUES (?, '', 0, 0)",
      );
      for (const transaction of [database.transaction, database.durableTransaction]) {
        assert.throws(() =>
          transaction(() => {
            insert.run('lost');
            throw new Error('on purpose');
          }),
        );
      }
      database.durableTransaction(() => insert.run('kept'));
      const names = database.prepare<[], { name: string }>('SELECT name FROM experiments ORDER BY id').all();
      database.close();
      assert.deepEqual(names, [{ name: 'Default' }, { name: 'kept' }]);
    });
  });

  it('merges its log, and does not wait for whoever reads it', async function () {
    // Less than a write waits for another.
    this.timeout(15_000);
    await inTemporaryFolder(async (folder) => {
      const file = join(folder, 'store.db');
      const database = openDatabase(file);
      const reader = new BetterSqlite3(file, { readonly: true });
      reader.exec('BEGIN; SELECT COUNT(*) FROM experiments');
      database.prepare("UPDATE experiments SET name = 'other'").run();
      database.mergeLog();
      assert.ok(statSync(`${file}-wal`).size > 0);
      reader.close();
      database.mergeLog();
      assert.equal(statSync(`${file}-wal`).size, 0);
      const patience = database.prepare<[], { timeout: number }>('PRAGMA busy_timeout').get();
      database.close();
      assert.deepEqual(patience, { timeout: 20_000 });
    });
  });

  it('lets two processes write at once without "database is locked"', async function () {
    this.timeout(30_000);
    await inTemporaryFolder(async (folder) => {
      const file = join(folder, 'store.db');
      openDatabase(file).close();
      const writer = join(import.meta.dirname, '../fixtures/experimentWriter.ts');
      const exits = await Promise.all(
        ['a', 'b', 'c'].map((name) => once(fork(writer, [file, name, '300']), 'exit')),
      );
      assert.deepEqual(
        exits.map(([code]) => code),
        [0, 0, 0],
      );
      const database = openDatabase(file);
      const [count] = database
        .prepare<[], { count: number }>('SELECT count(*) AS count FROM experiments')
        .all();
      database.close();
      assert.equal(count?.count, 1 + 3 * 300);
    });
  });
});

/** The files that this process holds open, as Linux lists them. */
function openFiles(): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch {
      // The list itself was open while it was read.
      return [];
    }
  });
}
