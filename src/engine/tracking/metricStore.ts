import type { Database } from '../database/connection.ts';
import { exactInteger, type Int64, toInt64 } from '../database/int64.ts';
import type { CountedMetric, Metric } from './types.ts';

interface SeriesRow {
  readonly id: number;
  readonly key: string;
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

const seriesColumns = `id, key, ${exactInteger('latest_step')} AS latest_step,
  ${exactInteger('latest_timestamp')} AS latest_timestamp, latest_value, latest_is_nan,
  ${exactInteger('ordered_step')} AS ordered_step, ${exactInteger('ordered_timestamp')} AS ordered_timestamp, point_count`;

/** How many rows one statement writes where there are so many: together they cost half as much as one by one. */
const width = 100;

/** The SQL of metrics that are logged. */
export function createMetricStore(database: Database): MetricStore {
  const findSeries = database.prepare<[number, string], SeriesRow>(
    `SELECT ${seriesColumns} FROM metric_series WHERE run_id = ? AND key = ?`,
  );
  const findManySeries = database.prepare<[number, string], SeriesRow>(
    `SELECT ${seriesColumns} FROM metric_series WHERE run_id = ? AND key IN (SELECT value FROM json_each(?))`,
  );
  const insertSeries = database.prepare<[number, string], never>(
    `INSERT INTO metric_series (run_id, key, latest_step, latest_timestamp, latest_value, latest_is_nan, point_count)
     SELECT ?, value, 0, 0, 0, 0, 0 FROM json_each(?)`,
  );
  type SeriesValues = [Int64, Int64, number, number, Int64, Int64, number, number];
  const updateSeries = database.prepare<SeriesValues, never>(
    `UPDATE metric_series SET latest_step = ?, latest_timestamp = ?, latest_value = ?, latest_is_nan = ?,
       ordered_step = ?, ordered_timestamp = ?, point_count = ? WHERE id = ?`,
  );
  const updateManySeries = database.prepare<[readonly Int64[]], never>(
    `UPDATE metric_series SET latest_step = column1, latest_timestamp = column2, latest_value = column3,
       latest_is_nan = column4, ordered_step = column5, ordered_timestamp = column6, point_count = column7
     FROM (VALUES ${rows('(?, ?, ?, ?, ?, ?, ?, ?)', width)}) WHERE id = column8`,
  );
  const insertPoint = database.prepare<[number, Int64, Int64, number, number, number], never>(
    `INSERT INTO metric_points (series_id, step, timestamp, value, is_nan, is_late) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  const insertPlainPoints = <Parameters extends unknown[]>(row: string, count: number) =>
    database.prepare<Parameters, never>(
      `INSERT INTO metric_points (series_id, step, timestamp, value, is_nan)
       VALUES ${rows(row, count)} ON CONFLICT DO NOTHING`,
    );
  const insertPlainPoint = insertPlainPoints<[readonly Int64[]]>('(?, ?, ?, ?, 0)', 1);
  const insertPointsOfMany = insertPlainPoints<[readonly Int64[]]>('(?, ?, ?, ?, 0)', width);
  // To hand over a value takes longer than one might think, so one id is there for all points.
  const insertPointsOfOne = insertPlainPoints<[readonly Int64[], { readonly series: number }]>(
    '(@series, ?, ?, ?, 0)',
    width,
  );
  const latest = database.prepare<[number], SeriesRow>(
    `SELECT ${seriesColumns} FROM metric_series WHERE run_id = ? ORDER BY id`,
  );

  /** The series of these keys, in the order of the tables, so that pages are visited one after the other. */
  const seriesOf = (run: number, keys: readonly string[]): readonly SeriesRow[] => {
    const find = (wanted: readonly string[]) => {
      const [only] = wanted;
      return wanted.length === 1 && only !== undefined
        ? findSeries.all(run, only)
        : findManySeries.all(run, JSON.stringify(wanted));
    };
    const found = find(keys);
    if (found.length < keys.length) {
      const known = new Set(found.map(({ key }) => key));
      const missing = keys.filter((key) => !known.has(key));
      insertSeries.run(run, JSON.stringify(missing));
      found.push(...find(missing));
    }
    return found.sort((one, other) => one.id - other.id);
  };

  const insertPlain = (all: readonly Addition[]) => {
    const ofMany: Int64[] = [];
    for (const { series, plain } of all) {
      const left = inGroups(plain, width * 3, (values) => insertPointsOfOne.run(values, { series }));
      inGroups(left, 3, (point) => ofMany.push(series, ...point));
    }
    const left = inGroups(ofMany, width * 4, (values) => insertPointsOfMany.run(values));
    inGroups(left, 4, (point) => insertPlainPoint.run(point));
  };

  return {
    add(run, metrics) {
      if (metrics.length === 0) return;
      const points = byKey(metrics);
      const all = seriesOf(run, [...points.keys()]).map((row) => sortedIn(row, points.get(row.key) ?? []));
      insertPlain(all);
      const changed: SeriesValues[] = [];
      for (const { series, pointCount, extent, plain, odd } of all) {
        let added = plain.length / 3;
        for (const { step, timestamp, value, isNan, isLate } of odd) {
          added += insertPoint.run(series, step, timestamp, value, isNan, isLate).changes;
        }
        if (added > 0) changed.push([...columnsOf(extent), pointCount + added, series]);
      }
      const left = inGroups(changed, width, (group) => updateManySeries.run(group.flat()));
      for (const values of left) updateSeries.run(...values);
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

/** SQL of so many rows, each with these parameters. */
function rows(row: string, count: number): string {
  return Array.from({ length: count }, () => row).join(', ');
}

/** Hands over items in groups of this size; gives those that are left. */
function inGroups<Item>(
  items: readonly Item[],
  size: number,
  write: (group: readonly Item[]) => void,
): readonly Item[] {
  const end = items.length - (items.length % size);
  for (let place = 0; place < end; place += size) write(items.slice(place, place + size));
  return items.slice(end);
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

function extentOf(row: SeriesRow): Extent {
  return {
    isEmpty: row.point_count === 0,
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
interface OddPoint {
  readonly step: Int64;
  readonly timestamp: Int64;
  readonly value: number;
  readonly isNan: number;
  readonly isLate: number;
}

/** Points to add to a series. */
interface Addition {
  readonly series: number;
  /** How many it had. */
  readonly pointCount: number;
  readonly extent: Extent;
  /** Step, timestamp and value of each point that has a value, came in order and was never there. */
  readonly plain: readonly Int64[];
  /** All others; to be written after the plain ones, of which one may be the same. */
  readonly odd: readonly OddPoint[];
}

/** Sorts points into a series. */
function sortedIn(row: SeriesRow, points: readonly Metric[]): Addition {
  const extent = extentOf(row);
  const plain: Int64[] = [];
  const odd: OddPoint[] = [];
  for (const metric of points) {
    const { step, timestamp } = metric;
    const { value, isNan } = toStoredValue(metric.value);
    const isLate = !extent.isEmpty && (step < extent.orderedStep || timestamp < extent.orderedTimestamp);
    // Every point of the series has a lower step or an earlier time than one that goes beyond those in order.
    const isNew =
      extent.isEmpty || (!isLate && (step > extent.orderedStep || timestamp > extent.orderedTimestamp));
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
    if (isNew && isNan === 0) plain.push(step, timestamp, value);
    else odd.push({ step, timestamp, value, isNan, isLate: isLate ? 1 : 0 });
  }
  return { series: row.id, pointCount: row.point_count, extent, plain, odd };
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

function byKey(metrics: readonly Metric[]): ReadonlyMap<string, readonly Metric[]> {
  const [first] = metrics;
  if (first && metrics.every(({ key }) => key === first.key)) return new Map([[first.key, metrics]]);
  return Map.groupBy(metrics, ({ key }) => key);
}
