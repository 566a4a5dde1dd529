import { SlipwayError, toErrorData } from '../protocol/errors.ts';
import { type WorkerMessage, workerJob } from '../protocol/worker.ts';
import { computeDrift } from './drift.ts';

/**
 * A worker process: takes one job as its first IPC message, tells how far it is, and gives the result or the failure.
 * It ends when the engine disconnects, be it because it has the result or because it is gone; it is killed to cancel.
 */
process.once('disconnect', () => process.exit(0));
process.once('message', (message) => {
  void work(message).then(tell);
});

async function work(message: unknown): Promise<WorkerMessage> {
  try {
    const job = workerJob.safeParse(message);
    if (!job.success) throw new SlipwayError('invalidParameter', { detail: job.error.message });
    const result = await computeDrift(job.data, (fraction, text) =>
      tell({ type: 'progress', fraction, message: text }),
    );
    return { type: 'done', result };
  } catch (error) {
    return { type: 'failed', error: toErrorData(error) };
  }
}

function tell(message: WorkerMessage): void {
  process.send?.(message);
}
