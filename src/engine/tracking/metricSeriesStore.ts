import type { Database } from '../database/connection.ts';
import { exactInteger, type Int64, largestInt64, smallestInt64, toInt64 } from '../database/int64.ts';
import type { MetricPoint } from './types.ts';

/** A metric of a run as it is now. */
export interface SeriesState {
  readonly id: number;
  readonly pointCount: number;
}

/** A bound in the order by step, then time. Fractions are welcome. */
export interface SeriesBound {
  readonly step: Int64;
  readonly timestamp: Int64;
}

/** A part of a series: from one bound to another, both included. */
export interface SeriesPart {
  readonly from: SeriesBound;
  readonly to: SeriesBound;
}

/** Points in the order of charts: by step, then time, then value. A long series is read piece by piece. */
export interface MetricSeriesStore {
  /** Null when the run has no such metric. */
  find(run: number, key: string): SeriesState | null;
  count(series: number, part: SeriesPart): number;
  /** Up to `limit` points of a part, those after a point or the first ones. */
  piece(series: number, part: SeriesPart, after: StoredPoint | null, limit: number): readonly StoredPoint[];
  /** The last `limit` points before a bound. */
  before(series: number, bound: SeriesBound, limit: number): readonly StoredPoint[];
  /** The first point after a bound. */
  firstAfter(series: number, bound: SeriesBound): StoredPoint | null;
  /** The last point of a part. */
  last(series: number, part: SeriesPart): StoredPoint | null;
  /** Up to `limit` points at these steps. */
  at(series: number, steps: readonly Int64[], limit: number): readonly StoredPoint[];
}

/** All of a series. */
export const wholeSeries: SeriesPart = {
  from: { step: smallestInt64, timestamp: smallestInt64 },
  to: { step: largestInt64, timestamp: largestInt64 },
};

/** A point as it is read by the million; `toMetricPoint` makes it legible. */
export type StoredPoint = readonly [
  step: number | string,
  timestamp: number | string,
  value: number,
  isNan: number,
];

export function toMetricPoint([step, timestamp, value, isNan]: StoredPoint): MetricPoint {
  return {
    step: toInt64(step),
    timestamp: toInt64(timestamp),
    value: isNan === 1 ? Number.NaN : value,
  };
}

const columns = `${exactInteger('p.step')}, ${exactInteger('p.timestamp')}, p.value, p.is_nan`;
const inOrder = 'ORDER BY p.step, p.timestamp, p.value, p.is_nan';
const backwards = 'ORDER BY p.step DESC, p.timestamp DESC, p.value DESC, p.is_nan DESC';

/** All SQL of series. */
export function createMetricSeriesStore(database: Database): MetricSeriesStore {
  const find = database.prepare<[number, string], SeriesState>(
    'SELECT id, point_count AS pointCount FROM metric_series WHERE run_id = ? AND key = ?',
  );
  const inPart = 'p.series_id = ? AND (p.step, p.timestamp) >= (?, ?) AND (p.step, p.timestamp) <= (?, ?)';
  type Part = [series: number, fromStep: Int64, from: Int64, toStep: Int64, to: Int64];
  const count = database
    .prepare<Part, number>(`SELECT COUNT(*) FROM metric_points p WHERE ${inPart}`)
    .pluck();
  const first = database
    .prepare<[...Part, number], StoredPoint>(
      `SELECT ${columns} FROM metric_points p WHERE ${inPart} ${inOrder} LIMIT ?`,
    )
    .raw();
  const next = database
    .prepare<[number, Int64, Int64, number, number, Int64, Int64, number], StoredPoint>(
      `SELECT ${columns} FROM metric_points p
       WHERE p.series_id = ? AND (p.step, p.timestamp, p.value, p.is_nan) > (?, ?, ?, ?)
         AND (p.step, p.timestamp) <= (?, ?) ${inOrder} LIMIT ?`,
    )
    .raw();
  const before = database
    .prepare<[number, Int64, Int64, number], StoredPoint>(
      `SELECT ${columns} FROM metric_points p
       WHERE p.series_id = ? AND (p.step, p.timestamp) < (?, ?) ${backwards} LIMIT ?`,
    )
    .raw();
  const firstAfter = database
    .prepare<[number, Int64, Int64], StoredPoint>(
      `SELECT ${columns} FROM metric_points p
       WHERE p.series_id = ? AND (p.step, p.timestamp) > (?, ?) ${inOrder} LIMIT 1`,
    )
    .raw();
  const last = database
    .prepare<Part, StoredPoint>(`SELECT ${columns} FROM metric_points p WHERE ${inPart} ${backwards} LIMIT 1`)
    .raw();
  const at = database
    .prepare<[number, string, number], StoredPoint>(
      `SELECT ${columns} FROM metric_points p
       WHERE p.series_id = ? AND p.step IN (SELECT CAST(value AS INTEGER) FROM json_each(?)) ${inOrder} LIMIT ?`,
    )
    .raw();

  const bounds = ({ from, to }: SeriesPart): [Int64, Int64, Int64, Int64] => [
    from.step,
    from.timestamp,
    to.step,
    to.timestamp,
  ];

  return {
    find: (run, key) => find.get(run, key) ?? null,
    count: (series, part) => count.get(series, ...bounds(part)) ?? 0,
    piece(series, part, after, limit) {
      if (after === null) return first.all(series, ...bounds(part), limit);
      const [step, timestamp, value, isNan] = after;
      const { to } = part;
      return next.all(series, toInt64(step), toInt64(timestamp), value, isNan, to.step, to.timestamp, limit);
    },
    before: (series, { step, timestamp }, limit) => before.all(series, step, timestamp, limit).reverse(),
    firstAfter: (series, { step, timestamp }) => firstAfter.get(series, step, timestamp) ?? null,
    last: (series, part) => last.get(series, ...bounds(part)) ?? null,
    at: (series, wanted, limit) => at.all(series, JSON.stringify(wanted.map(String)), limit),
  };
}
