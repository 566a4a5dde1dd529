import { join } from 'node:path';

/** Entry files of the processes that an engine starts, beside the command line's own. */
export const scripts = {
  scorer: join(import.meta.dirname, 'scorer.cjs'),
  worker: join(import.meta.dirname, 'worker.cjs'),
};
