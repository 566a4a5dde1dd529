/** The nouns of traces. */
import type { Assessment } from '../../protocol/assessment.ts';
import type { KeyValue } from '../../protocol/tracking.ts';
import type { ComparisonOperator, SortValue } from './types.ts';

export type TraceState = 'STATE_UNSPECIFIED' | 'OK' | 'ERROR' | 'IN_PROGRESS';

/** What a trace is about, without its spans. */
export interface TraceInfo {
  readonly traceId: string;
  readonly experimentId: string;
  /** UTC milliseconds. */
  readonly requestTime: number;
  /** Milliseconds; null while it has not ended. */
  readonly executionDuration: number | null;
  readonly state: TraceState;
  readonly clientRequestId: string | null;
  readonly requestPreview: string | null;
  readonly responsePreview: string | null;
  readonly metadata: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
  /** In the order in which they were made. */
  readonly assessments: readonly Assessment[];
}

/** A trace as the store keeps it. */
export interface TraceRecord extends Omit<TraceInfo, 'metadata' | 'tags' | 'assessments'> {
  /** Integer key inside the store. */
  readonly key: number;
}

/** One step of a trace. Times are nanoseconds since 1970, as decimal text: they do not fit a number. */
export interface TraceSpan {
  /** Ids are bytes in base64. */
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  /** Such as `LLM`; `UNKNOWN` unless the script says. */
  readonly type: string;
  readonly status: 'OK' | 'ERROR' | 'UNSET';
  readonly statusMessage: string;
  readonly startTime: string;
  readonly endTime: string | null;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly TraceEvent[];
}

export interface TraceEvent {
  readonly name: string;
  /** As the times of spans. */
  readonly time: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export type TraceSubject =
  | 'attribute'
  | 'tag'
  | 'metadata'
  | 'run'
  | 'prompt'
  | 'span'
  | 'spanAttribute'
  | 'spanText'
  | 'feedback'
  | 'expectation';

/** One clause of a filter over traces, checked. Null value: `IS [NOT] NULL`. */
export interface TraceComparison {
  readonly subject: TraceSubject;
  readonly key: string;
  readonly operator: ComparisonOperator;
  readonly value: number | string | readonly string[] | null;
}

export interface TraceOrdering {
  readonly subject: 'attribute' | 'tag' | 'metadata';
  readonly key: string;
  readonly ascending: boolean;
}

/** A checked search over traces. `after` holds the sort values of the last trace of the page before. */
export interface TraceQuery {
  readonly comparisons: readonly TraceComparison[];
  readonly order: readonly TraceOrdering[];
  readonly limit: number;
  readonly after: readonly SortValue[] | null;
}
