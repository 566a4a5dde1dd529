import type { Database } from '../database/connection.ts';
import { createSelection } from '../database/selection.ts';
import type { Metric, QueryResult, SortValue } from './types.ts';

interface SeriesRow {
  readonly id: number;
  readonly latest_step: number;
  readonly latest_timestamp: number;
  readonly latest_value: number;
  readonly latest_is_nan: number;
  readonly point_count: number;
}

interface PointRow {
  readonly step: number;
  readonly timestamp: number;
  readonly value: number;
  readonly is_nan: number;
}

/** Points of one metric of one run, as columns. */
export interface StoredSeries {
  readonly steps: Float64Array;
  readonly values: Float64Array;
  readonly timestamps: Float64Array;
  readonly pointCount: number;
}

export interface MetricStore {
  /** Adds points; one that is there already changes nothing. To be called in a transaction. */
  add(run: number, metrics: readonly Metric[]): void;
  /** Points ordered by timestamp, step, value. */
  history(run: number, key: string, limit: number, after: readonly SortValue[] | null): QueryResult<Metric>;
  /** Points with a step above `afterStep`, ordered by step, time, value. Empty when the run has no such metric. */
  series(run: number, key: string, afterStep: number | null): StoredSeries;
  /** Distinct steps of a metric over the runs, ascending, between `from` and `to`. */
  steps(runs: readonly number[], key: string, from: number, to: number): readonly number[];
  /** Points of a metric of a run at the given steps, ordered by step, time, value. */
  pointsAt(run: number, key: string, steps: readonly number[]): readonly Metric[];
  latest(run: number): readonly (Metric & { readonly pointCount: number })[];
}

/** All SQL of metrics. */
export function createMetricStore(database: Database): MetricStore {
  const findSeries = database.prepare<[number, string], SeriesRow>(
    `SELECT id, latest_step, latest_timestamp, latest_value, latest_is_nan, point_count
     FROM metric_series WHERE run_id = ? AND key = ?`,
  );
  const insertSeries = database.prepare<[number, string, number, number, number, number], never>(
    `INSERT INTO metric_series
       (run_id, key, latest_step, latest_timestamp, latest_value, latest_is_nan, point_count)
     VALUES (?, ?, ?, ?, ?, ?, 0)`,
  );
  const updateSeries = database.prepare<[number, number, number, number, number, number], never>(
    `UPDATE metric_series
     SET latest_step = ?, latest_timestamp = ?, latest_value = ?, latest_is_nan = ?, point_count = ? WHERE id = ?`,
  );
  const insertPoint = database.prepare<[number, number, number, number, number], never>(
    'INSERT INTO metric_points (series_id, step, timestamp, value, is_nan) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const points = database.prepare<[number, number], PointRow>(
    `SELECT step, timestamp, value, is_nan FROM metric_points WHERE series_id = ? AND step > ?
     ORDER BY step, timestamp, value, is_nan`,
  );
  const allPoints = database.prepare<[number], PointRow>(
    `SELECT step, timestamp, value, is_nan FROM metric_points WHERE series_id = ?
     ORDER BY step, timestamp, value, is_nan`,
  );
  const steps = database.prepare<[string, string, number, number], { readonly step: number }>(
    `SELECT DISTINCT p.step FROM metric_series s JOIN metric_points p ON p.series_id = s.id
     WHERE s.run_id IN (SELECT value FROM json_each(?)) AND s.key = ? AND p.step BETWEEN ? AND ? ORDER BY p.step`,
  );
  const pointsAt = database.prepare<[number, string], PointRow>(
    `SELECT step, timestamp, value, is_nan FROM metric_points
     WHERE series_id = ? AND step IN (SELECT value FROM json_each(?)) ORDER BY step, timestamp, value, is_nan`,
  );
  const latest = database.prepare<[number], SeriesRow & { readonly key: string }>(
    `SELECT id, key, latest_step, latest_timestamp, latest_value, latest_is_nan, point_count
     FROM metric_series WHERE run_id = ? ORDER BY id`,
  );

  const openSeries = (run: number, first: Metric): OpenSeries => {
    const row = findSeries.get(run, first.key);
    if (row) {
      return {
        id: row.id,
        step: row.latest_step,
        timestamp: row.latest_timestamp,
        value: row.latest_value,
        isNan: row.latest_is_nan,
        pointCount: row.point_count,
      };
    }
    const isNan = Number.isNaN(first.value) ? 1 : 0;
    const value = isNan === 1 ? 0 : first.value;
    const inserted = insertSeries.run(run, first.key, first.step, first.timestamp, value, isNan);
    const id = Number(inserted.lastInsertRowid);
    return { id, step: first.step, timestamp: first.timestamp, value, isNan, pointCount: 0 };
  };

  return {
    add(run, metrics) {
      const open = new Map<string, OpenSeries>();
      for (const metric of metrics) {
        let series = open.get(metric.key);
        if (series === undefined) {
          series = openSeries(run, metric);
          open.set(metric.key, series);
        }
        const isNan = Number.isNaN(metric.value) ? 1 : 0;
        const value = isNan === 1 ? 0 : metric.value;
        const { changes } = insertPoint.run(series.id, metric.step, metric.timestamp, value, isNan);
        if (changes === 0) continue;
        series.pointCount += 1;
        if (isLater(metric.step, metric.timestamp, value, series)) {
          series.step = metric.step;
          series.timestamp = metric.timestamp;
          series.value = value;
          series.isNan = isNan;
        }
      }
      for (const series of open.values()) {
        const { step, timestamp, value, isNan, pointCount, id } = series;
        updateSeries.run(step, timestamp, value, isNan, pointCount, id);
      }
    },
    history(run, key, limit, after) {
      const selection = createSelection('p.step, p.timestamp, p.value, p.is_nan', 'metric_points p');
      selection.where('p.series_id = (SELECT id FROM metric_series WHERE run_id = ? AND key = ?)', run, key);
      for (const column of ['timestamp', 'step', 'value', 'is_nan']) selection.sortBy(`p.${column}`, true);
      const { rows, last } = selection.page<PointRow>(database, limit, after);
      return { items: rows.map((row) => toMetric(key, row)), last };
    },
    series(run, key, afterStep) {
      const series = findSeries.get(run, key);
      if (!series) return toSeries([], 0);
      const rows = afterStep === null ? allPoints.all(series.id) : points.all(series.id, afterStep);
      return toSeries(rows, series.point_count);
    },
    steps: (runs, key, from, to) => steps.all(JSON.stringify(runs), key, from, to).map(({ step }) => step),
    pointsAt(run, key, wanted) {
      const series = findSeries.get(run, key);
      return series ? pointsAt.all(series.id, JSON.stringify(wanted)).map((row) => toMetric(key, row)) : [];
    },
    latest: (run) =>
      latest.all(run).map((row) => ({
        key: row.key,
        value: row.latest_is_nan === 1 ? Number.NaN : row.latest_value,
        timestamp: row.latest_timestamp,
        step: row.latest_step,
        pointCount: row.point_count,
      })),
  };
}

/** A series while points are added to it; written back once at the end. */
interface OpenSeries {
  readonly id: number;
  step: number;
  timestamp: number;
  value: number;
  isNan: number;
  pointCount: number;
}

/** Whether a point comes after the latest by (step, timestamp, value); NaN counts as 0 there, as in MLflow. */
function isLater(step: number, timestamp: number, value: number, latest: OpenSeries): boolean {
  if (step !== latest.step) return step > latest.step;
  if (timestamp !== latest.timestamp) return timestamp > latest.timestamp;
  return value > latest.value;
}

function toMetric(key: string, row: PointRow): Metric {
  const { step, timestamp, value } = row;
  return { key, value: row.is_nan === 1 ? Number.NaN : value, timestamp, step };
}

function toSeries(rows: readonly PointRow[], pointCount: number): StoredSeries {
  const steps = new Float64Array(rows.length);
  const values = new Float64Array(rows.length);
  const timestamps = new Float64Array(rows.length);
  rows.forEach((row, index) => {
    steps[index] = row.step;
    values[index] = row.is_nan === 1 ? Number.NaN : row.value;
    timestamps[index] = row.timestamp;
  });
  return { steps, values, timestamps, pointCount };
}
