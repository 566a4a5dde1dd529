import { setImmediate as turn } from 'node:timers/promises';
import type { TraceInfo, TraceSpan } from '../tracking/traceTypes.ts';
import { encodeSpan, encodeTraceInfo } from './traceMessages.ts';

/** A trace with its spans. */
export interface WholeTrace {
  readonly info: TraceInfo;
  readonly spans: readonly TraceSpan[];
}

/** A piece of an answer has at least so many characters, as far as there are. */
const pieceLength = 500_000;

/**
 * The JSON of MLflow's message `Trace`, in pieces between which other requests have their turn: a trace may have tens
 * of megabytes.
 */
export async function* writeTrace({ info, spans }: WholeTrace): AsyncGenerator<string> {
  let piece = `{"trace_info":${JSON.stringify(encodeTraceInfo(info))}`;
  for (const [index, span] of spans.entries()) {
    piece += `${index === 0 ? ',"spans":[' : ','}${JSON.stringify(encodeSpan(span))}`;
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = '';
    await turn();
  }
  yield `${piece}${spans.length > 0 ? ']' : ''}}`;
}
