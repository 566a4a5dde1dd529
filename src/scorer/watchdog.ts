import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';

/**
 * Ends this process when a run of a model takes too long: a run blocks its thread and cannot be stopped, so a thread
 * of its own looks at the clock.
 */
export interface Watchdog {
  /** A run was asked for. */
  began(): void;
  /** A run ended, well or not. */
  ended(): void;
  /** Looks away while a model is loaded and warmed, which may take long and blocks everyone. */
  whileLoading<Result>(load: () => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/**
 * The shared memory: how many runs there are, when the last one began first or ended, in milliseconds, and how many
 * models are being loaded.
 */
export const watchdogFields = { runs: 0, since: 1, loads: 2 } as const;

export interface WatchdogOptions {
  /** Three 32-bit integers. */
  readonly memory: SharedArrayBuffer;
  readonly runMilliseconds: number;
  /** `performance.timeOrigin` of the thread that runs models: times count from there. */
  readonly origin: number;
}

const threadFile = join(import.meta.dirname, `watchdogThread${extname(import.meta.filename)}`);

/** @param runMilliseconds how long one run may take. */
export function startWatchdog(runMilliseconds: number): Watchdog {
  const memory = new SharedArrayBuffer(12);
  const fields = new Int32Array(memory);
  const workerData: WatchdogOptions = { memory, runMilliseconds, origin: performance.timeOrigin };
  const thread = new Worker(threadFile, { workerData });
  thread.unref();
  const note = (change: number) => {
    Atomics.store(fields, watchdogFields.since, performance.now() | 0);
    Atomics.add(fields, watchdogFields.runs, change);
  };
  return {
    began() {
      if (Atomics.load(fields, watchdogFields.runs) === 0) note(1);
      else Atomics.add(fields, watchdogFields.runs, 1);
    },
    ended: () => note(-1),
    async whileLoading(load) {
      Atomics.add(fields, watchdogFields.loads, 1);
      try {
        return await load();
      } finally {
        note(0);
        Atomics.sub(fields, watchdogFields.loads, 1);
      }
    },
    async close() {
      await thread.terminate();
    },
  };
}
