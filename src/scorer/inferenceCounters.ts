import type { ModelRun } from '../inference/batching.ts';

/**
 * What each version was asked and how long its parts took, since the process started: the figures of Triton's statistics
 * and metrics.
 */
export interface InferenceCounters {
  /** A prediction request that was led to a version got its answer. */
  answered(version: VersionKey, request: AnsweredRequest): void;
  /** A model ran, once for all the requests that shared the run. */
  executed(version: VersionKey, run: ModelRun): void;
  /** Zeros when it was never asked. */
  of(version: VersionKey): VersionCounts;
}

export interface VersionKey {
  readonly name: string;
  readonly version: number;
}

export interface AnsweredRequest {
  /** UTC milliseconds. */
  readonly at: number;
  readonly succeeded: boolean;
  /** From the first byte to the answer. */
  readonly microseconds: number;
}

export interface Duration {
  readonly count: number;
  readonly microseconds: number;
}

export interface VersionCounts {
  /** UTC milliseconds; 0 when it was never asked. */
  readonly lastInference: number;
  readonly success: Duration;
  readonly failure: Duration;
  /** By request. */
  readonly queue: Duration;
  /** By request: a run counts once for each request that shared it. */
  readonly compute: Duration;
  /** Rows of runs that succeeded. */
  readonly rowCount: number;
  /** Runs that succeeded. */
  readonly runCount: number;
  /** Runs that succeeded by their number of rows, ascending. */
  readonly batches: readonly { readonly rows: number; readonly compute: Duration }[];
}

interface MutableDuration {
  count: number;
  microseconds: number;
}

interface Counts {
  lastInference: number;
  rowCount: number;
  runCount: number;
  readonly success: MutableDuration;
  readonly failure: MutableDuration;
  readonly queue: MutableDuration;
  readonly compute: MutableDuration;
  readonly batches: Map<number, MutableDuration>;
}

export function createInferenceCounters(): InferenceCounters {
  const models = new Map<string, Map<number, Counts>>();

  const find = ({ name, version }: VersionKey): Counts => {
    const versions = models.get(name) ?? new Map<number, Counts>();
    models.set(name, versions);
    const counts = versions.get(version) ?? noCounts();
    versions.set(version, counts);
    return counts;
  };
  return {
    answered(version, { at, succeeded, microseconds }) {
      const counts = find(version);
      counts.lastInference = at;
      add(succeeded ? counts.success : counts.failure, 1, microseconds);
    },
    executed(version, { rows, requests, queueMicroseconds, runMicroseconds, succeeded }) {
      if (!succeeded) return;
      const counts = find(version);
      add(counts.queue, requests, queueMicroseconds);
      add(counts.compute, requests, runMicroseconds * requests);
      counts.rowCount += rows;
      counts.runCount++;
      const batch = counts.batches.get(rows) ?? noDuration();
      counts.batches.set(rows, batch);
      add(batch, 1, runMicroseconds);
    },
    of({ name, version }) {
      const { batches, ...counts } = models.get(name)?.get(version) ?? noCounts();
      const sorted = [...batches].sort(([left], [right]) => left - right);
      return { ...counts, batches: sorted.map(([rows, compute]) => ({ rows, compute })) };
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
  return {
    lastInference: 0,
    rowCount: 0,
    runCount: 0,
    success: noDuration(),
    failure: noDuration(),
    queue: noDuration(),
    compute: noDuration(),
    batches: new Map(),
  };
}
