import BetterSqlite3 from 'better-sqlite3';
import { openDatabase } from '../../src/engine/database/connection.ts';

/** What every run of a store to be searched has. */
const metricCount = 10;
const parameterCount = 10;
const tagCount = 5;
const firstStart = 1_700_000_000_000;

/** The experiment that holds all the runs: the first that a store gets beside its default one. */
export const experimentId = '1';

/** A number from 0 to 1 that looks random, the same on every machine: of run `run`, for the figure `salt`. */
export function figure(run: number, salt: number): number {
  let bits = Math.imul(run + 1, 0x9e3779b1) ^ Math.imul(salt + 1, 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d);
  bits = Math.imul(bits ^ (bits >>> 12), 0x297a2d39);
  return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32;
}

const optimizers = ['adam', 'adamw', 'sgd', 'rmsprop', 'lion'];
const runIdOf = (run: number) =>
  Math.floor(figure(run, 99) * 2 ** 32)
    .toString(16)
    .padStart(8, '0') + run.toString(16).padStart(24, '0');
const nameOf = (run: number) => `run-${String(run).padStart(6, '0')}`;
const parameterOf = (run: number, index: number) =>
  index === 0 ? (optimizers[run % optimizers.length] ?? '') : figure(run, 20 + index).toFixed(6);
const tagOf = (run: number, index: number) =>
  index === 0 ? `team ${run % 7}` : `note ${Math.floor(figure(run, 40 + index) * 1000)} of the sweep`;

/** Fills a new store of Slipway's at `file` with that many runs in one experiment, faster than any client could. */
export function fillSlipwayStore(file: string, runs: number): void {
  openDatabase(file).close();
  const database = new BetterSqlite3(file);
  database.pragma('synchronous = OFF');
  database.pragma('cache_size = -200000');
  const experiment = database.prepare(
    `INSERT INTO experiments (id, name, artifact_location, creation_time, last_update_time) VALUES (?, 'sweep', ?, 0, 0)`,
  );
  const run = database.prepare(
    `INSERT INTO runs (id, run_uuid, experiment_id, name, user_id, status, start_time, end_time, artifact_uri)
     VALUES (?, ?, ?, ?, 'ana', 'FINISHED', ?, ?, ?)`,
  );
  const series = database.prepare(
    `INSERT INTO metric_series (run_id, key, latest_step, latest_timestamp, latest_value, latest_is_nan, point_count)
     VALUES (?, ?, 1, ?, ?, 0, 1)`,
  );
  const point = database.prepare(
    'INSERT INTO metric_points (series_id, step, timestamp, value, is_nan) VALUES (?, 1, ?, ?, 0)',
  );
  const parameter = database.prepare('INSERT INTO parameters (run_id, key, value) VALUES (?, ?, ?)');
  const tag = database.prepare('INSERT INTO tags (run_id, key, value) VALUES (?, ?, ?)');
  database.transaction(() => {
    experiment.run(Number(experimentId), `mlflow-artifacts:/${experimentId}`);
    for (let index = 0; index < runs; index += 1) {
      const id = index + 1;
      const start = firstStart + index * 1000;
      const uuid = runIdOf(index);
      run.run(
        id,
        uuid,
        Number(experimentId),
        nameOf(index),
        start,
        start + 500,
        `mlflow-artifacts:/1/${uuid}/artifacts`,
      );
      for (let metric = 0; metric < metricCount; metric += 1) {
        const value = figure(index, metric);
        const { lastInsertRowid } = series.run(id, `metric_${metric}`, start, value);
        point.run(lastInsertRowid, start, value);
      }
      for (let at = 0; at < parameterCount; at += 1) parameter.run(id, `param_${at}`, parameterOf(index, at));
      for (let at = 0; at < tagCount; at += 1) tag.run(id, `tag_${at}`, tagOf(index, at));
      tag.run(id, 'mlflow.runName', nameOf(index));
    }
  })();
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
}

/** Fills an `mlflow.db` that `mlflow server` made, whose server is stopped, with the same runs. */
export function fillMlflowStore(file: string, runs: number): void {
  const database = new BetterSqlite3(file);
  database.pragma('synchronous = OFF');
  database.pragma('cache_size = -200000');
  const experiment = database.prepare(
    `INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)
     VALUES (?, 'sweep', 'mlflow-artifacts:/1', 'active', 0, 0)`,
  );
  const run = database.prepare(
    `INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time,
       source_version, lifecycle_stage, artifact_uri, experiment_id)
     VALUES (?, ?, 'UNKNOWN', '', '', 'ana', 'FINISHED', ?, ?, '', 'active', ?, ?)`,
  );
  const latest = database.prepare(
    'INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, 1, 0, ?)',
  );
  const point = database.prepare(
    'INSERT INTO metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, 1, 0, ?)',
  );
  const parameter = database.prepare('INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)');
  const tag = database.prepare('INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)');
  database.transaction(() => {
    experiment.run(Number(experimentId));
    for (let index = 0; index < runs; index += 1) {
      const start = firstStart + index * 1000;
      const uuid = runIdOf(index);
      run.run(
        uuid,
        nameOf(index),
        start,
        start + 500,
        `mlflow-artifacts:/1/${uuid}/artifacts`,
        Number(experimentId),
      );
      for (let metric = 0; metric < metricCount; metric += 1) {
        const value = figure(index, metric);
        latest.run(`metric_${metric}`, value, start, uuid);
        point.run(`metric_${metric}`, value, start, uuid);
      }
      for (let at = 0; at < parameterCount; at += 1)
        parameter.run(`param_${at}`, parameterOf(index, at), uuid);
      for (let at = 0; at < tagCount; at += 1) tag.run(`tag_${at}`, tagOf(index, at), uuid);
      tag.run('mlflow.runName', nameOf(index), uuid);
    }
  })();
  database.close();
}
