import { z } from 'zod';
import type { ErrorData } from './errors.ts';
import { type ImportDetection, type ImportRecord, importKinds } from './importing.ts';
import type { DriftReport } from './monitoring.ts';

const path = z.string().min(1);

/** A heavy job for a worker process, sent as its first IPC message. */
export const workerJob = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('drift'),
    endpoint: z.string(),
    /** Absolute path of a CSV file with a header, or of a Parquet file. */
    referenceFile: path,
    referenceLabel: z.string(),
    /** Absolute path. */
    inferenceLog: path,
    /** UTC milliseconds, both included. */
    from: z.number(),
    to: z.number(),
  }),
  /** Says what there is to import at an absolute path. */
  z.object({ type: z.literal('detect'), path }),
  /**
   * Reads a source and tells its records. With `keepInSync` it goes on whenever the source changes, and never ends by
   * itself.
   */
  z.object({
    type: z.literal('import'),
    kind: z.enum(importKinds),
    path,
    /** States of the parts that were imported completely before, by key. */
    known: z.map(z.string(), z.string()),
    remaps: z.array(z.object({ from: z.string(), to: z.string() })),
    keepInSync: z.boolean(),
  }),
  /** Reads all of a store's file, which others may be writing to, and says what is wrong with it. */
  z.object({ type: z.literal('checkStore'), file: path }),
]);
export type WorkerJob = z.infer<typeof workerJob>;
export type WorkerJobOf<Type extends WorkerJob['type']> = Extract<WorkerJob, { type: Type }>;

/** What each type of job gives. */
export interface WorkerResults {
  readonly drift: DriftReport;
  readonly detect: readonly ImportDetection[];
  readonly import: null;
  readonly checkStore: readonly ErrorData[];
}

/** What a worker tells the engine. */
export type WorkerMessage =
  | { readonly type: 'progress'; readonly fraction: number; readonly message: string }
  /** Records of an import; the worker waits for `RecordsTaken` before it sends many more. */
  | { readonly type: 'records'; readonly records: readonly ImportRecord[] }
  /** All that the source holds was told; what follows is new. */
  | { readonly type: 'caughtUp'; readonly unchangedParts: number }
  | { readonly type: 'done'; readonly result: WorkerResults[WorkerJob['type']] }
  | { readonly type: 'failed'; readonly error: ErrorData };

/** The engine's answer to `records`, once they are in the store. */
export const recordsTaken = z.object({ type: z.literal('recordsTaken') });
export type RecordsTaken = z.infer<typeof recordsTaken>;
