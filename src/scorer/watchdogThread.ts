import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { type EndedRun, endedLoadLine, endedRunLine } from '../protocol/endedRun.ts';
import { type WatchdogOptions, type WatchedVersion, watchdogFields } from './watchdog.ts';

/** Entry of the thread that ends the process when a run of a model, or loading one, takes too long. */

const { memory, limits, origin }: WatchdogOptions = workerData;
const { runMilliseconds, loadMilliseconds } = limits;
const fields = new Int32Array(memory);
/** Own clock, told in the other thread's time. */
const shift = performance.timeOrigin - origin;
const standardError = 2;

const versions = new Map<number, EndedRun>();
parentPort?.on('message', ({ number, model, version }: WatchedVersion) => {
  versions.set(number, { model, version });
});

/** Who is not blocked finds out itself, and no process need end. */
const graceMilliseconds = 1000;

/** @param field holds a time of the other thread. */
function isOver(field: number, milliseconds: number): boolean {
  const now = performance.now() + shift;
  // The clock is kept in 32 bits, which are full after 24 days: only the difference counts.
  return (((now | 0) - Atomics.load(fields, field)) | 0) >= milliseconds;
}

/** @param field holds the number of the version that is to blame. */
function end(field: number, line: (version: EndedRun) => string): void {
  const version = versions.get(Atomics.load(fields, field));
  if (version) writeSync(standardError, `${line(version)}\n`);
  process.kill(process.pid, 'SIGKILL');
}

setInterval(
  () => {
    if (Atomics.load(fields, watchdogFields.loads) > 0) {
      // Runs wait for what is loading, and loading warms with runs of its own.
      if (!isOver(watchdogFields.loadingSince, loadMilliseconds + graceMilliseconds)) return;
      end(watchdogFields.loading, (version) => endedLoadLine(version, loadMilliseconds));
    } else if (
      Atomics.load(fields, watchdogFields.runs) > 0 &&
      isOver(watchdogFields.since, runMilliseconds)
    ) {
      end(watchdogFields.running, (version) => endedRunLine(version, runMilliseconds));
    }
  },
  Math.max(10, Math.min(1000, runMilliseconds / 4)),
);
