import type { KeyValue } from '../../protocol/tracking.ts';
import type { Database } from '../database/connection.ts';
import { type AssessmentStore, createAssessmentStore } from './assessmentStore.ts';
import type { TraceInfo, TraceRecord, TraceSpan, TraceState } from './traceTypes.ts';

/** A row of `traces` with the columns of `traceColumns`. */
export interface TraceRow {
  readonly id: number;
  readonly trace_uuid: string;
  readonly experiment_id: number;
  readonly request_time: number;
  readonly execution_duration: number | null;
  readonly state: TraceState;
  readonly client_request_id: string | null;
  readonly request_preview: string | null;
  readonly response_preview: string | null;
}

export const traceColumns =
  't.id, t.trace_uuid, t.experiment_id, t.request_time, t.execution_duration, t.state, t.client_request_id, ' +
  't.request_preview, t.response_preview';

export function toTraceRecord(row: TraceRow): TraceRecord {
  return {
    key: row.id,
    traceId: row.trace_uuid,
    experimentId: String(row.experiment_id),
    requestTime: row.request_time,
    executionDuration: row.execution_duration,
    state: row.state,
    clientRequestId: row.client_request_id,
    requestPreview: row.request_preview,
    responsePreview: row.response_preview,
  };
}

/** Which traces to delete: of these ids, or the oldest up to a time. */
export type TracesToDelete =
  | { readonly traceIds: readonly string[] }
  | { readonly upTo: number; readonly limit: number | null };

export interface TraceStore {
  readonly assessments: AssessmentStore;
  /** Gives the new key. */
  insert(trace: Omit<TraceRecord, 'key'>): number;
  update(trace: TraceRecord): void;
  find(traceId: string): TraceRecord | null;
  /** Those of the ids that are there, each once, in the order of the ids. */
  findAll(traceIds: readonly string[]): readonly TraceRecord[];
  /** The traces with their tags, metadata and assessments, in the order given. */
  load(records: readonly TraceRecord[]): readonly TraceInfo[];
  setTag(key: number, tag: KeyValue): void;
  /** False when there is no such tag. */
  deleteTag(key: number, name: string): boolean;
  setMetadata(key: number, entry: KeyValue): void;
  /** The trace need not be there yet. */
  linkRun(traceId: string, runId: string): void;
  linkPrompt(key: number, prompt: string): void;
  clearSpans(key: number): void;
  /** Puts a span at a position; gives how many characters it has that are searched. */
  putSpan(key: number, position: number, span: TraceSpan): number;
  /** Gives the ids of those deleted. */
  delete(experiment: number, which: TracesToDelete): readonly string[];
}

type OfTrace<Row> = Row & { readonly trace_id: number };

/** All SQL of traces, apart from their search and assessments. */
export function createTraceStore(database: Database): TraceStore {
  const assessments = createAssessmentStore(database);
  type Values = [
    number,
    number,
    number | null,
    TraceState,
    string | null,
    string | null,
    string | null,
    string | number,
  ];
  const insert = database.prepare<Values, never>(
    `INSERT INTO traces (experiment_id, request_time, execution_duration, state, client_request_id, request_preview,
       response_preview, trace_uuid) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const update = database.prepare<Values, never>(
    `UPDATE traces SET experiment_id = ?, request_time = ?, execution_duration = ?, state = ?, client_request_id = ?,
       request_preview = ?, response_preview = ? WHERE id = ?`,
  );
  const find = database.prepare<[string], TraceRow>(
    `SELECT ${traceColumns} FROM traces t WHERE t.trace_uuid = ?`,
  );
  const setTag = database.prepare<[number, string, string], never>(
    'INSERT INTO trace_tags (trace_id, key, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
  );
  const deleteTag = database.prepare<[number, string], never>(
    'DELETE FROM trace_tags WHERE trace_id = ? AND key = ?',
  );
  const setMetadata = database.prepare<[number, string, string], never>(
    `INSERT INTO trace_metadata (trace_id, key, value) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET value = excluded.value`,
  );
  const linkRun = database.prepare<[string, string], never>(
    'INSERT INTO trace_runs (trace_uuid, run_uuid) VALUES (?, ?) ON CONFLICT DO NOTHING',
  );
  const linkPrompt = database.prepare<[number, string], never>(
    'INSERT INTO trace_prompts (trace_id, prompt) VALUES (?, ?) ON CONFLICT DO NOTHING',
  );
  const clearSpans = database.prepare<[number], never>('DELETE FROM trace_spans WHERE trace_id = ?');
  const putSpan = database.prepare<[number, number, string, string, string, string], never>(
    'INSERT OR REPLACE INTO trace_spans (trace_id, position, name, type, status, attributes) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const ofTraces = 'IN (SELECT value FROM json_each(?))';
  const tagsOf = database.prepare<[string], OfTrace<KeyValue>>(
    `SELECT trace_id, key, value FROM trace_tags WHERE trace_id ${ofTraces} ORDER BY trace_id, key`,
  );
  const metadataOf = database.prepare<[string], OfTrace<KeyValue>>(
    `SELECT trace_id, key, value FROM trace_metadata WHERE trace_id ${ofTraces} ORDER BY trace_id, key`,
  );
  const deleteByIds = database.prepare<[number, string], { readonly trace_uuid: string }>(
    `DELETE FROM traces WHERE experiment_id = ? AND trace_uuid ${ofTraces} RETURNING trace_uuid`,
  );
  const deleteUpTo = database.prepare<[number, number, number], { readonly trace_uuid: string }>(
    `DELETE FROM traces WHERE id IN (
       SELECT id FROM traces WHERE experiment_id = ? AND request_time <= ? ORDER BY request_time, trace_uuid LIMIT ?
     ) RETURNING trace_uuid`,
  );

  const valuesOf = (trace: Omit<TraceRecord, 'key'>, identity: string | number): Values => [
    Number(trace.experimentId),
    trace.requestTime,
    trace.executionDuration,
    trace.state,
    trace.clientRequestId,
    trace.requestPreview,
    trace.responsePreview,
    identity,
  ];
  const store: TraceStore = {
    assessments,
    insert: (trace) => Number(insert.run(...valuesOf(trace, trace.traceId)).lastInsertRowid),
    update: (trace) => void update.run(...valuesOf(trace, trace.key)),
    find(traceId) {
      const row = find.get(traceId);
      return row ? toTraceRecord(row) : null;
    },
    findAll: (traceIds) => [...new Set(traceIds)].flatMap((traceId) => store.find(traceId) ?? []),
    load(records) {
      const keys = JSON.stringify(records.map(({ key }) => key));
      const tags = Map.groupBy(tagsOf.all(keys), ({ trace_id }) => trace_id);
      const metadata = Map.groupBy(metadataOf.all(keys), ({ trace_id }) => trace_id);
      const assessed = assessments.ofTraces(keys);
      return records.map(({ key, ...info }) => ({
        ...info,
        tags: (tags.get(key) ?? []).map(toKeyValue),
        metadata: (metadata.get(key) ?? []).map(toKeyValue),
        assessments: assessed.get(key) ?? [],
      }));
    },
    setTag: (key, tag) => void setTag.run(key, tag.key, tag.value),
    deleteTag: (key, name) => deleteTag.run(key, name).changes > 0,
    setMetadata: (key, entry) => void setMetadata.run(key, entry.key, entry.value),
    linkRun: (traceId, runId) => void linkRun.run(traceId, runId),
    linkPrompt: (key, prompt) => void linkPrompt.run(key, prompt),
    clearSpans: (key) => void clearSpans.run(key),
    putSpan(key, position, { name, type, status, attributes }) {
      const text = searchableText(attributes);
      putSpan.run(key, position, name, type, status, text);
      return text.length;
    },
    delete(experiment, which) {
      const deleted =
        'traceIds' in which
          ? deleteByIds.all(experiment, JSON.stringify(which.traceIds))
          : // A negative limit is none.
            deleteUpTo.all(experiment, which.upTo, which.limit ?? -1);
      return deleted.map(({ trace_uuid }) => trace_uuid);
    },
  };
  return store;
}

function searchableText(attributes: TraceSpan['attributes']): string {
  return JSON.stringify(
    Object.fromEntries(
      Object.entries(attributes).map(([key, value]) => [
        key,
        typeof value === 'string' ? value : JSON.stringify(value),
      ]),
    ),
  );
}

function toKeyValue({ key, value }: KeyValue): KeyValue {
  return { key, value };
}
