import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import type { ChangeListener } from '../../src/engine/changes.ts';
import { openDatabase } from '../../src/engine/database/connection.ts';
import { migrations } from '../../src/engine/database/migrations/index.ts';
import { openEngine } from '../../src/engine/engine.ts';
import { storeLayout } from '../../src/engine/layout.ts';
import { inTemporaryFolder } from './headless.ts';
import { endLeftProcesses, watchProcess } from './leftProcesses.ts';

/** The last schema before all points of metrics were written anew, which is what takes long. */
const oldVersion = 2;
const newest = migrations.at(-1)?.version;
const pageBytes = 4096;
/** SQLite writes to its log before the end of a transaction only what its cache cannot hold. */
const middleBytes = 500 * pageBytes;

describe('Bringing an older store up to date', function () {
  this.timeout(120_000);
  afterEach(endLeftProcesses);

  it('leaves it whole when the process is killed in the middle, and the next one does it all', async () => {
    await inTemporaryFolder(async (folder) => {
      const original = join(folder, 'original.db');
      makeOldStore(original, 400_000);
      const before = contentOf(original);
      assert.equal(before.version, oldVersion);
      const file = join(folder, 'store.db');
      let inTheMiddle = false;
      for (let round = 0; !inTheMiddle; round += 1) {
        assert.ok(round < 10, 'it always ended before it was killed');
        for (const name of [file, `${file}-wal`, `${file}-shm`]) rmSync(name, { force: true });
        copyFileSync(original, file);
        const child = watchProcess(fork(join(import.meta.dirname, '../fixtures/storeOpener.ts'), [file]));
        const ended = once(child, 'exit');
        while (child.exitCode === null && sizeOf(`${file}-wal`) < middleBytes) {
          await new Promise((resolve) => setImmediate(resolve));
        }
        child.kill('SIGKILL');
        await ended;
        inTheMiddle = sizeOf(`${file}-wal`) >= middleBytes && contentOf(file).version === oldVersion;
      }
      assert.deepEqual(contentOf(file), before);
      openDatabase(file).close();
      assert.deepEqual(contentOf(file), { ...before, version: newest });
    });
  });

  it('is told from the first moment on where it takes long, and else not', async () => {
    await inTemporaryFolder(async (folder) => {
      const told: (readonly [event: string, told: unknown])[] = [];
      const listener: ChangeListener = (event, data) => {
        if ('message' in data) told.push([event, 'fraction' in data ? data.fraction : data.message]);
      };
      const open = async (workspace: string) => {
        const engine = await openEngine({
          workspace,
          host: '127.0.0.1',
          port: 0,
          token: null,
          trusted: true,
          doors: false,
          listener,
          scripts: { scorer: '', worker: '' },
        });
        await engine.close();
      };
      const [small, large] = [join(folder, 'small'), join(folder, 'large')];
      makeOldStore(storeLayout(small).database, 10);
      await open(small);
      assert.deepEqual(told, []);

      const { database } = storeLayout(large);
      makeOldStore(database, 1_000_000);
      await open(large);
      const [first, ...progress] = told;
      assert.equal(first?.[0], 'log');
      assert.match(String(first?.[1]), /^The store .*store\.db is brought up to date/);
      const missing = migrations.filter(({ version }) => version > oldVersion);
      assert.deepEqual(
        progress,
        missing.map((_, index) => ['job/progress', index / missing.length]),
      );
      told.length = 0;
      await open(large);
      assert.deepEqual(told, []);
    });
  });
});

/** A store of the old schema with a run that has this many points in ten metrics. */
function makeOldStore(file: string, points: number): void {
  mkdirSync(dirname(file), { recursive: true });
  const store = openDatabase(file, { migrations: migrations.filter(({ version }) => version <= oldVersion) });
  store.transaction(() => {
    store
      .prepare(
        `INSERT INTO runs (id, run_uuid, experiment_id, name, status, start_time, artifact_uri)
         VALUES (1, 'a', 0, 'a', 'RUNNING', 1, '')`,
      )
      .run();
    store
      .prepare<[number], never>(
        `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10)
         INSERT INTO metric_series
           (id, run_id, key, latest_step, latest_timestamp, latest_value, latest_is_nan, point_count)
         SELECT n, 1, 'm' || n, 1, 1, 1, 0, ? / 10 FROM numbers`,
      )
      .run(points);
    store
      .prepare<[number], never>(
        `WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?)
         INSERT INTO metric_points (series_id, step, timestamp, value, is_nan)
         SELECT 1 + n % 10, n / 10, 1700000000000 + n, n * 0.5, 0 FROM numbers`,
      )
      .run(points);
  });
  store.close();
}

function contentOf(file: string) {
  const store = new BetterSqlite3(file);
  try {
    const content = store
      .prepare<[], { version: number; points: number; steps: number; values: number; runs: number }>(
        `SELECT (SELECT user_version FROM pragma_user_version) AS version, COUNT(*) AS points, SUM(step) AS steps,
           SUM(value) AS "values", (SELECT COUNT(*) FROM runs) AS runs FROM metric_points`,
      )
      .get();
    assert.ok(content);
    return { ...content, integrity: store.pragma('integrity_check', { simple: true }) };
  } finally {
    store.close();
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
