import { z } from 'zod';
import { type ConversionReport, convertibleFlavors } from './conversion.ts';
import type { ErrorData } from './errors.ts';
import { type ImportDetection, type ImportRecord, importKinds } from './importing.ts';
import { type LoadTestReport, type LoadTestStep, loadTestPlan } from './loadTest.ts';
import type { DriftReport } from './monitoring.ts';
import type { PythonEnvironment } from './pythonModels.ts';
import { type ReplayReport, type RequestExportReport, requestFilter } from './requests.ts';
import { scorerModel } from './scorer.ts';
import { dataFormats, type ScoreReport, scoreOptions } from './scoring.ts';
import { type TuningReport, tuningPlan } from './tuning.ts';

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
  /** Compares what two versions of a model answered since a moment, as far as the latest requests of a log tell. */
  z.object({
    type: z.literal('rolloutSample'),
    /** Absolute path. */
    inferenceLog: path,
    model: z.string(),
    stableVersion: z.number().int(),
    candidateVersion: z.number().int(),
    /** Whether the candidate only heard what others were asked. */
    shadow: z.boolean(),
    /** UTC milliseconds. */
    from: z.number(),
  }),
  /** Sends requests at growing rates and tells each step as it ends. */
  z.object({
    type: z.literal('loadTest'),
    endpoint: z.string(),
    url: z.url(),
    /** Sent as `Authorization: Bearer <token>`; null sends none. */
    token: z.string().nullable(),
    body: z.string(),
    plan: loadTestPlan,
  }),
  /** Measures ways to run a model. */
  tuningPlan.extend({
    type: z.literal('tune'),
    model: scorerModel,
    /** Entry file of the scorer process; absolute. */
    script: path,
  }),
  /** Says how an interpreter fits to the model in a folder; loads nothing of the model. Both are absolute paths. */
  z.object({ type: z.literal('pythonEnvironment'), python: path, folder: path }),
  /** Converts the model in a folder to ONNX. All paths are absolute; `output` is not there yet. */
  z.object({
    type: z.literal('convert'),
    name: z.string(),
    version: z.number().int(),
    flavor: z.enum(convertibleFlavors),
    folder: path,
    python: path,
    /** A CSV or Parquet file to compare on; null when there is none. */
    dataset: path.nullable(),
    output: path,
  }),
  /** Asks a model for a prediction for each row of a file. */
  scoreOptions.extend({
    type: z.literal('score'),
    model: scorerModel,
    /** What is done is kept so often: a kill loses no more than that. */
    keepMilliseconds: z.number().int().positive(),
  }),
  /** Writes the requests of an inference log as a data file. */
  z.object({
    type: z.literal('exportRequests'),
    endpoint: z.string(),
    /** Absolute paths. */
    inferenceLog: path,
    filter: requestFilter,
    limit: z.number().int().positive(),
    output: path,
    format: z.enum(dataFormats).nullable(),
    /** For this job alone. */
    temporaryFolder: path,
    /** The output until it is complete, in the same folder. */
    unfinished: path,
  }),
  /** Asks a version what clients asked, and compares. */
  z.object({
    type: z.literal('replayRequests'),
    endpoint: z.string(),
    inferenceLog: path,
    filter: requestFilter,
    limit: z.number().int().positive(),
    model: scorerModel,
  }),
]);
export type WorkerJob = z.infer<typeof workerJob>;
export type WorkerJobOf<Type extends WorkerJob['type']> = Extract<WorkerJob, { type: Type }>;

/** Values of one side of a rollout, summed up. Of none, `least` is Infinity and `greatest` -Infinity. */
export interface SampleMoments {
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  readonly least: number;
  readonly greatest: number;
}

/** What the inference log says of a rollout's candidate beside the stable version. */
export interface RolloutSample {
  /** Of the output whose distribution differs most; null when no output can be compared. */
  readonly drift: {
    readonly output: string;
    /** The population stability index. */
    readonly psi: number;
    /** Of the test that goes with it: Kolmogorov-Smirnov for numbers, chi-square for labels. */
    readonly pValue: number;
    readonly candidateRows: number;
    readonly stableRows: number;
  } | null;
  /** Predictions beside labels that came later: one value a row. Null while there are no labels. */
  readonly quality: {
    /** 1 for a right answer and 0 for a wrong one, or how far a number was off. */
    readonly measure: 'accuracy' | 'absoluteError';
    readonly candidate: SampleMoments;
    readonly stable: SampleMoments;
  } | null;
  /** One value for each request that a client told a reward of. */
  readonly rewards: { readonly candidate: SampleMoments; readonly stable: SampleMoments };
}

/** What each type of job gives. */
export interface WorkerResults {
  readonly drift: DriftReport;
  readonly detect: readonly ImportDetection[];
  readonly import: null;
  readonly checkStore: readonly ErrorData[];
  readonly score: ScoreReport;
  readonly pythonEnvironment: PythonEnvironment;
  readonly convert: Pick<ConversionReport, 'size' | 'facts' | 'checks'>;
  readonly rolloutSample: RolloutSample;
  readonly exportRequests: RequestExportReport;
  readonly replayRequests: ReplayReport;
  readonly loadTest: LoadTestReport;
  readonly tune: TuningReport;
}

/** What a worker tells the engine. */
export type WorkerMessage =
  | { readonly type: 'progress'; readonly fraction: number; readonly message: string }
  /** Records of an import; the worker waits for `RecordsTaken` before it sends many more. */
  | { readonly type: 'records'; readonly records: readonly ImportRecord[] }
  /** All that the source holds was told; what follows is new. */
  | { readonly type: 'caughtUp'; readonly unchangedParts: number }
  /** A step of a load test is over. */
  | { readonly type: 'loadTestStep'; readonly step: LoadTestStep }
  | { readonly type: 'done'; readonly result: WorkerResults[WorkerJob['type']] }
  | { readonly type: 'failed'; readonly error: ErrorData };

/** The engine's answer to `records`, once they are in the store. */
export const recordsTaken = z.object({ type: z.literal('recordsTaken') });
export type RecordsTaken = z.infer<typeof recordsTaken>;
