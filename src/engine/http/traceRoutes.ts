import { Readable } from 'node:stream';
import { SlipwayError } from '../../protocol/errors.ts';
import type { TrackingService } from '../tracking/service.ts';
import type { TraceInfo } from '../tracking/traceTypes.ts';
import { type DialectRoutes, encodeList, encodeText, type RpcHandler } from './dialect.ts';
import { type Message, missingParameter } from './message.ts';
import { readKeyValues, readMaxResults } from './readings.ts';
import { type WholeTrace, writeTrace } from './traceJson.ts';
import {
  encodeOldTraceInfo,
  encodeTraceInfo,
  readExperimentLocation,
  readTrace,
  readTraceState,
} from './traceMessages.ts';

export interface TraceRouteOptions {
  readonly tracking: TrackingService;
}

const path = '/mlflow/traces';
const largestPage = 500;

/** Traces, as clients of MLflow 3 and 2 ask for them. */
export function registerTraceRoutes(routes: DialectRoutes, { tracking }: TraceRouteOptions): void {
  registerCurrentRoutes(routes, tracking);
  registerOldRoutes(routes, tracking);
  registerSharedRoutes(routes, tracking);
}

/** The 3.0 API: a trace is recorded when it has ended. */
function registerCurrentRoutes(routes: DialectRoutes, tracking: TrackingService): void {
  /** As they are asked for, one after the other: their files may be large. */
  const writeWholeTraces = async function* (traces: readonly TraceInfo[]): AsyncGenerator<string> {
    let isFirst = true;
    for (const info of traces) {
      const spans = await tracking.traceSpans(info);
      if (spans === null) continue;
      yield isFirst ? '{"traces":[' : ',';
      isFirst = false;
      yield* writeTrace({ info, spans });
    }
    yield isFirst ? '{}' : ']}';
  };
  const idsOf = (message: Message): readonly string[] => {
    if (!message.has('trace_ids')) throw missingParameter('trace_ids');
    return message.texts('trace_ids');
  };
  const found = (message: Message) =>
    tracking.tracesByIds(
      idsOf(message),
      message.has('experiment_ids') ? message.texts('experiment_ids') : null,
    );

  routes.rpc(
    'POST',
    path,
    (message) => ({ trace: { trace_info: encodeTraceInfo(tracking.recordTrace(readTrace(message))) } }),
    3,
  );
  routes.rpc(
    'POST',
    `${path}/search`,
    (message) => {
      if (!message.has('locations')) throw missingParameter('locations');
      const { items, nextPageToken } = tracking.searchTraces({
        experimentIds: message
          .messages('locations')
          .map(readExperimentLocation)
          .filter((experimentId) => experimentId !== null),
        ...readSearch(message),
      });
      return { traces: encodeList(items.map(encodeTraceInfo)), next_page_token: encodeText(nextPageToken) };
    },
    3,
  );
  routes.rpc(
    'GET',
    `${path}/get`,
    async (message) => {
      const traceId = message.requiredText('trace_id');
      const [info] = tracking.tracesByIds([traceId], null);
      if (!info) throw notFound(`Trace with ID ${traceId} is not found.`);
      const spans = (await tracking.traceSpans(info)) ?? (message.flag('allow_partial') ? [] : null);
      if (spans) return Readable.from(writeAnswer({ info, spans }));
      throw notFound(`Trace with ID ${traceId} is not fully exported yet, please try again later.`);
    },
    3,
  );
  routes.rpc('GET', `${path}/batchGet`, (message) => Readable.from(writeWholeTraces(found(message))), 3);
  routes.rpc(
    'POST',
    `${path}/batchGetInfos`,
    (message) => ({ trace_infos: encodeList(found(message).map(encodeTraceInfo)) }),
    3,
  );
  routes.rpc(
    'GET',
    `${path}/{trace_id}`,
    (message) => ({
      trace: { trace_info: encodeTraceInfo(tracking.trace(message.requiredText('trace_id'))) },
    }),
    3,
  );
}

/** The 2.0 API: a trace is begun, then ended. */
function registerOldRoutes(routes: DialectRoutes, tracking: TrackingService): void {
  routes.rpc('POST', path, (message) => ({
    trace_info: encodeOldTraceInfo(
      tracking.beginTrace({
        experimentId: message.requiredText('experiment_id'),
        requestTime: message.integer('timestamp_ms') ?? 0,
        metadata: readKeyValues(message, 'request_metadata'),
        tags: readKeyValues(message, 'tags'),
      }),
    ),
  }));
  routes.rpc('PATCH', `${path}/{request_id}`, (message) => ({
    trace_info: encodeOldTraceInfo(
      tracking.endTrace(message.requiredText('request_id'), {
        endTime: message.requiredInteger('timestamp_ms'),
        state: readTraceState(message, 'status'),
        metadata: readKeyValues(message, 'request_metadata'),
        tags: readKeyValues(message, 'tags'),
      }),
    ),
  }));
  routes.rpc('GET', `${path}/{request_id}/info`, (message) => ({
    trace_info: encodeOldTraceInfo(tracking.trace(message.requiredText('request_id'))),
  }));
  routes.rpc('GET', path, (message) => {
    if (!message.has('experiment_ids')) throw missingParameter('experiment_ids');
    const { items, nextPageToken } = tracking.searchTraces({
      experimentIds: message.texts('experiment_ids'),
      ...readSearch(message),
    });
    return { traces: encodeList(items.map(encodeOldTraceInfo)), next_page_token: encodeText(nextPageToken) };
  });
}

/** What both APIs have, and clients of either ask of either. */
function registerSharedRoutes(routes: DialectRoutes, tracking: TrackingService): void {
  const deleteTraces: RpcHandler = async (message) => ({
    traces_deleted: await tracking.deleteTraces({
      experimentId: message.requiredText('experiment_id'),
      traceIds: message.texts('request_ids'),
      upTo: message.integer('max_timestamp_millis'),
      limit: message.integer('max_traces'),
    }),
  });
  const setTag: RpcHandler = (message) => {
    const traceId = message.requiredText('request_id');
    tracking.setTraceTag(traceId, message.requiredText('key'), message.text('value') ?? '');
    return {};
  };
  const deleteTag: RpcHandler = (message) => {
    tracking.deleteTraceTag(message.requiredText('request_id'), message.requiredText('key'));
    return {};
  };
  for (const major of [2, 3] as const) {
    routes.rpc('POST', `${path}/delete-traces`, deleteTraces, major);
    routes.rpc('PATCH', `${path}/{request_id}/tags`, setTag, major);
    routes.rpc('DELETE', `${path}/{request_id}/tags`, deleteTag, major);
  }
  routes.rpc('POST', `${path}/link-to-run`, (message) => {
    if (!message.has('trace_ids')) throw missingParameter('trace_ids');
    tracking.linkTracesToRun(message.texts('trace_ids'), message.requiredText('run_id'));
    return {};
  });
  routes.rpc('POST', `${path}/link-prompts`, (message) => {
    const traceId = message.requiredText('trace_id');
    if (!message.has('prompt_versions')) throw missingParameter('prompt_versions');
    const prompts = message
      .messages('prompt_versions')
      .map((prompt) => `${prompt.requiredText('name')}/${prompt.requiredText('version')}`);
    tracking.linkPromptsToTrace(traceId, prompts);
    return {};
  });
}

async function* writeAnswer(trace: WholeTrace): AsyncGenerator<string> {
  yield '{"trace":';
  yield* writeTrace(trace);
  yield '}';
}

function notFound(detail: string): SlipwayError {
  return new SlipwayError('notFound', { detail });
}

function readSearch(message: Message): {
  readonly filter: string;
  readonly orderBy: readonly string[];
  readonly maxResults: number;
  readonly pageToken: string;
} {
  return {
    filter: message.text('filter') ?? '',
    orderBy: message.texts('order_by'),
    maxResults: readMaxResults(message, 100, largestPage),
    pageToken: message.text('page_token') ?? '',
  };
}
