import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ImportedTrace, ImportRecord } from '../../protocol/importing.ts';
import type { KeyValue } from '../../protocol/tracking.ts';
import { artifactFiles } from './artifactFiles.ts';
import type { ArtifactLocation, LocationRules } from './artifactLocation.ts';
import { artifactState, locateOwned, whyNoArtifacts } from './mlflowArtifacts.ts';
import { readStoredAssessments } from './mlflowAssessments.ts';
import { survey } from './mlflowRuns.ts';
import { type Cell, keyValues, type MlflowTables, type Row, textOrNull } from './mlflowTables.ts';
import { type ReadOptions, stateDigest } from './reader.ts';
import { artifactLocationTag, spansFile, traceStateOf } from './traceParts.ts';
import { omission } from './tracker/omission.ts';

const nameTag = 'mlflow.traceName';
const spansLocationTag = 'mlflow.trace.spansLocation';
const sessionKey = 'mlflow.trace.session';
/** Metadata that since 2026 is columns of the trace, each part of its JSON one (store/tracking/utils/trace_analytics.py). */
const tokenColumns = [
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
  'cache_creation_input_tokens_above_1hr',
];
const costColumns = ['input_cost', 'output_cost', 'total_cost'];

const columns = [
  'request_id',
  'experiment_id',
  'timestamp_ms',
  'execution_time_ms',
  'status',
  'client_request_id',
  'request_preview',
  'response_preview',
  'trace_name',
  'session_id',
  ...tokenColumns,
  ...costColumns,
];

/** Yields the traces, with their spans and other files, that look otherwise than when they were last imported. */
export async function* readTraces(
  tables: MlflowTables,
  rules: LocationRules,
  options: ReadOptions,
): AsyncIterable<ImportRecord> {
  if (tables.count('trace_info') === 0) return;
  const surveys = [
    survey(tables, 'trace_tags', 'request_id', ['key', 'value']),
    survey(tables, 'trace_request_metadata', 'request_id', ['key', 'value']),
    survey(tables, 'assessments', 'trace_id', ['assessment_id', 'last_updated_timestamp', 'valid']),
    // What a span holds is written once; reading it all each time would be slow.
    survey(tables, 'spans', 'trace_id', ['span_id', 'status', 'end_time_unix_nano']),
    survey(tables, 'entity_associations', 'source_id', ['destination_type', 'destination_id']),
  ];
  for (const rows of tables.pages('trace_info', columns)) {
    for (const row of rows) {
      const traceId = String(row.request_id);
      const stored = stateDigest(JSON.stringify([row, ...surveys.map((digests) => digests.get(traceId))]));
      const key = `trace/${traceId}`;
      const before = options.known.get(key);
      if (options.changed !== null && isComplete(before, stored)) continue;
      const tags = tagsOf(tables, row);
      const tail = [String(row.experiment_id), 'traces', traceId, 'artifacts'];
      const uri = tags.find((tag) => tag.key === artifactLocationTag)?.value;
      const location = uri === undefined ? null : locateOwned(uri, tail, rules);
      const spans = spansOf(tables, traceId, tags, location);
      const files = location === null ? 'none' : artifactState(location);
      const state = `${stored}:${files}${spans === null && !hasSpansFile(location) ? openMark : ''}`;
      if (before === state) continue;
      const assessments = readStoredAssessments(tables, traceId);
      yield* assessments.omissions;
      yield toTrace(tables, row, tags, assessments.values);
      yield* readFiles(traceId, tail, location, spans, tags);
      yield { type: 'part', key, state, runId: null };
    }
  }
}

/** Ends the state of a trace whose spans are not there yet. */
const openMark = ':open';

/** Whether nothing of a trace can have changed when its rows have not. */
function isComplete(before: string | undefined, stored: string): boolean {
  return before?.startsWith(`${stored}:`) === true && !before.endsWith(openMark);
}

function toTrace(
  tables: MlflowTables,
  row: Row,
  tags: readonly KeyValue[],
  assessments: ImportedTrace['assessments'],
): ImportedTrace {
  const traceId = String(row.request_id);
  return {
    type: 'trace',
    traceId,
    experimentId: String(row.experiment_id),
    requestTime: Number(row.timestamp_ms ?? 0),
    executionDuration: row.execution_time_ms === null ? null : Number(row.execution_time_ms),
    state: traceStateOf(textOrNull(row.status)),
    clientRequestId: textOrNull(row.client_request_id),
    requestPreview: textOrNull(row.request_preview),
    responsePreview: textOrNull(row.response_preview),
    tags,
    metadata: metadataOf(tables, row),
    assessments,
    linkedRuns: linksOf(tables, traceId, 'run'),
    linkedPrompts: linksOf(tables, traceId, 'prompt_version'),
  };
}

function tagsOf(tables: MlflowTables, row: Row): readonly KeyValue[] {
  const tags = entriesOf(tables, 'trace_tags', row);
  if (row.trace_name === null || row.trace_name === undefined) return tags;
  return [...tags.filter(({ key }) => key !== nameTag), { key: nameTag, value: String(row.trace_name) }];
}

function metadataOf(tables: MlflowTables, row: Row): readonly KeyValue[] {
  const promoted = [
    { key: sessionKey, value: textOrNull(row.session_id) },
    { key: 'mlflow.trace.tokenUsage', value: jsonOf(row, tokenColumns, String) },
    { key: 'mlflow.trace.cost', value: jsonOf(row, costColumns, pythonNumber) },
  ].flatMap(({ key, value }) => (value === null ? [] : [{ key, value }]));
  const entries = entriesOf(tables, 'trace_request_metadata', row);
  return [...entries.filter(({ key }) => !promoted.some((entry) => entry.key === key)), ...promoted];
}

function entriesOf(tables: MlflowTables, table: string, { request_id }: Row): readonly KeyValue[] {
  const condition = [tables.equals(table, 'request_id'), request_id ?? null] as const;
  return keyValues(tables.rows(table, ['key', 'value'], condition));
}

/** A JSON object as Python writes it, of the columns that are not null; null when all are. */
function jsonOf(row: Row, names: readonly string[], write: (value: Cell) => string): string | null {
  const parts = names.flatMap((name) => {
    const value = row[name] ?? null;
    return value === null ? [] : [`"${name}": ${write(value)}`];
  });
  return parts.length === 0 ? null : `{${parts.join(', ')}}`;
}

function pythonNumber(value: Cell): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

function linksOf(tables: MlflowTables, traceId: string, to: string): readonly string[] {
  const condition = [
    "source_type = 'trace' AND source_id = ? AND destination_type = ?",
    traceId,
    to,
  ] as const;
  return tables
    .rows('entity_associations', ['destination_id'], condition)
    .map(({ destination_id }) => String(destination_id));
}

/**
 * The `traces.json` of spans that are rows, in MLflow's order: the root, then by when they began. Null when they are in a
 * file.
 */
function spansOf(
  tables: MlflowTables,
  traceId: string,
  tags: readonly KeyValue[],
  location: ArtifactLocation | null,
): string | null {
  const isInTable = tags.some(({ key, value }) => key === spansLocationTag && value === 'TRACKING_STORE');
  if (!isInTable && hasSpansFile(location)) return null;
  const contents = tables
    .rows(
      'spans',
      ['content', 'parent_span_id', 'start_time_unix_nano'],
      [tables.equals('spans', 'trace_id'), traceId],
    )
    .filter(({ content }) => content !== null && content !== '')
    .map((span) => ({
      content: String(span.content),
      isRoot: span.parent_span_id === null,
      start: BigInt(span.start_time_unix_nano ?? 0),
    }))
    .sort((one, other) => {
      if (one.isRoot !== other.isRoot) return one.isRoot ? -1 : 1;
      return one.start === other.start ? 0 : one.start < other.start ? -1 : 1;
    });
  // As text: the times in it are longer than a number can hold.
  return contents.length === 0 ? null : `{"spans": [${contents.map(({ content }) => content).join(', ')}]}`;
}

function hasSpansFile(location: ArtifactLocation | null): boolean {
  return location?.kind === 'here' && existsSync(join(location.folder, spansFile));
}

async function* readFiles(
  traceId: string,
  tail: readonly string[],
  location: ArtifactLocation | null,
  spans: string | null,
  tags: readonly KeyValue[],
): AsyncIterable<ImportRecord> {
  const owner = { type: 'trace', id: traceId } as const;
  const subject = `trace ${traceId}/artifacts`;
  if (location?.kind === 'here') {
    for await (const file of artifactFiles(owner, location.folder, location.root, subject)) {
      if (spans === null || file.type !== 'artifact' || file.path !== spansFile) yield file;
    }
  } else if (location !== null && spans === null) {
    yield* whyNoArtifacts(subject, location, tail);
  }
  if (spans !== null) {
    const content = Buffer.from(spans, 'utf8');
    // A trace that has not ended gets more of them.
    yield { type: 'artifactContent', owner, path: spansFile, content, replaces: true };
  } else if (tags.some(({ key, value }) => key === spansLocationTag && value === 'ARCHIVE_REPO')) {
    const detail = 'the spans of the trace, which MLflow has archived';
    yield omission(`trace ${traceId}/spans`, 'notSupported', { detail });
  }
}
