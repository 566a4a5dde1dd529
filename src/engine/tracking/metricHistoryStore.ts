import type { Database } from '../database/connection.ts';
import { exactInteger, type Int64, toInt64 } from '../database/int64.ts';
import type { Metric, QueryResult, SortValue } from './types.ts';

/** Points in the order in which MLflow tells a history: by timestamp, then step, then value. */
export interface MetricHistoryStore {
  page(run: number, key: string, limit: number, after: readonly SortValue[] | null): QueryResult<Metric>;
}

type PointRow = readonly [step: number | string, timestamp: number | string, value: number, isNan: number];

/** A point, and in which of the two streams of a history it stood. */
interface HistoryPoint {
  readonly step: Int64;
  readonly timestamp: Int64;
  readonly value: number;
  readonly isNan: number;
}

/** Before all points. */
const beginning: HistoryPoint = {
  step: -(2n ** 63n),
  timestamp: -(2n ** 63n),
  value: Number.NEGATIVE_INFINITY,
  isNan: -1,
};

const columns = `${exactInteger('step')}, ${exactInteger('timestamp')}, value, is_nan`;

/**
 * The SQL of histories. A page is merged from two streams that indices have in order: points that came in order, and late
 * ones. So a page begins after the last point of each.
 */
export function createMetricHistoryStore(database: Database): MetricHistoryStore {
  const findSeries = database.prepare<[number, string], { readonly id: number }>(
    'SELECT id FROM metric_series WHERE run_id = ? AND key = ?',
  );
  type Place = [series: number, first: Int64, second: Int64, value: number, isNan: number, limit: number];
  const inOrder = database
    .prepare<Place, PointRow>(
      `SELECT ${columns} FROM metric_points
       WHERE series_id = ? AND (step, timestamp, value, is_nan) > (?, ?, ?, ?) AND is_late = 0
       ORDER BY metric_points.step, metric_points.timestamp, value, is_nan LIMIT ?`,
    )
    .raw();
  const late = database
    .prepare<Place, PointRow>(
      `SELECT ${columns} FROM metric_points INDEXED BY late_metric_points
       WHERE series_id = ? AND (timestamp, step, value, is_nan) > (?, ?, ?, ?) AND is_late = 1
       ORDER BY metric_points.timestamp, metric_points.step, value, is_nan LIMIT ?`,
    )
    .raw();

  return {
    page(run, key, limit, after) {
      const series = findSeries.get(run, key);
      if (!series) return { items: [], last: null };
      let [lastInOrder, lastLate] = [readPlace(after?.[0]), readPlace(after?.[1])];
      const { step, timestamp, value, isNan } = lastInOrder;
      const first = inOrder.all(series.id, step, timestamp, value, isNan, limit + 1).map(toPoint);
      const second = late
        .all(series.id, lastLate.timestamp, lastLate.step, lastLate.value, lastLate.isNan, limit + 1)
        .map(toPoint);
      const items: Metric[] = [];
      let [place, latePlace] = [0, 0];
      while (items.length < limit) {
        const [one, other] = [first[place], second[latePlace]];
        if (one && (!other || isBefore(one, other))) {
          place += 1;
          lastInOrder = one;
          items.push(toMetric(key, one));
        } else if (other) {
          latePlace += 1;
          lastLate = other;
          items.push(toMetric(key, other));
        } else break;
      }
      const isEnd = place === first.length && latePlace === second.length;
      return { items, last: isEnd ? null : [writePlace(lastInOrder), writePlace(lastLate)] };
    },
  };
}

function toPoint([step, timestamp, value, isNan]: PointRow): HistoryPoint {
  return { step: toInt64(step), timestamp: toInt64(timestamp), value, isNan };
}

function toMetric(key: string, { step, timestamp, value, isNan }: HistoryPoint): Metric {
  return { key, value: isNan === 1 ? Number.NaN : value, timestamp, step };
}

function isBefore(one: HistoryPoint, other: HistoryPoint): boolean {
  if (one.timestamp !== other.timestamp) return one.timestamp < other.timestamp;
  if (one.step !== other.step) return one.step < other.step;
  if (one.value !== other.value) return one.value < other.value;
  return one.isNan < other.isNan;
}

/** A place as text, in which no digit is lost. */
function writePlace({ step, timestamp, value, isNan }: HistoryPoint): string {
  return `${step} ${timestamp} ${value} ${isNan}`;
}

/** The place that a text names; the beginning when it names none, as the token may come from anywhere. */
function readPlace(text: SortValue | undefined): HistoryPoint {
  const [, step = '', timestamp = '', value, isNan] =
    /^(-?\d{1,19}) (-?\d{1,19}) (\S+) (-?\d)$/.exec(String(text)) ?? [];
  if (step === '') return beginning;
  const whole = (digits: string) => BigInt.asIntN(64, BigInt(digits));
  return { step: whole(step), timestamp: whole(timestamp), value: Number(value), isNan: Number(isNan) };
}
