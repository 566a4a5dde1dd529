import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { type WatchdogOptions, watchdogFields } from './watchdog.ts';

/** Entry of the thread that ends the process when a run of a model takes too long. */

const { memory, runMilliseconds, origin }: WatchdogOptions = workerData;
const fields = new Int32Array(memory);
/** Own clock, told in the other thread's time. */
const shift = performance.timeOrigin - origin;
const standardError = 2;

setInterval(
  () => {
    if (Atomics.load(fields, watchdogFields.runs) === 0) return;
    if (Atomics.load(fields, watchdogFields.loads) > 0) return;
    const now = performance.now() + shift;
    // The clock is kept in 32 bits, which are full after 24 days: only the difference counts.
    const taken = ((now | 0) - Atomics.load(fields, watchdogFields.since)) | 0;
    if (taken < runMilliseconds) return;
    writeSync(
      standardError,
      `Error: a run of the model took longer than ${runMilliseconds} ms, so the process is ended.\n`,
    );
    process.kill(process.pid, 'SIGKILL');
  },
  Math.max(10, Math.min(1000, runMilliseconds / 4)),
);
