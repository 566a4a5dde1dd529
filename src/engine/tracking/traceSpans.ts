import type { Readable } from 'node:stream';
import { z } from 'zod';
import { parseJsonOrNull } from './jsonText.ts';
import { createSpanScanner } from './spanScanner.ts';
import type { TraceSpan } from './traceTypes.ts';

const nanoseconds = z.union([z.string(), z.number().transform(String)]);
const values = z.record(z.string(), z.unknown()).nullish().default({});

/** As MLflow 3 writes a span. */
const currentSpan = z
  .object({
    trace_id: z.string(),
    span_id: z.string(),
    parent_span_id: z.string().nullish(),
    name: z.string(),
    start_time_unix_nano: nanoseconds,
    end_time_unix_nano: nanoseconds.nullish(),
    status: z.object({ code: z.string(), message: z.string().nullish() }).nullish(),
    attributes: values,
    events: z
      .array(z.object({ name: z.string(), time_unix_nano: nanoseconds, attributes: values }))
      .nullish(),
  })
  .transform(
    (span): TraceSpan => ({
      traceId: span.trace_id,
      spanId: span.span_id,
      parentSpanId: span.parent_span_id || null,
      name: span.name,
      type: typeOf(span.attributes),
      status: statusOf(span.status?.code),
      statusMessage: span.status?.message ?? '',
      startTime: span.start_time_unix_nano,
      endTime: span.end_time_unix_nano ?? null,
      attributes: decodeAttributes(span.attributes),
      events: (span.events ?? []).map(({ name, time_unix_nano, attributes }) => ({
        name,
        time: time_unix_nano,
        attributes: attributes ?? {},
      })),
    }),
  );

/** As MLflow 2 writes a span. */
const oldSpan = z
  .object({
    name: z.string(),
    context: z.object({ span_id: z.string(), trace_id: z.string() }),
    parent_id: z.string().nullish(),
    start_time: nanoseconds,
    end_time: nanoseconds.nullish(),
    status_code: z.string().nullish(),
    status_message: z.string().nullish(),
    attributes: values,
    events: z.array(z.object({ name: z.string(), timestamp: nanoseconds, attributes: values })).nullish(),
  })
  .transform(
    (span): TraceSpan => ({
      traceId: base64OfHex(span.context.trace_id),
      spanId: base64OfHex(span.context.span_id),
      parentSpanId: span.parent_id ? base64OfHex(span.parent_id) : null,
      name: span.name,
      type: typeOf(span.attributes),
      status: statusOf(span.status_code),
      statusMessage: span.status_message ?? '',
      startTime: span.start_time,
      endTime: span.end_time ?? null,
      attributes: decodeAttributes(span.attributes),
      events: (span.events ?? []).map(({ name, timestamp, attributes }) => ({
        name,
        time: timestamp,
        attributes: attributes ?? {},
      })),
    }),
  );

const spanSchema = z.union([currentSpan, oldSpan]);
const outlineSchema = z.object({ spans: z.array(z.strictObject({ span: z.int() })) });

/**
 * The spans in a `traces.json` of MLflow 2 or 3; null when it is no such file. They are parsed one by one while the
 * file is read, so that other requests have their turn meanwhile.
 */
export async function readTraceData(content: Readable): Promise<readonly TraceSpan[] | null> {
  const scanner = createSpanScanner();
  const found: TraceSpan[] = [];
  for await (const piece of content) {
    if (!Buffer.isBuffer(piece)) return null;
    for (const text of scanner.take(piece)) {
      const span = spanSchema.safeParse(parseJsonOrNull(text));
      if (!span.success) return null;
      found.push(span.data);
    }
  }
  const outline = outlineSchema.safeParse(parseJsonOrNull(scanner.outline()));
  return outline.success ? outline.data.spans.flatMap(({ span }) => found[span] ?? []) : null;
}

/** MLflow keeps each attribute as JSON inside a text; one that is none is the text itself. */
function decodeAttributes(attributes: Readonly<Record<string, unknown>> | null): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(attributes ?? {}).map(([key, value]) => [key, decodeAttribute(value)]),
  );
}

function decodeAttribute(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return parseJsonOrNull(value) ?? (value === 'null' ? null : value);
}

function typeOf(attributes: Readonly<Record<string, unknown>> | null): string {
  const type = decodeAttribute(attributes?.['mlflow.spanType']);
  return typeof type === 'string' ? type : 'UNKNOWN';
}

function statusOf(code: string | null | undefined): TraceSpan['status'] {
  const name = code?.replace('STATUS_CODE_', '');
  return name === 'OK' || name === 'ERROR' ? name : 'UNSET';
}

function base64OfHex(id: string): string {
  return Buffer.from(id.replace(/^0x/, ''), 'hex').toString('base64');
}
