import type { ImportRecord } from '../../protocol/importing.ts';
import type { MlflowTables, Row } from './mlflowTables.ts';
import { createPointBuffer } from './pointBuffer.ts';

/** What MLflow writes for an infinity, as its databases may not hold one: the largest finite number. */
const infinityStandIn = Number.MAX_VALUE;

export interface MetricReader {
  /** The row of a run's newest point. */
  last(runId: string): number;
  /** Yields the points of a run that came since it was last read in this session. */
  read(runId: string): Iterable<ImportRecord>;
  endReading(): void;
}

/** New points are found by their row, so that of a database that grows only these are read. */
export function createMetricReader(tables: MlflowTables, offsets: Map<string, number>): MetricReader {
  const readUpTo = offsets.get('metrics');
  const newest = tables.lastRow('metrics');
  // Rows that were deleted may have given their places to others.
  const isGrown = readUpTo !== undefined && newest >= readUpTo;
  const lastRows = new Map<string, number>();
  if (isGrown) {
    for (const rows of tables.pages('metrics', ['run_uuid'], ['1'], readUpTo)) {
      for (const { run_uuid, rowid } of rows) lastRows.set(String(run_uuid), Number(rowid));
    }
  }
  const columns = ['key', 'value', 'timestamp', 'step', 'is_nan'];

  const reader: MetricReader = {
    last(runId) {
      if (isGrown) return lastRows.get(runId) ?? offsets.get(`metrics/${runId}`) ?? 0;
      const found =
        lastRows.get(runId) ?? tables.lastRow('metrics', [tables.equals('metrics', 'run_uuid'), runId]);
      lastRows.set(runId, found);
      offsets.set(`metrics/${runId}`, found);
      return found;
    },
    *read(runId) {
      const from = isGrown ? (offsets.get(`read/${runId}`) ?? 0) : 0;
      let buffers = new Map<string, ReturnType<typeof createPointBuffer>>();
      let last = from;
      for (const rows of tables.pages(
        'metrics',
        columns,
        [tables.equals('metrics', 'run_uuid'), runId],
        from,
      )) {
        for (const row of rows) {
          const key = String(row.key);
          const buffer = buffers.get(key) ?? createPointBuffer(runId, key);
          buffers.set(key, buffer);
          const chunk = buffer.add(integerOf(row.step), integerOf(row.timestamp), metricValue(row));
          if (chunk) yield chunk;
        }
        last = Number(rows.at(-1)?.rowid);
        for (const buffer of buffers.values()) {
          const rest = buffer.rest();
          if (rest) yield rest;
        }
        buffers = new Map();
      }
      offsets.set(`read/${runId}`, last);
      offsets.set(`metrics/${runId}`, Math.max(last, reader.last(runId)));
    },
    endReading() {
      offsets.set('metrics', newest);
    },
  };
  return reader;
}

/** A point's value; a NaN is stored as 0 or null with a mark. */
export function metricValue(row: Row): number {
  if (row.value === null || row.is_nan === 1) return Number.NaN;
  const value = Number(row.value);
  if (Math.abs(value) === infinityStandIn) return value > 0 ? Infinity : -Infinity;
  return value;
}

/** Integers that JavaScript's numbers cannot hold come as text. */
export function integerOf(cell: Row[string] | undefined): number | bigint {
  return typeof cell === 'string' && /^-?\d+$/.test(cell) ? BigInt(cell) : Number(cell ?? 0);
}
