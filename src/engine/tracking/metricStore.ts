import type { Database } from '../database/connection.ts';
import { exactInteger, type Int64, toInt64 } from '../database/int64.ts';
import type { CountedMetric, Metric } from './types.ts';

interface SeriesRow {
  readonly id: number;
  readonly latest_step: number | string;
  readonly latest_timestamp: number | string;
  readonly latest_value: number;
  readonly latest_is_nan: number;
  readonly ordered_step: number | string;
  readonly ordered_timestamp: number | string;
  readonly point_count: number;
}

export interface MetricStore {
  /** Adds points; one that is there already changes nothing. To be called in a transaction. */
  add(run: number, metrics: readonly Metric[]): void;
  /** The latest point of each metric, in the order in which they were first logged. */
  latest(run: number): readonly CountedMetric[];
}

const latestColumns = `${exactInteger('latest_step')} AS latest_step,
  ${exactInteger('latest_timestamp')} AS latest_timestamp, latest_value, latest_is_nan, point_count`;

/** The SQL of metrics that are logged. */
export function createMetricStore(database: Database): MetricStore {
  const findSeries = database.prepare<[number, string], SeriesRow>(
    `SELECT id, ${latestColumns}, ${exactInteger('ordered_step')} AS ordered_step,
       ${exactInteger('ordered_timestamp')} AS ordered_timestamp
     FROM metric_series WHERE run_id = ? AND key = ?`,
  );
  const insertSeries = database.prepare<
    [number, string, Int64, Int64, number, number, Int64, Int64, number],
    never
  >(
    `INSERT INTO metric_series (run_id, key, latest_step, latest_timestamp, latest_value, latest_is_nan,
       ordered_step, ordered_timestamp, point_count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const updateSeries = database.prepare<[Int64, Int64, number, number, Int64, Int64, number, number], never>(
    `UPDATE metric_series SET latest_step = ?, latest_timestamp = ?, latest_value = ?, latest_is_nan = ?,
       ordered_step = ?, ordered_timestamp = ?, point_count = ? WHERE id = ?`,
  );
  const insertPoint = database.prepare<[number, Int64, Int64, number, number, number], never>(
    `INSERT INTO metric_points (series_id, step, timestamp, value, is_nan, is_late) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  const insertPlainPoints = createWideInsert(database);
  const latest = database.prepare<[number], SeriesRow & { readonly key: string }>(
    `SELECT id, key, ${latestColumns} FROM metric_series WHERE run_id = ? ORDER BY id`,
  );

  const addToSeries = (run: number, key: string, points: readonly Metric[]) => {
    const found = findSeries.get(run, key);
    const extent = found ? extentOf(found) : emptyExtent();
    const { plain, odd } = sortedIn(extent, points);
    const announced = (found?.point_count ?? 0) + points.length;
    const id = found
      ? found.id
      : Number(insertSeries.run(run, key, ...columnsOf(extent), announced).lastInsertRowid);
    let added = insertPlainPoints(id, plain);
    for (const { step, timestamp, value, isNan, isLate } of odd) {
      added += insertPoint.run(id, step, timestamp, value, isNan, isLate).changes;
    }
    const isAsFound = found ? added === 0 : added === points.length;
    if (!isAsFound) updateSeries.run(...columnsOf(extent), (found?.point_count ?? 0) + added, id);
  };

  return {
    add(run, metrics) {
      for (const [key, points] of byKey(metrics)) addToSeries(run, key, points);
    },
    latest: (run) =>
      latest.all(run).map((row) => ({
        key: row.key,
        value: row.latest_is_nan === 1 ? Number.NaN : row.latest_value,
        timestamp: toInt64(row.latest_timestamp),
        step: toInt64(row.latest_step),
        pointCount: row.point_count,
      })),
  };
}

/** How many points one statement writes: many at a time cost half as much as one by one. */
const widths = [100, 10, 1];

/** Writes points that are neither NaN nor late, given as step, timestamp and value of each; gives how many were new. */
function createWideInsert(database: Database): (series: number, plain: readonly Int64[]) => number {
  const statements = widths.map((width) => ({
    width,
    insert: database.prepare<[readonly Int64[], { readonly series: number }], never>(
      `INSERT INTO metric_points (series_id, step, timestamp, value, is_nan)
       VALUES ${Array.from({ length: width }, () => '(@series, ?, ?, ?, 0)').join(', ')} ON CONFLICT DO NOTHING`,
    ),
  }));
  return (series, plain) => {
    let added = 0;
    let place = 0;
    for (const { width, insert } of statements) {
      for (; place + width * 3 <= plain.length; place += width * 3) {
        const values = width * 3 === plain.length ? plain : plain.slice(place, place + width * 3);
        added += insert.run(values, { series }).changes;
      }
    }
    return added;
  };
}

/** What a series says of all its points together; grows while points are added. */
interface Extent {
  isEmpty: boolean;
  step: Int64;
  timestamp: Int64;
  value: number;
  isNan: number;
  orderedStep: Int64;
  orderedTimestamp: Int64;
}

function emptyExtent(): Extent {
  return { isEmpty: true, step: 0, timestamp: 0, value: 0, isNan: 0, orderedStep: 0, orderedTimestamp: 0 };
}

function extentOf(row: SeriesRow): Extent {
  return {
    isEmpty: false,
    step: toInt64(row.latest_step),
    timestamp: toInt64(row.latest_timestamp),
    value: row.latest_value,
    isNan: row.latest_is_nan,
    orderedStep: toInt64(row.ordered_step),
    orderedTimestamp: toInt64(row.ordered_timestamp),
  };
}

/** In the order in which the statements of series name them. */
function columnsOf(extent: Extent): [Int64, Int64, number, number, Int64, Int64] {
  const { step, timestamp, value, isNan, orderedStep, orderedTimestamp } = extent;
  return [step, timestamp, value, isNan, orderedStep, orderedTimestamp];
}

/** A point as its row: NaN is 0 with a mark. */
interface PointRow {
  readonly step: Int64;
  readonly timestamp: Int64;
  readonly value: number;
  readonly isNan: number;
  readonly isLate: number;
}

/** Extends the extent by the points; gives those in order that have a value as a flat list, and the others. */
function sortedIn(extent: Extent, points: readonly Metric[]): { plain: Int64[]; odd: PointRow[] } {
  const plain: Int64[] = [];
  const odd: PointRow[] = [];
  for (const metric of points) {
    const { step, timestamp } = metric;
    const { value, isNan } = toStoredValue(metric.value);
    const isLate = !extent.isEmpty && (step < extent.orderedStep || timestamp < extent.orderedTimestamp);
    if (!isLate) {
      extent.orderedStep = step;
      extent.orderedTimestamp = timestamp;
    }
    if (extent.isEmpty || isLater(step, timestamp, value, extent)) {
      extent.isEmpty = false;
      extent.step = step;
      extent.timestamp = timestamp;
      extent.value = value;
      extent.isNan = isNan;
    }
    if (isNan === 0 && !isLate) plain.push(step, timestamp, value);
    else odd.push({ step, timestamp, value, isNan, isLate: isLate ? 1 : 0 });
  }
  return { plain, odd };
}

/**
 * A value as it is stored: NaN as 0 with a mark. MLflow does not tell an infinity from the largest double, so neither do
 * we: the same point in either form is one.
 */
export function toStoredValue(value: number): { readonly value: number; readonly isNan: number } {
  if (Number.isNaN(value)) return { value: 0, isNan: 1 };
  const isInfinite = Math.abs(value) === Number.MAX_VALUE;
  return { value: isInfinite ? Math.sign(value) * Number.POSITIVE_INFINITY : value, isNan: 0 };
}

/** Whether a point comes after the latest by (step, timestamp, value); NaN counts as 0 there, as in MLflow. */
function isLater(step: Int64, timestamp: Int64, value: number, latest: Extent): boolean {
  if (step !== latest.step) return step > latest.step;
  if (timestamp !== latest.timestamp) return timestamp > latest.timestamp;
  return value > latest.value;
}

function byKey(metrics: readonly Metric[]): Iterable<readonly [string, readonly Metric[]]> {
  const [first] = metrics;
  if (first && metrics.every(({ key }) => key === first.key)) return [[first.key, metrics]];
  return Map.groupBy(metrics, ({ key }) => key);
}
