import { setImmediate as turn } from 'node:timers/promises';
import type { KeyValue } from '../../protocol/tracking.ts';
import type { TrackingDependencies } from './dependencies.ts';
import { checkKey, checkLength, checkRunId, experimentKey, invalid, notFound } from './limits.ts';
import { findActiveExperiment, findExperiment, findTrace } from './lookup.ts';
import { pageOf, readPageToken } from './paging.ts';
import { makeId } from './runNames.ts';
import { createTraceFiles, spansFile, traceIdOfSpans, traceLocationOf } from './traceFiles.ts';
import { readTraceFilter, readTraceOrder } from './traceSearchRules.ts';
import type { TracesToDelete } from './traceStore.ts';
import type { TraceInfo, TraceRecord, TraceSpan, TraceState } from './traceTypes.ts';
import type { Experiment, Page, Search } from './types.ts';

/** A trace as a client of MLflow 3 records it, when it has ended. */
export type TraceToRecord = TraceInfo;

/** A trace as a client of MLflow 2 begins it. */
export interface TraceToBegin {
  readonly experimentId: string;
  /** UTC milliseconds. */
  readonly requestTime: number;
  readonly metadata: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
}

export interface TraceToEnd {
  /** UTC milliseconds. */
  readonly endTime: number;
  readonly state: TraceState;
  /** Added to, or put in the place of, what there was; so are the tags. */
  readonly metadata: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
}

/** Which traces of an experiment to delete: those of the ids, or the oldest up to a time. */
export interface TraceDeletion {
  readonly experimentId: string;
  readonly traceIds: readonly string[];
  /** UTC milliseconds. */
  readonly upTo: number | undefined;
  readonly limit: number | undefined;
}

export interface Traces {
  /** Records a trace. One with the same id is brought up to date: its tags and metadata are kept where not given. */
  recordTrace(trace: TraceToRecord): TraceInfo;
  beginTrace(trace: TraceToBegin): TraceInfo;
  endTrace(traceId: string, end: TraceToEnd): TraceInfo;
  /** Throws `notFound`. */
  trace(traceId: string): TraceInfo;
  /** Those of the ids that are there, in their order; only of these experiments when they are given. */
  tracesByIds(traceIds: readonly string[], experimentIds: readonly string[] | null): readonly TraceInfo[];
  searchTraces(search: Search & { readonly experimentIds: readonly string[] }): Page<TraceInfo>;
  setTraceTag(traceId: string, key: string, value: string): void;
  /** Throws `notFound` when there is no such tag. */
  deleteTraceTag(traceId: string, key: string): void;
  /** Deletes for good, files included. Gives how many. */
  deleteTraces(deletion: TraceDeletion): Promise<number>;
  /** A trace may be linked before it is recorded, as clients record in the background. */
  linkTracesToRun(traceIds: readonly string[], runId: string): void;
  /** Prompts are named as `name/version`. */
  linkPromptsToTrace(traceId: string, prompts: readonly string[]): void;
  /** Null when they were not uploaded, or the file with them cannot be read. */
  traceSpans(trace: TraceInfo): Promise<readonly TraceSpan[] | null>;
  /** The artifact path of the spans of a trace, or of what was attached to it under a name; it need not be there. */
  traceFilePath(traceId: string, attachment: string): string;
  /** To be told of each artifact that was written: the spans of a trace are among them, and are searched. */
  artifactWritten(path: string): Promise<void>;
}

export const artifactLocationTag = 'mlflow.artifactLocation';
const finalizedMetadata = 'mlflow.trace.infoFinalized';
/** Tags that say where the spans are, which only the server knows. */
const systemTags: ReadonlySet<string> = new Set([
  'mlflow.trace.spansLocation',
  'mlflow.trace.archiveLocation',
  'mlflow.trace.archivalFailure',
]);
const idPattern = /^[a-zA-Z0-9][\w.:-]{0,249}$/;
const longestKey = 250;
const longestMetadata = 250;
const longestTag = 4096;
const mostLinks = 100;
/** How many characters of spans one transaction writes; a span counts for some whatever it holds. */
const writtenAtOnce = 500_000;
const costOfSpan = 1000;
const latestTime = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The rules of traces. */
export function createTraces(dependencies: TrackingDependencies): Traces {
  const { store, artifacts, transaction } = dependencies;

  const files = createTraceFiles(artifacts);
  const load = (traceId: string): TraceInfo => {
    const [trace] = store.traces.load([findTrace(dependencies, traceId)]);
    if (trace) return trace;
    throw notFound(`Trace with ID '${traceId}' not found.`);
  };
  const write = (key: number, metadata: readonly KeyValue[], tags: readonly KeyValue[]) => {
    for (const entry of metadata) store.traces.setMetadata(key, cut(entry, longestMetadata));
    for (const tag of tags) store.traces.setTag(key, cut(tag, longestTag));
  };
  const writeLocation = (key: number, experiment: Experiment, traceId: string) =>
    store.traces.setTag(key, { key: artifactLocationTag, value: traceLocationOf(experiment, traceId) });
  const spansPathOf = ({ experimentId, traceId }: Pick<TraceInfo, 'experimentId' | 'traceId'>) => {
    const experiment = store.experiments.find(experimentKey(experimentId));
    return experiment && files.spansPath(experiment, traceId);
  };

  let lastTaken: Promise<void> = Promise.resolve();
  /** Some at a time, so that other requests have their turn: there may be tens of megabytes. */
  const writeSpans = async ({ traceId, key }: TraceRecord, spans: readonly TraceSpan[]) => {
    for (let position = 0; ; await turn()) {
      const isThere = transaction(() => {
        // Meanwhile it may have been deleted.
        if (store.traces.find(traceId)?.key !== key) return false;
        if (position === 0) store.traces.clearSpans(key);
        for (let written = 0; written < writtenAtOnce; position += 1) {
          const span = spans[position];
          if (!span) break;
          written += costOfSpan + store.traces.putSpan(key, position, span);
        }
        return true;
      });
      if (!isThere || position >= spans.length) return;
    }
  };

  return {
    recordTrace(wanted) {
      checkTraceId(wanted.traceId);
      checkTime(wanted.requestTime);
      return transaction(() => {
        const experiment = findActiveExperiment(dependencies, wanted.experimentId);
        const before = store.traces.find(wanted.traceId);
        const { metadata, tags, assessments, ...trace } = wanted;
        let key: number;
        if (before) {
          key = before.key;
          store.traces.update({
            ...trace,
            key,
            requestPreview: trace.requestPreview ?? before.requestPreview,
            responsePreview: trace.responsePreview ?? before.responsePreview,
          });
        } else {
          key = store.traces.insert(trace);
        }
        write(key, [...metadata, { key: finalizedMetadata, value: 'true' }], tags);
        writeLocation(key, experiment, trace.traceId);
        for (const assessment of assessments) store.traces.assessments.put(key, assessment);
        return load(trace.traceId);
      });
    },
    beginTrace({ experimentId, requestTime, metadata, tags }) {
      checkTime(requestTime);
      return transaction(() => {
        const experiment = findActiveExperiment(dependencies, experimentId);
        const traceId = makeId();
        const key = store.traces.insert({
          traceId,
          experimentId: experiment.experimentId,
          requestTime,
          executionDuration: null,
          state: 'IN_PROGRESS',
          clientRequestId: null,
          requestPreview: null,
          responsePreview: null,
        });
        write(key, metadata, tags);
        writeLocation(key, experiment, traceId);
        return load(traceId);
      });
    },
    endTrace: (traceId, { endTime, state, metadata, tags }) =>
      transaction(() => {
        const trace = findTrace(dependencies, traceId);
        store.traces.update({ ...trace, state, executionDuration: endTime - trace.requestTime });
        write(trace.key, metadata, tags);
        return load(traceId);
      }),
    trace: load,
    tracesByIds(traceIds, experimentIds) {
      const found = store.traces.findAll(traceIds);
      return store.traces.load(
        found.filter(({ experimentId }) => experimentIds?.includes(experimentId) ?? true),
      );
    },
    searchTraces({ experimentIds, filter, orderBy, maxResults, pageToken }) {
      const subject = ['traces', experimentIds, filter, orderBy];
      const { items, last } = store.traceSearch.search(
        {
          comparisons: readTraceFilter(filter),
          order: readTraceOrder(orderBy),
          limit: maxResults,
          after: readPageToken(pageToken, subject),
        },
        experimentIds.map(experimentKey),
      );
      return pageOf({ items: store.traces.load(items), last }, subject);
    },
    setTraceTag(traceId, key, value) {
      if (systemTags.has(key)) throw invalid(`Tag '${key}' is immutable and cannot be set on a trace.`);
      checkLength('key', key, longestKey);
      checkKey(key, 'Tag key', 'key');
      transaction(() =>
        store.traces.setTag(findTrace(dependencies, traceId).key, cut({ key, value }, longestTag)),
      );
    },
    deleteTraceTag(traceId, key) {
      if (systemTags.has(key)) throw invalid(`Tag '${key}' is immutable and cannot be deleted on a trace.`);
      transaction(() => {
        const trace = store.traces.find(traceId);
        if (!trace || !store.traces.deleteTag(trace.key, key)) {
          throw notFound(`No trace tag with key '${key}' for trace with ID '${traceId}'`);
        }
      });
    },
    async deleteTraces(deletion) {
      const which = readDeletion(deletion);
      const experiment = store.experiments.find(experimentKey(deletion.experimentId));
      if (!experiment) return 0;
      const deleted = transaction(() => store.traces.delete(Number(experiment.experimentId), which));
      // Afterwards, as files cannot be rolled back.
      await files.remove(experiment, deleted);
      return deleted.length;
    },
    linkTracesToRun(traceIds, runId) {
      if (traceIds.length === 0) return;
      if (traceIds.length > mostLinks) {
        throw invalid(
          `Cannot link more than ${mostLinks} traces to a run in a single request. Provided ${traceIds.length} traces.`,
        );
      }
      checkRunId(runId);
      for (const traceId of traceIds) checkTraceId(traceId);
      transaction(() => {
        for (const traceId of traceIds) store.traces.linkRun(traceId, runId);
      });
    },
    linkPromptsToTrace: (traceId, prompts) =>
      transaction(() => {
        const { key } = findTrace(dependencies, traceId);
        for (const prompt of prompts) store.traces.linkPrompt(key, prompt);
      }),
    async traceSpans(trace) {
      const path = spansPathOf(trace);
      return path === null ? null : files.readSpans(path);
    },
    traceFilePath(traceId, attachment) {
      const { experimentId } = findTrace(dependencies, traceId);
      const location = traceLocationOf(findExperiment(dependencies, experimentId), traceId);
      return artifacts.pathOf(location, attachment === '' ? spansFile : `attachments/${attachment}`);
    },
    async artifactWritten(path) {
      const traceId = traceIdOfSpans(path);
      const trace = traceId === null ? null : store.traces.find(traceId);
      if (!trace || spansPathOf(trace) !== path) return;
      // One file after the other: each takes memory, and two of one trace must not mix.
      const taken = lastTaken.then(async () => {
        const spans = await files.readSpans(path);
        if (spans) await writeSpans(trace, spans);
      });
      // Who uploaded the file hears of the failure, the next one does not.
      lastTaken = taken.catch(() => undefined);
      await taken;
    },
  };
}

/** Whether a tag means the same in another store. Those that say where the spans lie do not. */
export function isOwnTag({ key }: KeyValue): boolean {
  return key !== artifactLocationTag && !systemTags.has(key);
}

export function checkTraceId(traceId: string): void {
  if (!idPattern.test(traceId)) throw invalid(`Invalid trace ID: '${traceId}'`);
}

/** MLflow's messages can tell no other times than those of the years 1970 to 9999. */
export function checkTime(time: number): void {
  if (time < 0 || time > latestTime)
    throw invalid(`Invalid time of a trace: ${time}. It must be in milliseconds.`);
}

function readDeletion({ traceIds, upTo, limit }: TraceDeletion): TracesToDelete {
  if (upTo === undefined && traceIds.length === 0) {
    throw invalid('Either `max_timestamp_millis` or `trace_ids` must be specified.');
  }
  if (upTo !== undefined && traceIds.length > 0) {
    throw invalid('Only one of `max_timestamp_millis` and `trace_ids` can be specified.');
  }
  if (traceIds.length > 0 && limit !== undefined) {
    throw invalid("`max_traces` can't be specified if `trace_ids` is specified.");
  }
  if (limit !== undefined && limit <= 0) {
    throw invalid(`\`max_traces\` must be a positive integer, received ${limit}.`);
  }
  return upTo === undefined ? { traceIds } : { upTo, limit: limit ?? null };
}

/** What is too long is cut, as MLflow does. */
function cut({ key, value }: KeyValue, limit: number): KeyValue {
  return {
    key: [...key].slice(0, longestKey).join(''),
    value: value.length > limit ? [...value].slice(0, limit).join('') : value,
  };
}
