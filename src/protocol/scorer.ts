import { z } from 'zod';
import type { Detail } from './errorDetails.ts';
import type { ErrorData } from './errors.ts';
import { hostName } from './hostName.ts';
import { type ScorerReading, scorerReading } from './scorerReading.ts';
import type { TensorDescription } from './tensor.ts';

/** One version of a model, as a scorer loads it. */
export const scorerModel = z.object({
  name: z.string().min(1),
  version: z.number().int().positive(),
  source: z.discriminatedUnion('type', [
    z.object({
      type: z.literal('onnx'),
      /** Absolute path of the ONNX file. */
      file: z.string().min(1),
    }),
    /** A model that only Python can run, in the person's own interpreter. */
    z.object({
      type: z.literal('python'),
      /** Absolute path of the folder with the MLmodel file. */
      folder: z.string().min(1),
      /** Absolute path of the interpreter. */
      python: z.string().min(1),
    }),
  ]),
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
  /** Other names of the version, by which clients may ask for it: its aliases and its stage. */
  labels: z.array(z.string().min(1)).default([]),
  /** SHA-256 of the model's file in hexadecimal digits; null when unknown. */
  digest: z.string().nullish(),
});
export type ScorerModel = z.infer<typeof scorerModel>;
export type ScorerModelInput = z.input<typeof scorerModel>;

/**
 * How the requests for a model that name no version are split among versions.
 *
 * A request with a key (`sticky`) always meets the same variant while the shares stay: its place is
 * `hash(salt, key)` in [0, 1), and the variants lie there from the last to the first. So raising the share of a
 * candidate only moves keys from the stable variant, which is the first, to the candidate. Requests without a key
 * are split at random; the header `x-slipway-variant` of an answer tells the variant, and a request that sends it back
 * meets the same one.
 */
export const trafficSplit = z.object({
  model: z.string().min(1),
  /** Differs between rollouts, so that it is not always the same keys that meet a candidate first. */
  salt: z.string(),
  /** Where a request carries the key that it stays with; `parameter` is a member of its parameters. */
  sticky: z
    .object({ from: z.enum(['header', 'cookie', 'parameter']), name: z.string().min(1) })
    .nullable()
    .default(null),
  /** The first is the stable one. Shares add up to 1. */
  variants: z
    .array(
      z.object({
        /** Such as `stable` and `candidate`. */
        name: z.string().regex(/^[a-z][a-zA-Z0-9-]{0,31}$/),
        version: z.number().int().positive(),
        share: z.number().min(0).max(1),
      }),
    )
    .min(1),
  /** A version that is asked the same and whose answers nobody gets; they are compared and logged. */
  shadow: z
    .object({ version: z.number().int().positive(), share: z.number().min(0).max(1) })
    .nullable()
    .default(null),
});
export type TrafficSplit = z.infer<typeof trafficSplit>;
export type TrafficSplitInput = z.input<typeof trafficSplit>;

/** What an endpoint keeps of the requests that it answers. */
export const inferenceLogOptions = z.object({
  /** Absolute path. */
  file: z.string().min(1),
  /** The share of requests that is kept; those that were refused or failed are kept always. */
  sample: z.number().min(0).max(1).default(1),
  /** Columns or tensors of inputs and outputs whose values are not kept: null stands in their place. */
  redact: z.array(z.string().min(1)).default([]),
  /** Older requests are deleted; null keeps them. */
  keepMilliseconds: z.number().int().positive().nullable().default(null),
  /** While the log's content is larger, the oldest requests are deleted; null sets no limit. */
  keepBytes: z
    .number()
    .int()
    .positive()
    .nullable()
    .default(4 * 1024 * 1024 * 1024),
  /** How long a request may wait in memory before it is written. */
  flushMilliseconds: z.number().int().min(1).max(60_000).default(100),
});
export type InferenceLogOptions = z.infer<typeof inferenceLogOptions>;

/** Stands for a port when the listening socket is handed over. */
export const scorerDoor = 'door';

/** What a scorer answers, each on a socket of its own. */
const scorerProtocol = z.enum(['http', 'grpc']);
export type ScorerProtocol = z.infer<typeof scorerProtocol>;

const scorerPort = z.union([z.number().int().min(0).max(65535), z.literal(scorerDoor)]);

/** The longest that a timer can wait; one that is to wait longer fires at once. */
export const longestTimer = 2 ** 31 - 1;
const timerMilliseconds = z.number().int().positive().max(longestTimer);

/** How a scorer is told what to serve: by the message `begin`, or one JSON text in the environment variable `SLIPWAY_SCORER`. */
export const scorerOptions = z.object({
  endpoint: z.string().min(1),
  /** Loaded and warm before it says `ready`. The first one's model is the endpoint's own: `/invocations` asks it. */
  models: z.array(scorerModel).min(1),
  /** At most one for each model; a model without one is served by its highest version. */
  traffic: z.array(trafficSplit).default([]),
  /** The address to listen on. On a loopback address only loopback names and those of `hosts` are served. */
  host: z.string(),
  /** Further host names by which it is asked, such as that of a proxy before it. */
  hosts: z.array(hostName).default([]),
  /**
   * 0 takes a free one. `door`: an IPC message brings a socket that listens already. Whoever holds it keeps it open, so
   * that no connection is refused while one scorer follows another; connections that the holder accepted itself come
   * over IPC, too.
   */
  port: scorerPort,
  /** For the Open Inference Protocol over gRPC, in the same way; null answers none. */
  grpcPort: scorerPort.nullable().default(null),
  /** Whether other processes answer for the same endpoint: its metrics and statistics are those of all of them. */
  shared: z.boolean().default(false),
  token: z.string().min(16).nullable(),
  /** Null keeps none. */
  inferenceLog: inferenceLogOptions.nullable(),
  /** How models are run. */
  runtime: z
    .object({
      /** Threads inside one run of an ONNX model. More of them spin and slow small models down. */
      threads: z.number().int().min(1).max(256).default(1),
      /** A batch takes no further request once it has so many rows; 1 never joins requests. */
      batchRows: z.number().int().min(1).max(65_536).default(1024),
    })
    .prefault({}),
  limits: z
    .object({
      /** Bytes of a request's body, after it was unpacked; a larger one is refused with 413. */
      bodyBytes: z
        .number()
        .int()
        .positive()
        .default(64 * 1024 * 1024),
      /** Requests that may be under way at a time; more are refused with 429 and `Retry-After`. */
      requests: z.number().int().positive().default(1024),
      /** How long a client may take to send a whole request. */
      requestMilliseconds: timerMilliseconds.default(30_000),
      /** How long one run of a model may take; then the process is killed, as a run cannot be stopped. */
      runMilliseconds: timerMilliseconds.default(60_000),
      /** How long a version may take to be loaded and warmed; then it fails, with its process if it blocks that. */
      loadMilliseconds: timerMilliseconds.default(300_000),
      /** How long answers that are under way may take while the scorer drains. */
      drainMilliseconds: timerMilliseconds.default(10_000),
    })
    .prefault({}),
});
export type ScorerOptions = z.infer<typeof scorerOptions>;
/** As the engine writes them: what has a default may be left out. */
export type ScorerOptionsInput = z.input<typeof scorerOptions>;

/** The environment variable that may carry the options. */
export const scorerOptionsVariable = 'SLIPWAY_SCORER';

/** What a scorer says of a version that it has loaded and warmed. */
export interface ServedVersion {
  readonly name: string;
  readonly version: number;
  readonly inputs: readonly TensorDescription[];
  readonly outputs: readonly TensorDescription[];
  /** A request body of the Open Inference Protocol that the model accepts. */
  readonly exampleRequest: string;
  /** What its file says of itself, such as `opset: ai.onnx 17`, `producer: skl2onnx 1.20`. */
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  readonly warnings: readonly (string | Detail)[];
}

/** What one variant of a model was asked since the process started. */
export interface VariantStatistics {
  readonly model: string;
  readonly version: number;
  /** As in the split; `version` when clients asked for it by its number or a label. */
  readonly variant: string;
  readonly requestCount: number;
  /** Requests that were answered with a status of 400 and more. */
  readonly errorCount: number;
  /** Those of them with a status of 500 and more. */
  readonly failureCount: number;
  readonly rowCount: number;
  /** Sparse counts of latencies: pairs of a bucket of `src/statistics/latencyHistogram.ts` and its count. */
  readonly latencies: readonly (readonly [bucket: number, count: number])[];
}

/** How the answers of a shadow compare to those that clients got, since the process started. */
export interface ShadowStatistics {
  readonly model: string;
  readonly stableVersion: number;
  readonly shadowVersion: number;
  readonly comparedRows: number;
  /** Rows whose outputs all agree: equal labels, and numbers that differ by at most 1e-4 in relation. */
  readonly equalRows: number;
  readonly outputs: readonly {
    readonly name: string;
    /** Of labels, integers and truths: rows that agree. Null for other numbers. */
    readonly equalRows: number | null;
    /** Of numbers: null for labels. */
    readonly meanAbsoluteDifference: number | null;
    readonly largestAbsoluteDifference: number | null;
  }[];
  /** Requests that the shadow could not answer, or that it was too busy for. */
  readonly failedRequests: number;
  readonly skippedRequests: number;
}

/** What a scorer tells the engine over its IPC channel. */
export type ScorerMessage =
  | {
      readonly type: 'ready';
      readonly port: number;
      readonly grpcPort: number | null;
      readonly versions: readonly ServedVersion[];
    }
  | { readonly type: 'failed'; readonly error: ErrorData }
  /** A connection that came over IPC has arrived: its sender need not hold it any more. */
  | { readonly type: 'taken'; readonly id: number }
  /** The answer to a command; `version` when it was `load`. */
  | { readonly type: 'done'; readonly id: number; readonly version: ServedVersion | null }
  | { readonly type: 'refused'; readonly id: number; readonly error: ErrorData }
  /** The answer to the command `read`. */
  | { readonly type: 'reading'; readonly id: number; readonly reading: ScorerReading }
  /** Asks what the other processes of the endpoint count; answered with the command `gathered`. */
  | { readonly type: 'gather'; readonly id: number }
  /** Something that the person should know and that stops nothing, such as an output that cannot be answered. */
  | { readonly type: 'warning'; readonly message: string }
  /** Sent after answers, at most a few times a second. */
  | {
      readonly type: 'statistics';
      readonly variants: readonly VariantStatistics[];
      readonly shadows: readonly ShadowStatistics[];
      /** Requests that were refused before it was known which model they are for. */
      readonly refusedCount: number;
    };

/** Comes over IPC with a socket that listens. */
export const handedDoor = z.object({ type: z.literal('door'), protocol: scorerProtocol });
export type HandedDoor = z.infer<typeof handedDoor>;

/** Comes over IPC with a connection that somebody else accepted; answered with `taken`. */
export const handedConnection = z.object({
  type: z.literal('connection'),
  id: z.number().int(),
  protocol: scorerProtocol,
});
export type HandedConnection = z.infer<typeof handedConnection>;

/** What the engine tells a scorer. Every command but `begin`, `drain` and `gathered` is answered with its `id`. */
export const scorerCommand = z.discriminatedUnion('type', [
  /** What to serve, where the environment does not say it. The scorer looks at it as it would there, and says what is wrong. */
  z.object({ type: z.literal('begin'), options: z.custom<ScorerOptionsInput>() }),
  /**
   * Answers what is in flight, flushes the log, and ends. Connections that are idle stay open for a moment: a client
   * that asks once more is answered, and told to connect anew.
   */
  z.object({
    type: z.literal('drain'),
    graceMilliseconds: z.number().int().min(0).max(60_000).default(0),
  }),
  /** Loads a version beside those that are there, in place of the same one; requests go on meanwhile. */
  z.object({ type: z.literal('load'), id: z.number().int(), model: scorerModel }),
  /**
   * Forgets a version when the requests that it answers are done. Refused while traffic is led to it, unless it is the
   * only one of a model that is not the endpoint's own.
   */
  z.object({
    type: z.literal('unload'),
    id: z.number().int(),
    name: z.string(),
    version: z.number().int(),
  }),
  /** Takes effect for the next request. Refused when a version is not loaded. */
  z.object({ type: z.literal('route'), id: z.number().int(), traffic: trafficSplit }),
  /** Sets the labels of a version. */
  z.object({
    type: z.literal('label'),
    id: z.number().int(),
    name: z.string(),
    version: z.number().int(),
    labels: z.array(z.string()),
  }),
  /** Serves a further host name by which it is asked. */
  z.object({ type: z.literal('host'), id: z.number().int(), host: hostName }),
  /** Has the inference log, if there is one, keep another share of the requests from now on. */
  z.object({ type: z.literal('sample'), id: z.number().int(), share: z.number().min(0).max(1) }),
  /** Asks what this process counts. */
  z.object({ type: z.literal('read'), id: z.number().int() }),
  /** What each of the other processes counts. */
  z.object({
    type: z.literal('gathered'),
    id: z.number().int(),
    readings: z.array(scorerReading).readonly(),
  }),
]);
export type ScorerCommand = z.infer<typeof scorerCommand>;
/** As the engine writes them: what has a default may be left out. */
export type ScorerCommandInput = z.input<typeof scorerCommand>;
