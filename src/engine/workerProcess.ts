import { type ChildProcess, fork } from 'node:child_process';
import { fromErrorData, SlipwayError, toSlipwayError } from '../protocol/errors.ts';
import type { ImportRecord } from '../protocol/importing.ts';
import type { LoadTestStep } from '../protocol/loadTest.ts';
import type {
  RecordsTaken,
  WorkerJob,
  WorkerJobOf,
  WorkerMessage,
  WorkerResults,
} from '../protocol/worker.ts';

/** How a long request is watched and stopped. */
export interface JobControl {
  readonly signal: AbortSignal;
  /** Told a share between 0 and 1, and what the job is at. */
  readonly progress: (fraction: number, message: string) => void;
}

/** What an import needs besides. */
export interface ImportControl extends JobControl {
  /** Takes a batch of records; the worker waits until it is done. What it throws ends the job. */
  readonly take: (records: readonly ImportRecord[]) => Promise<void>;
  readonly caughtUp: (unchangedParts: number) => void;
}

/** What a load test needs besides. */
export interface LoadTestControl extends JobControl {
  readonly step: (step: LoadTestStep) => void;
}

type ControlOf<Type extends WorkerJob['type']> = Type extends 'import'
  ? ImportControl
  : Type extends 'loadTest'
    ? LoadTestControl
    : JobControl;

/** Runs jobs in worker processes, one for each. */
export interface WorkerProcesses {
  /** @throws SlipwayError what the job failed with, or `cancelled` when it was aborted or `close` was called. */
  run<Type extends WorkerJob['type']>(
    job: WorkerJobOf<Type>,
    control: ControlOf<Type>,
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

  const start = async (
    job: WorkerJob,
    control: JobControl | ImportControl | LoadTestControl,
  ): Promise<Outcome> => {
    const stop = AbortSignal.any([control.signal, closing.signal]);
    if (stop.aborted) return { error: new SlipwayError('cancelled') };
    const worker = fork(script, {
      // Keeps NaN and infinities, which JSON has not.
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    });
    const outcome = outcomeOf(worker, job, control, stop);
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
      // A worker answers a job with the result of its type.
      return outcome.result as WorkerResults[typeof job.type];
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
  control: JobControl | ImportControl | LoadTestControl,
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
    const take = async (records: readonly ImportRecord[]): Promise<void> => {
      try {
        if ('take' in control) await control.take(records);
        worker.send({ type: 'recordsTaken' } satisfies RecordsTaken, (error) => {
          // The exit that follows says more.
          if (error) kill();
        });
      } catch (error) {
        outcome ??= { error: toSlipwayError(error) };
        kill();
      }
    };
    let taking: Promise<void> = Promise.resolve();
    worker.on('message', (message: WorkerMessage) => {
      if (stop.aborted) return;
      switch (message.type) {
        case 'progress':
          control.progress(message.fraction, message.message);
          return;
        case 'records':
          taking = taking.then(() => (stop.aborted ? undefined : take(message.records)));
          return;
        case 'caughtUp':
          if ('caughtUp' in control) control.caughtUp(message.unchangedParts);
          return;
        case 'loadTestStep':
          if ('step' in control) control.step(message.step);
          return;
        case 'done':
          outcome ??= { result: message.result };
          break;
        case 'failed':
          outcome ??= { error: fromErrorData(message.error) };
      }
      worker.disconnect();
    });
    worker.once('error', (cause) => {
      outcome ??= { error: new SlipwayError('internal', { detail: cause.message }, { cause }) };
      // A process that did not start has no exit to wait for.
      if (worker.pid === undefined) finish(outcome);
    });
    worker.once('exit', async (code, signalName) => {
      // What is being written must be so before the store may be closed.
      await taking;
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
