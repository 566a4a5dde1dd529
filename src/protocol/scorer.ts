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
    /**
     * Names of the columns that the model was trained on, in order, as its signature has them. Needed to name the
     * columns of a model that takes them all as one tensor; null or left out when unknown.
     */
    columns: z.array(z.string()).nullish(),
    /**
     * Absolute path of the model's logged input example, a JSON file as MLflow writes it; null or left out when it has
     * none. Its first row becomes the example request.
     */
    example: z.string().min(1).nullish(),
  }),
  host: z.string(),
  /** 0 takes a free one. */
  port: z.number().int().min(0).max(65535),
  token: z.string().min(16).nullable(),
  /** Absolute path of the endpoint's inference log; null keeps none. */
  inferenceLog: z.string().min(1).nullable(),
  limits: z
    .object({
      /** Bytes of a request's body; a larger one is refused with 413. */
      bodyBytes: z
        .number()
        .int()
        .positive()
        .default(64 * 1024 * 1024),
      /** How long a client may take to send a whole request. */
      requestMilliseconds: z.number().int().positive().default(30_000),
      /** How long answers that are under way may take while the scorer drains. */
      drainMilliseconds: z.number().int().positive().default(10_000),
    })
    .prefault({}),
});
export type ScorerOptions = z.infer<typeof scorerOptions>;
/** As the engine writes them: what has a default may be left out. */
export type ScorerOptionsInput = z.input<typeof scorerOptions>;

/** The environment variable that carries the options. */
export const scorerOptionsVariable = 'SLIPWAY_SCORER';

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
  /** Something that the person should know and that stops nothing, such as an output that cannot be answered. */
  | { readonly type: 'warning'; readonly message: string }
  /** Sent after answers, at most a few times a second. Counts since the process started. */
  | { readonly type: 'counts'; readonly requestCount: number; readonly errorCount: number };

/** What the engine tells a scorer. `drain` answers what is in flight, flushes the log, and ends. */
export type ScorerCommand = { readonly type: 'drain' };

/**
 * The inference log is an SQLite file (WAL, `user_version` 1) with one table, written by the scorer and read by
 * workers:
 *
 *     requests(id INTEGER PRIMARY KEY, request_id TEXT, received_at INTEGER, model_version INTEGER, row_count INTEGER,
 *              status INTEGER, latency_us INTEGER, inputs TEXT, outputs TEXT)
 *
 * - One row for each prediction request that passed the door (token, host, address), refused ones included.
 * - `request_id` is what the client gave, else one that was made up; the answer's header `x-request-id` repeats it.
 * - `received_at` is UTC milliseconds, with an index. `latency_us` lasts until the answer was handed to the system.
 * - `status` is the HTTP status. `row_count` is 0 for a request that was refused.
 * - `inputs` and `outputs` are JSON objects that map each column's name, or each tensor's where its columns have no
 *   names, to the array of its values, one element a row (nested arrays where an element is not a scalar). Null for
 *   a request that was refused. A model that takes all columns as one tensor is logged by column when the model's
 *   signature names them.
 * - FP32 values have the fewest digits that FP32 tells apart, such as 8.6.
 * - NaN is null, infinities are the strings "Infinity" and "-Infinity", 64-bit integers are exact JSON integers.
 *
 * Rows are gathered and written together, a tenth of a second or 5,000 rows later: killing the process loses no more.
 */
export const inferenceLogTable = 'requests';
