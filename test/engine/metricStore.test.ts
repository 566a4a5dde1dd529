import assert from 'node:assert/strict';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Database, openDatabase } from '../../src/engine/database/connection.ts';
import { createTrackingStore, type TrackingStore } from '../../src/engine/tracking/store.ts';
import type { CountedMetric, Metric, SortValue } from '../../src/engine/tracking/types.ts';
import { inTemporaryFolder } from './headless.ts';

/** Few keys, steps, times and values: points repeat and come late often. Some batches are larger than a statement takes. */
const point: fc.Arbitrary<Metric> = fc.record({
  key: fc.constantFrom('loss', 'acc', 'val/loss'),
  step: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom(2n ** 53n + 1n, -(2n ** 62n))),
  timestamp: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant(2n ** 62n + 1n)),
  value: fc.constantFrom(0, 0.5, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
});
const scattered = fc.array(point, { maxLength: 12 });
const curve = fc
  .record({ key: fc.constantFrom('loss', 'acc'), from: fc.nat(200), count: fc.integer({ min: 1, max: 350 }) })
  .map(({ key, from, count }) =>
    Array.from({ length: count }, (_, index) => ({
      key,
      step: from + index,
      timestamp: 10 + from + index,
      value: (from + index) / 8,
    })),
  );
const layers = fc
  .record({ first: fc.nat(50), count: fc.integer({ min: 1, max: 230 }), step: fc.nat(3) })
  .map(({ first, count, step }) =>
    Array.from({ length: count }, (_, index) => ({
      key: `layer ${first + index}`,
      step,
      timestamp: 5 + step,
      value: index,
    })),
  );
const batch = fc
  .array(fc.oneof(scattered, curve, layers), { maxLength: 3 })
  .chain((parts) => fc.shuffledSubarray(parts.flat(), { minLength: 0 }).map((some) => [parts.flat(), some]))
  .chain((forms) => fc.constantFrom(...forms));

describe('The store of metrics', () => {
  it('keeps each point once, counts them, and knows the latest, however they are batched', function () {
    this.timeout(60_000);
    return inTemporaryFolder(async (folder) => {
      const database = openDatabase(join(folder, 'store.db'));
      const store = createTrackingStore(database);
      try {
        fc.assert(
          fc.property(fc.array(batch, { minLength: 1, maxLength: 4 }), (batches) => {
            const run = createRun(store);
            for (const metrics of batches) database.transaction(() => store.metrics.add(run, metrics));
            const all = batches.flat();
            const byKey = Map.groupBy(all, ({ key }) => key);
            assert.deepEqual(
              store.metrics.latest(run).map(written),
              [...byKey.values()].map(latestOf).map(written),
            );
            for (const [key, points] of byKey) {
              const expected = distinct(points).toSorted(inTime).map(written);
              assert.deepEqual(historyOf(store, run, key).map(written), expected);
            }
            assert.deepEqual(miscounted(database), []);
          }),
          { numRuns: 60 },
        );
      } finally {
        database.close();
      }
    });
  });
});

let runs = 0;

function createRun(store: TrackingStore): number {
  runs += 1;
  const runId = String(runs).padStart(32, '0');
  const rest = { name: 'a', userId: '', status: 'RUNNING', startTime: 1, artifactUri: '' } as const;
  return store.runs.insert({ runId, experimentId: '0', ...rest });
}

/** All points of a metric, in pages that end in the middle of most. */
function historyOf(store: TrackingStore, run: number, key: string): readonly Metric[] {
  const found: Metric[] = [];
  for (let after: readonly SortValue[] | null = null; ; ) {
    const { items, last } = store.metricHistory.page(run, key, 97, after);
    found.push(...items);
    if (last === null) return found;
    after = last;
  }
}

/** Keys of series that do not have as many points as they say. */
function miscounted(database: Database): readonly unknown[] {
  return database
    .prepare(
      `SELECT key FROM metric_series s WHERE point_count <> (SELECT COUNT(*) FROM metric_points WHERE series_id = s.id)`,
    )
    .all();
}

/** As a text, in which a number and a bigint of the same value are the same. */
function written({ key, step, timestamp, value, ...more }: Metric | CountedMetric): string {
  return JSON.stringify([key, String(step), String(timestamp), String(value), more]);
}

function distinct(points: readonly Metric[]): readonly Metric[] {
  return [...new Map(points.map((one) => [written(one), one])).values()];
}

/** The latest point by step, time and value, in which NaN counts as 0: of several such the first. */
function latestOf(points: readonly Metric[]): CountedMetric {
  const weight = ({ value }: Metric) => (Number.isNaN(value) ? 0 : value);
  const latest = points.reduce((best, one) =>
    (compare(one.step, best.step) || compare(one.timestamp, best.timestamp) || weight(one) - weight(best)) > 0
      ? one
      : best,
  );
  return { ...latest, pointCount: distinct(points).length };
}

function compare(one: number | bigint, other: number | bigint): number {
  return one < other ? -1 : Number(one > other);
}

/** As a history tells points: NaN stands where 0 does, right behind it. */
function inTime(one: Metric, other: Metric): number {
  const rank = ({ value }: Metric) => (Number.isNaN(value) ? 0 : value);
  return (
    compare(one.timestamp, other.timestamp) ||
    compare(one.step, other.step) ||
    compare(rank(one), rank(other)) ||
    Number(Number.isNaN(one.value)) - Number(Number.isNaN(other.value))
  );
}
