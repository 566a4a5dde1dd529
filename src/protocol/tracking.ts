import { z } from 'zod';
import { request } from './request.ts';

export type RunStatus = 'RUNNING' | 'SCHEDULED' | 'FINISHED' | 'FAILED' | 'KILLED';

/** The metric by which an experiment's runs are judged. */
export interface MainMetric {
  readonly key: string;
  readonly higherIsBetter: boolean;
}

export interface MetricValue {
  readonly key: string;
  /** The latest value; may be NaN or infinite. */
  readonly value: number;
}

export interface ExperimentSummary {
  readonly experimentId: string;
  readonly name: string;
  readonly runCount: number;
  readonly runningCount: number;
  /** UTC milliseconds of the newest run's start, or of the experiment's creation. */
  readonly lastActivity: number;
  readonly mainMetric: MainMetric | null;
}

export interface RunSummary {
  readonly runId: string;
  readonly experimentId: string;
  readonly name: string;
  readonly status: RunStatus;
  /** UTC milliseconds. */
  readonly startTime: number;
  /** UTC milliseconds; null while the run trains. */
  readonly endTime: number | null;
  readonly mainMetric: MetricValue | null;
  readonly parentRunId: string | null;
  readonly modelCount: number;
}

export interface RunPage {
  readonly runs: readonly RunSummary[];
  /** Hand it back to get the next page; null at the end. */
  readonly nextCursor: string | null;
}

export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

export interface MetricSummary extends MetricValue {
  readonly step: number;
  readonly timestamp: number;
  readonly pointCount: number;
}

export interface DatasetInput {
  readonly name: string;
  readonly digest: string;
  readonly sourceType: string;
  readonly source: string;
  /** The tag `mlflow.data.context`, such as "training"; empty when unset. */
  readonly context: string;
}

export interface LoggedModelSummary {
  readonly modelId: string;
  readonly name: string;
  /** Flavour names of its MLmodel file, such as "onnx"; empty when the file is not there yet. */
  readonly flavors: readonly string[];
  readonly registeredAs: readonly { readonly name: string; readonly version: number }[];
}

export interface RunDetail {
  readonly run: RunSummary;
  readonly experimentName: string;
  readonly user: string;
  readonly lifecycleStage: 'active' | 'deleted';
  readonly artifactUri: string;
  readonly sourceName: string | null;
  readonly sourceCommit: string | null;
  readonly sourceBranch: string | null;
  readonly sourceRepository: string | null;
  /** Whether there were changes that were not committed, as far as the client said. */
  readonly sourceDirty: boolean | null;
  readonly parameters: readonly KeyValue[];
  readonly metrics: readonly MetricSummary[];
  /** Without the `mlflow.` tags that other fields already show. */
  readonly tags: readonly KeyValue[];
  readonly datasets: readonly DatasetInput[];
  readonly models: readonly LoggedModelSummary[];
}

/**
 * Points of one metric of one run, ordered by step, then time; as many as were asked for, chosen so that they draw the
 * picture of all. The arrays have one length.
 */
export interface MetricSeries {
  readonly key: string;
  readonly steps: Float64Array;
  readonly values: Float64Array;
  /** UTC milliseconds. */
  readonly timestamps: Float64Array;
  /** The moving average of all points, at these; null when none was asked for. */
  readonly smoothed: Float64Array | null;
  /** How many points of the store these stand for, those that were left out included. */
  readonly represented: number;
  /** Of the represented points those that are NaN or infinite; `lastStep` is 0 when there are none. */
  readonly notFinite: { readonly count: number; readonly lastStep: number };
  /** Of the represented points those that are finite, and zero or below. */
  readonly notPositive: number;
  /** How many points the store holds for this metric in all. */
  readonly pointCount: number;
}

export interface ArtifactEntry {
  /** Relative to the run's artifact root, with forward slashes. */
  readonly path: string;
  readonly isDirectory: boolean;
  /** Bytes; 0 for a directory. */
  readonly size: number;
}

const runId = z.string().min(1).max(256);

const range = { from: z.number(), to: z.number() };

/** Which points of a metric: all, those after a step, those from one step to another, or from one time to another. */
const seriesPart = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('all') }),
  z.object({ kind: z.literal('after'), step: z.number() }),
  z.object({ kind: z.literal('steps'), ...range }),
  /** UTC milliseconds; of a metric whose points share one step. */
  z.object({ kind: z.literal('times'), ...range }),
]);

/** A range of steps or of times brings one more point on either side, so that lines can be drawn to its edges. */
export type SeriesPartToShow = z.infer<typeof seriesPart>;

/** What the extension host asks the engine about experiments and runs. */
export const trackingRequests = {
  /** Active experiments, the one with the newest activity first; the empty "Default" only when it has runs. */
  'tracking/experiments': request<readonly ExperimentSummary[]>()(z.object({})),
  /** Runs of an experiment, newest first; children of `parentRunId`, or top-level runs when it is null. */
  'tracking/runs': request<RunPage>()(
    z.object({
      experimentId: z.string(),
      parentRunId: runId.nullable(),
      cursor: z.string().nullable(),
      limit: z.number().int().min(1).max(1000),
    }),
  ),
  'tracking/run': request<RunDetail>()(z.object({ runId })),
  /** Newest active runs over all experiments that logged a model: what can be registered. */
  'tracking/runsWithModels': request<readonly RunSummary[]>()(
    z.object({ limit: z.number().int().min(1).max(1000) }),
  ),
  /** Points of the named metrics, up to `budget` of each, with the moving average of a metric whose `smoothing` is above 0. */
  'tracking/metricSeries': request<readonly MetricSeries[]>()(
    z.object({
      runId,
      metrics: z
        .array(z.object({ key: z.string(), part: seriesPart, smoothing: z.number().min(0).max(0.99) }))
        .max(200),
      budget: z.number().int().min(100).max(20_000),
    }),
  ),
  /** One folder of a run's artifacts, directories first; "" is the root. */
  'tracking/artifacts': request<readonly ArtifactEntry[]>()(z.object({ runId, path: z.string() })),
  /** Where an artifact file lies on this machine, so that the editor can open it. */
  'tracking/artifactFile': request<{ readonly file: string }>()(z.object({ runId, path: z.string() })),
  /** Chooses the metric by which an experiment's runs are judged. */
  'tracking/setMainMetric': request<null>()(
    z.object({ experimentId: z.string(), key: z.string(), higherIsBetter: z.boolean() }),
  ),
} as const;
