/** Traces as MLflow's messages have them: `TraceInfoV3` and `Span` of the 3.0 API, `TraceInfo` of the 2.0 API. */
import { SlipwayError } from '../../protocol/errors.ts';
import type { KeyValue } from '../../protocol/tracking.ts';
import type { TraceInfo, TraceSpan, TraceState } from '../tracking/traceTypes.ts';
import { encodeAssessment, readRecordedAssessment } from './assessmentMessages.ts';
import { encodeList, encodeText } from './dialect.ts';
import { type Message, missingParameter } from './message.ts';
import { formatDuration, formatTimestamp, parseDuration, parseTimestamp } from './protobufTime.ts';

const stateNumbers: Readonly<Record<TraceState, number>> = {
  STATE_UNSPECIFIED: 0,
  OK: 1,
  ERROR: 2,
  IN_PROGRESS: 3,
};

/** The state that a field names; an unknown one is none in particular. */
export function readTraceState(message: Message, name: string): TraceState {
  return message.choice(name, stateNumbers) ?? 'STATE_UNSPECIFIED';
}

/** The trace in a message whose field `trace` holds a `Trace`. */
export function readTrace(message: Message): TraceInfo {
  const info = message.message('trace')?.message('trace_info');
  if (!info) throw missingParameter(message.has('trace') ? 'trace.trace_info' : 'trace');
  const experimentId = readExperimentLocation(info.message('trace_location'));
  if (experimentId === null) throw missingParameter('trace.trace_info.trace_location');
  return {
    traceId: info.requiredText('trace_id'),
    experimentId,
    requestTime: readTime(info, 'request_time', parseTimestamp) ?? 0,
    executionDuration: readTime(info, 'execution_duration', parseDuration),
    state: readTraceState(info, 'state'),
    clientRequestId: info.text('client_request_id') ?? null,
    requestPreview: info.text('request_preview') ?? null,
    responsePreview: info.text('response_preview') ?? null,
    metadata: readTextMap(info, 'trace_metadata'),
    tags: readTextMap(info, 'tags'),
    assessments: info.messages('assessments').map(readRecordedAssessment),
  };
}

/** The experiment that a `TraceLocation` names; null when it is another kind of place. */
export function readExperimentLocation(location: Message | undefined): string | null {
  return location?.message('mlflow_experiment')?.text('experiment_id') || null;
}

function readTime(message: Message, name: string, parse: (text: string) => number | null): number | null {
  const text = message.text(name);
  if (text === undefined) return null;
  const time = parse(text);
  if (time !== null) return time;
  throw new SlipwayError('invalidParameter', {
    detail: `Invalid value ${JSON.stringify(text)} for parameter '${name}' supplied: it is no time.`,
  });
}

function readTextMap(message: Message, name: string): readonly KeyValue[] {
  const map = message.message(name);
  return map ? Object.keys(map.fields).map((key) => ({ key, value: map.text(key) ?? '' })) : [];
}

export function encodeTraceInfo(trace: TraceInfo): object {
  return {
    trace_id: trace.traceId,
    client_request_id: encodeText(trace.clientRequestId),
    trace_location: {
      type: 'MLFLOW_EXPERIMENT',
      mlflow_experiment: { experiment_id: trace.experimentId },
    },
    request_preview: encodeText(trace.requestPreview),
    response_preview: encodeText(trace.responsePreview),
    request_time: formatTimestamp(trace.requestTime),
    execution_duration:
      trace.executionDuration === null ? undefined : formatDuration(trace.executionDuration),
    state: trace.state,
    trace_metadata: encodeTextMap(trace.metadata),
    assessments: encodeList(trace.assessments.map((one) => encodeAssessment(one, trace.traceId))),
    tags: encodeTextMap(trace.tags),
  };
}

export function encodeOldTraceInfo(trace: TraceInfo): object {
  return {
    request_id: trace.traceId,
    experiment_id: trace.experimentId,
    timestamp_ms: trace.requestTime,
    execution_time_ms: trace.executionDuration ?? 0,
    status: trace.state === 'STATE_UNSPECIFIED' ? 'TRACE_STATUS_UNSPECIFIED' : trace.state,
    request_metadata: encodeList(trace.metadata),
    tags: encodeList(trace.tags),
  };
}

function encodeTextMap(entries: readonly KeyValue[]): object | undefined {
  return entries.length > 0
    ? Object.fromEntries(entries.map(({ key, value }) => [key, value] as const))
    : undefined;
}

/** A span as OpenTelemetry's message `Span`. */
export function encodeSpan(span: TraceSpan): object {
  return {
    trace_id: span.traceId,
    span_id: span.spanId,
    parent_span_id: span.parentSpanId ?? undefined,
    name: span.name,
    start_time_unix_nano: span.startTime,
    end_time_unix_nano: span.endTime ?? undefined,
    attributes: encodeList(encodeAttributes(span.attributes)),
    events: encodeList(
      span.events.map(({ name, time, attributes }) => ({
        time_unix_nano: time,
        name,
        attributes: encodeList(encodeAttributes(attributes)),
      })),
    ),
    status: { message: encodeText(span.statusMessage), code: `STATUS_CODE_${span.status}` },
  };
}

function encodeAttributes(attributes: object): readonly object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: encodeAnyValue(value) }));
}

/** A JSON value as OpenTelemetry's message `AnyValue`. */
function encodeAnyValue(value: unknown): object {
  if (typeof value === 'string') return { string_value: value };
  if (typeof value === 'boolean') return { bool_value: value };
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { int_value: value } : { double_value: value };
  if (Array.isArray(value)) return { array_value: { values: encodeList(value.map(encodeAnyValue)) } };
  if (typeof value === 'object' && value !== null) {
    return { kvlist_value: { values: encodeList(encodeAttributes(value)) } };
  }
  return {};
}
