/** The nouns of tracking. Ids are those of the border: decimal text for experiments, MLflow's ids for the rest. */
import type { KeyValue, MainMetric, RunStatus } from '../../protocol/tracking.ts';
import type { Int64 } from '../database/int64.ts';

export type { Int64 };

export type LifecycleStage = 'active' | 'deleted';
export type ViewType = 'ACTIVE_ONLY' | 'DELETED_ONLY' | 'ALL';

export interface Experiment {
  readonly experimentId: string;
  readonly name: string;
  readonly artifactLocation: string;
  readonly lifecycleStage: LifecycleStage;
  /** UTC milliseconds. */
  readonly creationTime: number;
  readonly lastUpdateTime: number;
  readonly tags: readonly KeyValue[];
  /** What the person chose; null when it is to be guessed. */
  readonly mainMetric: MainMetric | null;
}

export interface RunInfo {
  readonly runId: string;
  readonly experimentId: string;
  readonly name: string;
  readonly userId: string;
  readonly status: RunStatus;
  /** UTC milliseconds. */
  readonly startTime: number;
  readonly endTime: number | null;
  readonly lifecycleStage: LifecycleStage;
  readonly artifactUri: string;
  readonly parentRunId: string | null;
}

/** One point of a series. */
export interface MetricPoint {
  /** May be NaN or infinite. */
  readonly value: number;
  /** UTC milliseconds. */
  readonly timestamp: Int64;
  readonly step: Int64;
}

/** One point of a metric. */
export interface Metric extends MetricPoint {
  readonly key: string;
}

/** The latest point of a metric, and how many it has. */
export interface CountedMetric extends Metric {
  readonly pointCount: number;
}

/** A point as it is logged: it may belong to a logged model and a dataset too. */
export interface MetricToLog extends Metric {
  readonly modelId?: string | undefined;
  readonly datasetName?: string | undefined;
  readonly datasetDigest?: string | undefined;
}

/** A point of a model's metric, from one run on one dataset. Empty dataset name and digest: none. */
export interface ModelMetric extends Metric {
  readonly runId: string;
  readonly datasetName: string;
  readonly datasetDigest: string;
}

export interface Dataset {
  readonly name: string;
  readonly digest: string;
  readonly sourceType: string;
  readonly source: string;
  readonly schema: string | null;
  readonly profile: string | null;
}

/** A dataset that runs of an experiment have as input. */
export interface DatasetSummary {
  readonly experimentId: string;
  readonly name: string;
  readonly digest: string;
  /** What it was used for, such as "training"; null when nobody said. */
  readonly context: string | null;
}

export interface DatasetLink {
  readonly dataset: Dataset;
  readonly tags: readonly KeyValue[];
}

export interface ModelOutput {
  readonly modelId: string;
  readonly step: Int64;
}

/** A run with all that was logged to it; of each metric the latest point. */
export interface Run {
  readonly info: RunInfo;
  readonly metrics: readonly Metric[];
  readonly parameters: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
  readonly datasets: readonly DatasetLink[];
  readonly modelInputs: readonly string[];
  readonly modelOutputs: readonly ModelOutput[];
}

export type LoggedModelStatus = 'LOGGED_MODEL_PENDING' | 'LOGGED_MODEL_READY' | 'LOGGED_MODEL_UPLOAD_FAILED';

export interface LoggedModel {
  readonly modelId: string;
  readonly experimentId: string;
  readonly name: string;
  readonly modelType: string;
  readonly status: LoggedModelStatus;
  readonly statusMessage: string;
  readonly artifactUri: string;
  readonly sourceRunId: string | null;
  /** UTC milliseconds. */
  readonly creationTime: number;
  readonly lastUpdateTime: number;
  readonly lifecycleStage: LifecycleStage;
}

export interface LoggedModelData {
  readonly model: LoggedModel;
  readonly tags: readonly KeyValue[];
  readonly parameters: readonly KeyValue[];
  readonly metrics: readonly ModelMetric[];
}

/** One page of a search; hand the token back to get the next. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextPageToken: string | null;
}

/** A search as a client asks for it; filter and order are in MLflow's grammar. */
export interface Search {
  readonly filter: string;
  readonly orderBy: readonly string[];
  readonly maxResults: number;
  readonly pageToken: string;
}

export type ComparisonOperator =
  | '='
  | '!='
  | '>'
  | '>='
  | '<'
  | '<='
  | 'LIKE'
  | 'ILIKE'
  | 'IN'
  | 'NOT IN'
  | 'IS NULL'
  | 'IS NOT NULL';

export type SearchEntity = 'metric' | 'parameter' | 'tag' | 'attribute' | 'dataset';

/** One clause of a filter, checked: its key, operator and value fit each other. Null value: `IS [NOT] NULL`. */
export interface Comparison {
  readonly entity: SearchEntity;
  readonly key: string;
  readonly operator: ComparisonOperator;
  readonly value: number | string | readonly string[] | null;
}

export interface Ordering {
  readonly entity: SearchEntity;
  readonly key: string;
  readonly ascending: boolean;
  /** Of a model's metric: on which dataset; null means any. */
  readonly datasetName?: string | null;
  readonly datasetDigest?: string | null;
}

/** A checked search. `after` holds the sort values of the last item of the page before. */
export interface Query {
  readonly comparisons: readonly Comparison[];
  readonly order: readonly Ordering[];
  readonly limit: number;
  readonly after: readonly SortValue[] | null;
}

export type SortValue = string | number | null;

/** The items of a page, and the sort values of its last item when there are more. */
export interface QueryResult<Item> {
  readonly items: readonly Item[];
  readonly last: readonly SortValue[] | null;
}

/** A run as the store keeps it. */
export interface RunRecord extends RunInfo {
  /** Integer key inside the store. */
  readonly key: number;
}

/** A logged model as the store keeps it. */
export interface LoggedModelRecord extends LoggedModel {
  /** Integer key inside the store. */
  readonly key: number;
}
