import { SlipwayError, toErrorData } from '../protocol/errors.ts';
import {
  recordsTaken,
  type WorkerJob,
  type WorkerMessage,
  type WorkerResults,
  workerJob,
} from '../protocol/worker.ts';
import { computeDrift } from './drift.ts';
import { detectSources } from './import/detect.ts';
import { createRecordSender, type RecordSender } from './import/recordSender.ts';
import { importSource } from './import/run.ts';
import { checkStore } from './storeCheck.ts';

/**
 * A worker process: takes one job as its first IPC message, tells how far it is, and gives the result or the failure.
 * It ends when the engine disconnects, be it because it has the result or because it is gone; it is killed to cancel.
 */
const records = createRecordSender(tell);
process.once('disconnect', () => process.exit(0));
process.once('message', (message) => {
  process.on('message', (answer) => {
    if (recordsTaken.safeParse(answer).success) records.taken();
  });
  void work(message, records).then(tell);
});

async function work(message: unknown, sender: RecordSender): Promise<WorkerMessage> {
  try {
    const job = workerJob.safeParse(message);
    if (!job.success) throw new SlipwayError('invalidParameter', { detail: job.error.message });
    return { type: 'done', result: await resultOf(job.data, sender) };
  } catch (error) {
    return { type: 'failed', error: toErrorData(error) };
  }
}

async function resultOf(job: WorkerJob, sender: RecordSender): Promise<WorkerResults[WorkerJob['type']]> {
  switch (job.type) {
    case 'drift':
      return computeDrift(job, progress);
    case 'detect':
      return detectSources(job.path);
    case 'import':
      await importSource(job, {
        sender,
        progress,
        caughtUp: (unchangedParts) => tell({ type: 'caughtUp', unchangedParts }),
      });
      return null;
    case 'checkStore':
      return checkStore(job.file, progress);
  }
}

function progress(fraction: number, message: string): void {
  tell({ type: 'progress', fraction, message });
}

function tell(message: WorkerMessage): void {
  process.send?.(message);
}
