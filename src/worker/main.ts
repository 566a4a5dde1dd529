import { checkEnvironment } from '../inference/python/environment.ts';
import { SlipwayError, toErrorData } from '../protocol/errors.ts';
import type { RuntimeChoice } from '../protocol/tuning.ts';
import {
  recordsTaken,
  type WorkerJob,
  type WorkerMessage,
  type WorkerResults,
  workerJob,
} from '../protocol/worker.ts';
import { tune } from '../tuning/measurement.ts';
import { convertToOnnx } from './conversion/convert.ts';
import { computeDrift } from './drift.ts';
import { detectSources } from './import/detect.ts';
import { createRecordSender, type RecordSender } from './import/recordSender.ts';
import { importSource } from './import/run.ts';
import { runLoadTest } from './loadTest/run.ts';
import { exportRequests } from './requests/exportRequests.ts';
import { replayRequests } from './requests/replayRequests.ts';
import { takeRolloutSample } from './rolloutSample.ts';
import { scoreFile } from './score/score.ts';
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
    case 'pythonEnvironment':
      return checkEnvironment(job.python, job.folder);
    case 'convert':
      return convertToOnnx(job, progress);
    case 'checkStore':
      return checkStore(job.file, progress);
    case 'rolloutSample':
      return takeRolloutSample(job);
    case 'score':
      return scoreFile(job, (fraction, told) => progress(fraction, JSON.stringify(told)));
    case 'exportRequests':
      return exportRequests(job, progress);
    case 'replayRequests':
      return replayRequests(job, progress);
    case 'loadTest':
      return runLoadTest(job, { progress, step: (step) => tell({ type: 'loadTestStep', step }) });
    case 'tune':
      return tune({
        ...job,
        // It is killed to cancel.
        signal: new AbortController().signal,
        progress: (fraction, next) => progress(fraction, wayText(next)),
        warn: (message) => process.stderr.write(`${message}\n`),
      });
  }
}

function wayText(way: RuntimeChoice | null): string {
  return way === null ? '' : JSON.stringify(way);
}

function progress(fraction: number, message: string): void {
  tell({ type: 'progress', fraction, message });
}

function tell(message: WorkerMessage): void {
  process.send?.(message);
}
