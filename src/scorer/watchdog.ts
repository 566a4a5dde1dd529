import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { EndedRun } from '../protocol/endedRun.ts';
import { detail } from '../protocol/errorDetails.ts';
import { SlipwayError } from '../protocol/errors.ts';
import { noteLate } from './lateLoads.ts';

/**
 * Ends this process when a run of a model, or loading one, takes too long: both block their thread and cannot be
 * stopped, so a thread of its own looks at the clock.
 */
export interface Watchdog {
  /** A run of a version was asked for; runs begin in the order in which they were asked for. */
  began(run: EndedRun): void;
  /** It ended, well or not. */
  ended(run: EndedRun): void;
  /**
   * Gives a version the time that loading and warming it may take, which blocks everyone. Where it waits instead, for
   * a file that does not come, nobody need suffer: then it fails, and its signal says that nobody wants it any more.
   *
   * @throws SlipwayError `modelUnreadable`.
   */
  whileLoading<Result>(version: EndedRun, load: (signal: AbortSignal) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/**
 * The shared memory: how many runs there are, when the last one began first or ended, in milliseconds, and which of the
 * versions told of it is that runs; then the same of those that are being loaded.
 */
export const watchdogFields = {
  runs: 0,
  since: 1,
  running: 2,
  loads: 3,
  loadingSince: 4,
  loading: 5,
} as const;

/** Tells the thread of a version that may run, or is being loaded. */
export interface WatchedVersion extends EndedRun {
  readonly number: number;
}

export interface WatchdogLimits {
  /** How long one run may take. */
  readonly runMilliseconds: number;
  /** How long a version may take to be loaded and warmed. */
  readonly loadMilliseconds: number;
}

export interface WatchdogOptions {
  /** Six 32-bit integers. */
  readonly memory: SharedArrayBuffer;
  readonly limits: WatchdogLimits;
  /** `performance.timeOrigin` of the thread that runs models: times count from there. */
  readonly origin: number;
}

const threadFile = join(import.meta.dirname, `watchdogThread${extname(import.meta.filename)}`);

export function startWatchdog(limits: WatchdogLimits): Watchdog {
  const memory = new SharedArrayBuffer(24);
  const fields = new Int32Array(memory);
  const workerData: WatchdogOptions = { memory, limits, origin: performance.timeOrigin };
  const thread = new Worker(threadFile, { workerData });
  thread.unref();
  const numbers = new Map<string, number>();
  const numberOf = ({ model, version }: EndedRun): number => {
    const key = `${version} ${model}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    const number = numbers.size;
    numbers.set(key, number);
    const told: WatchedVersion = { model, version, number };
    thread.postMessage(told);
    return number;
  };
  /** The first one runs, the others wait for it. */
  const asked: EndedRun[] = [];
  const noteFirst = () => {
    const [first] = asked;
    if (first) Atomics.store(fields, watchdogFields.running, numberOf(first));
  };
  const note = (change: number) => {
    Atomics.store(fields, watchdogFields.since, performance.now() | 0);
    Atomics.add(fields, watchdogFields.runs, change);
  };
  const loading: EndedRun[] = [];
  const noteLoads = () => {
    const [first] = loading;
    if (first) Atomics.store(fields, watchdogFields.loading, numberOf(first));
    // Those that came while another one was loading waited for it.
    Atomics.store(fields, watchdogFields.loadingSince, performance.now() | 0);
    Atomics.store(fields, watchdogFields.loads, loading.length);
  };
  return {
    began(run) {
      asked.push(run);
      if (asked.length === 1) noteFirst();
      if (Atomics.load(fields, watchdogFields.runs) === 0) note(1);
      else Atomics.add(fields, watchdogFields.runs, 1);
    },
    ended(run) {
      asked.splice(asked.indexOf(run), 1);
      noteFirst();
      note(-1);
    },
    async whileLoading(version, load) {
      const overdue = new AbortController();
      const loaded = load(overdue.signal);
      let deadline: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        deadline = setTimeout(() => {
          overdue.abort();
          noteLate(loaded);
          const seconds = limits.loadMilliseconds / 1000;
          reject(
            new SlipwayError('modelUnreadable', {
              ...version,
              detail: detail('loadTookTooLong', { seconds }),
            }),
          );
        }, limits.loadMilliseconds);
      });
      loading.push(version);
      noteLoads();
      try {
        return await Promise.race([loaded, late]);
      } finally {
        clearTimeout(deadline);
        note(0);
        loading.splice(loading.indexOf(version), 1);
        noteLoads();
      }
    },
    async close() {
      await thread.terminate();
    },
  };
}
