import type { VariantStatistics } from '../protocol/scorer.ts';
import { latencyBucket, latencyBucketCount } from '../statistics/latencyHistogram.ts';
import type { ChosenVersion } from './modelRepository.ts';

/** Counts what each variant was asked, since the process started. */
export interface VariantCounter {
  add(chosen: ChosenVersion | null, status: number, rows: number, latencyMicroseconds: number): void;
  variants(): readonly VariantStatistics[];
  /** Requests that were refused before it was known which model they are for. */
  refusedCount(): number;
}

interface Counts {
  readonly model: string;
  readonly version: number;
  readonly variant: string;
  requestCount: number;
  errorCount: number;
  failureCount: number;
  rowCount: number;
  readonly latencies: Uint32Array;
}

export function createVariantCounter(): VariantCounter {
  const counts = new Map<string, Counts>();
  let refused = 0;

  const find = ({ loaded, variant }: ChosenVersion): Counts => {
    const key = `${variant}/${loaded.version}/${loaded.name}`;
    const known = counts.get(key);
    if (known) return known;
    const created: Counts = {
      model: loaded.name,
      version: loaded.version,
      variant,
      requestCount: 0,
      errorCount: 0,
      failureCount: 0,
      rowCount: 0,
      latencies: new Uint32Array(latencyBucketCount),
    };
    counts.set(key, created);
    return created;
  };
  return {
    add(chosen, status, rows, latencyMicroseconds) {
      if (!chosen) {
        refused++;
        return;
      }
      const entry = find(chosen);
      entry.requestCount++;
      if (status >= 400) entry.errorCount++;
      if (status >= 500) entry.failureCount++;
      entry.rowCount += rows;
      const bucket = latencyBucket(latencyMicroseconds);
      entry.latencies[bucket] = (entry.latencies[bucket] ?? 0) + 1;
    },
    variants: () =>
      [...counts.values()].map(({ latencies, ...rest }) => ({ ...rest, latencies: sparse(latencies) })),
    refusedCount: () => refused,
  };
}

function sparse(latencies: Uint32Array): readonly (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = [];
  for (const [bucket, count] of latencies.entries()) if (count > 0) pairs.push([bucket, count]);
  return pairs;
}
