import { z } from 'zod';
import type { ErrorData } from './errors.ts';
import type { DriftReport } from './monitoring.ts';

/** A heavy job for a worker process, sent as its first IPC message. */
export const workerJob = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('drift'),
    endpoint: z.string(),
    /** Absolute path of a CSV file with a header, or of a Parquet file. */
    referenceFile: z.string().min(1),
    referenceLabel: z.string(),
    /** Absolute path. */
    inferenceLog: z.string().min(1),
    /** UTC milliseconds, both included. */
    from: z.number(),
    to: z.number(),
  }),
]);
export type WorkerJob = z.infer<typeof workerJob>;

/** What each type of job gives. */
export interface WorkerResults {
  readonly drift: DriftReport;
}

/** What a worker tells the engine. */
export type WorkerMessage =
  | { readonly type: 'progress'; readonly fraction: number; readonly message: string }
  | { readonly type: 'done'; readonly result: WorkerResults[WorkerJob['type']] }
  | { readonly type: 'failed'; readonly error: ErrorData };
