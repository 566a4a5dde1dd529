import type { MainMetric, RunSummary } from '../../protocol/tracking.ts';
import type { Database } from '../database/connection.ts';
import { type RunRow, runColumns, toRunRecord } from './runStore.ts';
import type { RunRecord } from './types.ts';

/** Figures of an experiment's active runs. */
export interface ExperimentActivity {
  readonly key: number;
  readonly name: string;
  readonly runCount: number;
  readonly runningCount: number;
  /** UTC milliseconds of the newest run's start; null when there is none. */
  readonly newestStart: number | null;
  readonly creationTime: number;
  /** What the person chose. */
  readonly mainMetric: MainMetric | null;
}

/** Where a page of runs, newest first, ended. */
export interface RunPosition {
  readonly startTime: number;
  readonly key: number;
}

export interface OverviewStore {
  activity(): readonly ExperimentActivity[];
  /** Metric keys of the newest active runs of an experiment, in the order in which they were first logged. */
  metricKeys(experiment: number): readonly string[];
  /** Experiments with metrics that were first logged after `newest`; and what to ask with next time. */
  newMetrics(newest: number): { readonly newest: number; readonly experiments: readonly number[] };
  /** Active runs whose parent is none, or is not among the active runs of the experiment; newest first. */
  topRuns(experiment: number, after: RunPosition | null, limit: number): readonly RunRecord[];
  /** Active children of a run in an experiment, newest first. */
  childRuns(
    experiment: number,
    parentRunId: string,
    after: RunPosition | null,
    limit: number,
  ): readonly RunRecord[];
  /** Active runs with active logged models, newest first. */
  runsWithModels(limit: number): readonly RunRecord[];
  modelCount(run: number): number;
  latestValue(run: number, key: string): RunSummary['mainMetric'];
}

interface ActivityRow {
  readonly id: number;
  readonly name: string;
  readonly creation_time: number;
  readonly run_count: number;
  readonly running_count: number;
  readonly newest_start: number | null;
  readonly main_metric: string | null;
  readonly main_metric_higher_is_better: number | null;
}

/** How many runs tell which metrics an experiment has. */
const runsToLookAt = 20;

/** All SQL of what the editor lists. */
export function createOverviewStore(database: Database): OverviewStore {
  const activity = database.prepare<[], ActivityRow>(
    `SELECT e.id, e.name, e.creation_time, e.main_metric, e.main_metric_higher_is_better,
       (SELECT COUNT(*) FROM runs r WHERE r.experiment_id = e.id AND r.lifecycle_stage = 'active') AS run_count,
       (SELECT COUNT(*) FROM runs r WHERE r.status = 'RUNNING' AND r.experiment_id = e.id
         AND r.lifecycle_stage = 'active') AS running_count,
       (SELECT MAX(r.start_time) FROM runs r
         WHERE r.experiment_id = e.id AND r.lifecycle_stage = 'active') AS newest_start
     FROM experiments e WHERE e.lifecycle_stage = 'active'`,
  );
  const metricKeys = database.prepare<[number, number], { readonly key: string }>(
    `SELECT key FROM metric_series WHERE run_id IN (
       SELECT id FROM runs WHERE experiment_id = ? AND lifecycle_stage = 'active'
       ORDER BY start_time DESC, id DESC LIMIT ?)
     GROUP BY key ORDER BY MIN(id)`,
  );
  const newestMetric = database.prepare<[], number>('SELECT COALESCE(MAX(id), 0) FROM metric_series').pluck();
  const experimentsSince = database
    .prepare<[number], number>(
      'SELECT DISTINCT r.experiment_id FROM metric_series s CROSS JOIN runs r ON r.id = s.run_id WHERE s.id > ?',
    )
    .pluck();
  const isAfter = '(r.start_time, r.id) < (?, ?)';
  const newestFirst = 'ORDER BY r.start_time DESC, r.id DESC LIMIT ?';
  const topRuns = database.prepare<[number, number, number, number], RunRow>(
    `SELECT ${runColumns} FROM runs r
     WHERE r.experiment_id = ? AND r.lifecycle_stage = 'active' AND ${isAfter}
       AND NOT EXISTS (SELECT 1 FROM runs p WHERE p.run_uuid = r.parent_run_uuid
         AND p.experiment_id = r.experiment_id AND p.lifecycle_stage = 'active' AND p.id <> r.id)
     ${newestFirst}`,
  );
  const childRuns = database.prepare<[string, number, number, number, number], RunRow>(
    `SELECT ${runColumns} FROM runs r
     WHERE r.parent_run_uuid = ? AND r.experiment_id = ? AND r.lifecycle_stage = 'active' AND ${isAfter}
       AND r.run_uuid <> r.parent_run_uuid
     ${newestFirst}`,
  );
  const runsWithModels = database.prepare<[number], RunRow>(
    `SELECT ${runColumns} FROM runs r
     WHERE r.lifecycle_stage = 'active' AND r.id IN (
       SELECT source_run_id FROM logged_models WHERE lifecycle_stage = 'active')
     ${newestFirst}`,
  );
  const modelCount = database.prepare<[number], { readonly count: number }>(
    `SELECT COUNT(*) AS count FROM logged_models WHERE source_run_id = ? AND lifecycle_stage = 'active'`,
  );
  const latestValue = database.prepare<[number, string], { readonly value: number; readonly is_nan: number }>(
    'SELECT latest_value AS value, latest_is_nan AS is_nan FROM metric_series WHERE run_id = ? AND key = ?',
  );

  const start = (after: RunPosition | null): [number, number] =>
    after === null ? [Number.MAX_SAFE_INTEGER, 0] : [after.startTime, after.key];

  return {
    activity: () =>
      activity.all().map((row) => ({
        key: row.id,
        name: row.name,
        runCount: row.run_count,
        runningCount: row.running_count,
        newestStart: row.newest_start,
        creationTime: row.creation_time,
        mainMetric:
          row.main_metric === null
            ? null
            : { key: row.main_metric, higherIsBetter: row.main_metric_higher_is_better === 1 },
      })),
    newMetrics: (newest) => ({
      newest: newestMetric.get() ?? 0,
      experiments: experimentsSince.all(newest),
    }),
    metricKeys: (experiment) => metricKeys.all(experiment, runsToLookAt).map(({ key }) => key),
    topRuns: (experiment, after, limit) => topRuns.all(experiment, ...start(after), limit).map(toRunRecord),
    childRuns: (experiment, parentRunId, after, limit) =>
      childRuns.all(parentRunId, experiment, ...start(after), limit).map(toRunRecord),
    runsWithModels: (limit) => runsWithModels.all(limit).map(toRunRecord),
    modelCount: (run) => modelCount.get(run)?.count ?? 0,
    latestValue(run, key) {
      const row = latestValue.get(run, key);
      return row ? { key, value: row.is_nan === 1 ? Number.NaN : row.value } : null;
    },
  };
}
