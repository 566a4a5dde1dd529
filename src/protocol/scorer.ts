import { z } from 'zod';
import type { ErrorData } from './errors.ts';
import type { TensorDescription } from './serving.ts';

/** How a scorer process is told what to serve: one JSON text in the environment variable `SLIPWAY_SCORER`. */
export const scorerOptions = z.object({
  endpoint: z.string().min(1),
  model: z.object({
    name: z.string().min(1),
    version: z.number().int().positive(),
    /** Absolute path of the ONNX file. */
    file: z.string().min(1),
  }),
  host: z.string(),
  /** 0 takes a free one. */
  port: z.number().int().min(0).max(65535),
  token: z.string().min(16).nullable(),
  /** Absolute path of the endpoint's inference log; null keeps none. */
  inferenceLog: z.string().min(1).nullable(),
});
export type ScorerOptions = z.infer<typeof scorerOptions>;

/** What a scorer tells the engine over its IPC channel. */
export type ScorerMessage =
  | {
      readonly type: 'ready';
      readonly port: number;
      readonly inputs: readonly TensorDescription[];
      readonly outputs: readonly TensorDescription[];
      readonly exampleRequest: string;
    }
  | { readonly type: 'failed'; readonly error: ErrorData }
  /** Sent after answers, at most a few times a second. Counts since the process started. */
  | { readonly type: 'counts'; readonly requestCount: number; readonly errorCount: number };

/** What the engine tells a scorer. `drain` answers what is in flight, flushes the log, and ends. */
export type ScorerCommand = { readonly type: 'drain' };

/**
 * The inference log is an SQLite file with one table, written by the scorer and read by workers:
 *
 *     requests(id INTEGER PRIMARY KEY, request_id TEXT, received_at INTEGER, model_version INTEGER, row_count INTEGER,
 *              status INTEGER, latency_us INTEGER, inputs TEXT, outputs TEXT)
 *
 * `received_at` is UTC milliseconds, with an index. `inputs` and `outputs` are JSON objects that map each tensor's or
 * column's name to the array of its values, one element a row (nested arrays where an element is not a scalar);
 * null for a request that failed before it was understood.
 */
export const inferenceLogTable = 'requests';
