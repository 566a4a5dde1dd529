import { type ChildProcess, fork } from 'node:child_process';
import { fromErrorData, SlipwayError } from '../../protocol/errors.ts';
import type { WorkerJob, WorkerMessage, WorkerResults } from '../../protocol/worker.ts';

/** How a long request is watched and stopped. */
export interface JobControl {
  readonly signal: AbortSignal;
  /** Told a share between 0 and 1, and what the job is at. */
  readonly progress: (fraction: number, message: string) => void;
}

/** Runs jobs in worker processes, one for each. */
export interface WorkerProcesses {
  /** @throws SlipwayError what the job failed with, or `cancelled` when it was aborted or `close` was called. */
  run<Type extends WorkerJob['type']>(
    job: Extract<WorkerJob, { type: Type }>,
    control: JobControl,
  ): Promise<WorkerResults[Type]>;
  /** Kills the running ones and waits for their end. */
  close(): Promise<void>;
}

type Outcome = { readonly result: WorkerResults[WorkerJob['type']] } | { readonly error: SlipwayError };

/** What is kept of a worker's error output, for the details of a crash. */
const keptErrorOutput = 4000;

/** @param script the entry file of the worker process. */
export function createWorkerProcesses(script: string): WorkerProcesses {
  const running = new Map<ChildProcess, Promise<unknown>>();
  const closing = new AbortController();

  const start = async (job: WorkerJob, { signal, progress }: JobControl): Promise<Outcome> => {
    const stop = AbortSignal.any([signal, closing.signal]);
    if (stop.aborted) return { error: new SlipwayError('cancelled') };
    const worker = fork(script, {
      // Keeps NaN and infinities, which JSON has not.
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    });
    const outcome = outcomeOf(worker, job, progress, stop);
    running.set(worker, outcome);
    try {
      return await outcome;
    } finally {
      running.delete(worker);
    }
  };

  return {
    async run(job, control) {
      const outcome = await start(job, control);
      if ('error' in outcome) throw outcome.error;
      return outcome.result;
    },
    async close() {
      closing.abort();
      await Promise.all(running.values());
    },
  };
}

/** Settles when the process has ended, so that none is left behind a settled request. */
function outcomeOf(
  worker: ChildProcess,
  job: WorkerJob,
  progress: JobControl['progress'],
  stop: AbortSignal,
): Promise<Outcome> {
  return new Promise((settle) => {
    let outcome: Outcome | null = null;
    let errorOutput = '';
    const kill = () => worker.kill('SIGKILL');
    const finish = (last: Outcome) => {
      stop.removeEventListener('abort', kill);
      settle(last);
    };
    stop.addEventListener('abort', kill, { once: true });
    worker.stderr?.on('data', (chunk) => {
      errorOutput = (errorOutput + String(chunk)).slice(-keptErrorOutput);
    });
    worker.on('message', (message: WorkerMessage) => {
      if (stop.aborted) return;
      if (message.type === 'progress') {
        progress(message.fraction, message.message);
        return;
      }
      outcome =
        message.type === 'done' ? { result: message.result } : { error: fromErrorData(message.error) };
      worker.disconnect();
    });
    worker.once('error', (cause) => {
      outcome ??= { error: new SlipwayError('internal', { detail: cause.message }, { cause }) };
      // A process that did not start has no exit to wait for.
      if (worker.pid === undefined) finish(outcome);
    });
    worker.once('exit', (code, signalName) => {
      if (stop.aborted) finish({ error: new SlipwayError('cancelled') });
      else finish(outcome ?? { error: crash(code, signalName, errorOutput) });
    });
    worker.send(job, (error) => {
      // The exit that follows says more.
      if (error) kill();
    });
  });
}

function crash(code: number | null, signalName: string | null, errorOutput: string): SlipwayError {
  const detail = `the worker ended without a result (${signalName ?? `exit code ${code}`})`;
  return new SlipwayError('internal', { detail }, { cause: errorOutput });
}
