import type { ModelRun } from '../inference/batching.ts';
import type { VersionCounts } from '../protocol/scorerReading.ts';
import { createRequestCounters, type RequestCounters, type VersionKey } from './requestCounters.ts';

/**
 * What each version was asked and how long its parts took, since the process started: the figures of Triton's statistics
 * and metrics.
 */
export interface InferenceCounters {
  readonly requests: RequestCounters;
  /** A model ran, once for all the requests that shared the run. */
  executed(version: VersionKey, run: ModelRun): void;
  /** Zeros when it was never asked. */
  of(version: VersionKey): VersionCounts;
}

interface MutableDuration {
  count: number;
  microseconds: number;
}

interface Counts {
  rowCount: number;
  runCount: number;
  readonly queue: MutableDuration;
  readonly compute: MutableDuration;
  readonly batches: Map<number, MutableDuration>;
}

/** Beyond it runs are not told apart by each number of rows, or there would be no end of them. */
const exactRows = 64;

export function createInferenceCounters(): InferenceCounters {
  const requests = createRequestCounters();
  const models = new Map<string, Map<number, Counts>>();

  const find = ({ name, version }: VersionKey): Counts => {
    const versions = models.get(name) ?? new Map<number, Counts>();
    models.set(name, versions);
    const counts = versions.get(version) ?? noCounts();
    versions.set(version, counts);
    return counts;
  };
  return {
    requests,
    executed(version, { rows, requests: shared, queueMicroseconds, runMicroseconds, succeeded }) {
      if (!succeeded) return;
      const counts = find(version);
      add(counts.queue, shared, queueMicroseconds);
      add(counts.compute, shared, runMicroseconds * shared);
      counts.rowCount += rows;
      counts.runCount++;
      const counted = rows <= exactRows ? rows : 2 ** Math.ceil(Math.log2(rows));
      const batch = counts.batches.get(counted) ?? noDuration();
      counts.batches.set(counted, batch);
      add(batch, 1, runMicroseconds);
    },
    of(version) {
      const { batches, ...counts } = models.get(version.name)?.get(version.version) ?? noCounts();
      const sorted = [...batches].sort(([left], [right]) => left - right);
      return {
        ...requests.of(version),
        ...counts,
        batches: sorted.map(([rows, compute]) => ({ rows, compute })),
      };
    },
  };
}

function add(duration: MutableDuration, count: number, microseconds: number): void {
  duration.count += count;
  duration.microseconds += microseconds;
}

function noDuration(): MutableDuration {
  return { count: 0, microseconds: 0 };
}

function noCounts(): Counts {
  return { rowCount: 0, runCount: 0, queue: noDuration(), compute: noDuration(), batches: new Map() };
}
