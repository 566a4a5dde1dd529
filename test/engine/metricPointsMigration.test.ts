import assert from 'node:assert/strict';
import { join } from 'node:path';
import { openDatabase } from '../../src/engine/database/connection.ts';
import { foundation } from '../../src/engine/database/migrations/0001-foundation.ts';
import { createTrackingStore } from '../../src/engine/tracking/store.ts';
import { inTemporaryFolder } from './headless.ts';

const runs = `INSERT INTO runs (id, run_uuid, experiment_id, name, status, start_time, artifact_uri) VALUES
  (1, 'a', 0, 'a', 'RUNNING', 1, ''), (2, 'b', 0, 'b', 'RUNNING', 1, '')`;
const series = `INSERT INTO metric_series
  (id, run_id, key, latest_step, latest_timestamp, latest_value, latest_is_nan, point_count)
  VALUES (1, 1, 'm', 9, 3, 1, 0, 6), (2, 2, 'm', 1, 1, 1, 0, 1), (3, 2, 'none', 0, 0, 0, 0, 0)`;
/** Steps and times of run 1: some came in another order by time than by step. */
const logged = [
  [0, 5],
  [1, 6],
  [2, 4],
  [3, 7],
  [4, 7],
  [9, 3],
] as const;

/** A store of the first release with metrics, opened by `work` after the migration. */
async function migrated(work: (store: ReturnType<typeof openDatabase>) => void): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    const file = join(folder, 'store.db');
    const old = openDatabase(file, { migrations: [foundation] });
    old.prepare(runs).run();
    old.prepare(series).run();
    const insert = old.prepare<[number, number, number], never>(
      'INSERT INTO metric_points (series_id, step, timestamp, value, is_nan) VALUES (?, ?, ?, 1, 0)',
    );
    for (const [step, timestamp] of logged) insert.run(1, step, timestamp);
    insert.run(2, 1, 1);
    old
      .prepare(
        `INSERT INTO logged_models (id, model_uuid, experiment_id, name, status, artifact_uri, creation_time, last_update_time)
         VALUES (1, 'm-1', 0, 'm', 'LOGGED_MODEL_READY', '', 1, 1)`,
      )
      .run();
    old
      .prepare(
        `INSERT INTO logged_model_metrics (model_id, key, dataset_name, dataset_digest, run_id, step, timestamp, value, is_nan)
         VALUES (1, 'acc', 'd', '1', 1, 2, 3, 0.5, 0)`,
      )
      .run();
    old.close();
    const database = openDatabase(file);
    try {
      work(database);
    } finally {
      database.close();
    }
  });
}

describe('The migration of metric points', () => {
  it('keeps all points, and their history stands in order of time', () =>
    migrated((database) => {
      const store = createTrackingStore(database);
      const { items } = store.metricHistory.page(1, 'm', 100, null);
      assert.deepEqual(
        items.map(({ step, timestamp }) => [step, timestamp]),
        [
          [9, 3],
          [2, 4],
          [0, 5],
          [1, 6],
          [3, 7],
          [4, 7],
        ],
      );
      const model = store.models.find('m-1');
      assert.ok(model);
      assert.deepEqual(
        store.models
          .load(model)
          .metrics.map(({ key, step, timestamp, value }) => [key, step, timestamp, value]),
        [['acc', 2, 3, 0.5]],
      );
      const seen = database.prepare('SELECT COUNT(*) AS count FROM metrics').get();
      assert.deepEqual(seen, { count: 7 });
    }));

  it('lets points be added in order and late, each once', () =>
    migrated((database) => {
      const store = createTrackingStore(database);
      const points = [
        [10, 8],
        [0, 5],
        [5, 1],
      ].map(([step = 0, timestamp = 0]) => ({ key: 'm', step, timestamp, value: 1 }));
      database.transaction(() => store.metrics.add(1, points));
      const { items } = store.metricHistory.page(1, 'm', 100, null);
      assert.deepEqual(
        items.map(({ timestamp }) => timestamp),
        [1, 3, 4, 5, 6, 7, 7, 8],
      );
      assert.deepEqual(
        store.metrics.latest(1).map(({ step, pointCount }) => [step, pointCount]),
        [[10, 8]],
      );
    }));

  it('lets the points of a deleted run go with it, and no others', () =>
    migrated((database) => {
      database.prepare('DELETE FROM runs WHERE id = 1').run();
      const left = database
        .prepare('SELECT series_id, COUNT(*) AS count FROM metric_points GROUP BY series_id')
        .all();
      assert.deepEqual(left, [{ series_id: 2, count: 1 }]);
    }));
});
