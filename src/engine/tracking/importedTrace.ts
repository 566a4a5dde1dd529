import type { Assessment } from '../../protocol/assessment.ts';
import type { ImportedTrace, ImportOmission } from '../../protocol/importing.ts';
import type { KeyValue } from '../../protocol/tracking.ts';
import { conflictsOf, notTaken, omission, problemOf, type SubjectImport } from '../importedSubject.ts';
import { createMarkMerge, type ImportMarks, type MarkMerge } from '../importMarks.ts';
import type { TrackingDependencies } from './dependencies.ts';
import { findExperiment } from './lookup.ts';
import { traceLocationOf } from './traceFiles.ts';
import { artifactLocationTag, checkTime, checkTraceId, isOwnTag } from './traces.ts';
import type { TraceInfo, TraceRecord } from './traceTypes.ts';

/** The rules of `TrackingImports.importTrace`. */
export function importTrace(
  dependencies: TrackingDependencies,
  imported: ImportedTrace,
  experimentId: string,
  before: ImportMarks,
): SubjectImport {
  const { store } = dependencies;
  const subject = `trace ${imported.traceId}`;
  const problem = problemOf(() => {
    checkTraceId(imported.traceId);
    checkTime(imported.requestTime);
  });
  if (problem !== null) return notTaken(before, [omission(subject, 'invalidValue', { detail: problem })]);
  const found = store.traces.find(imported.traceId);
  const [existing = null] = found === null ? [] : store.traces.load([found]);
  const merge = createMarkMerge(existing === null ? {} : before);
  const key = found === null ? insert(dependencies, imported, experimentId, merge) : found.key;
  const changes = [
    found !== null && follow(dependencies, found, imported, merge),
    importTags(dependencies, key, imported, existing, merge),
    importMetadata(dependencies, key, imported, existing, merge),
    importAssessments(dependencies, key, imported, existing, merge),
  ];
  // Links are only ever added, here as in MLflow.
  for (const runId of imported.linkedRuns) store.traces.linkRun(imported.traceId, runId);
  for (const prompt of imported.linkedPrompts) store.traces.linkPrompt(key, prompt);
  return {
    outcome: found === null ? 'new' : changes.includes(true) ? 'changed' : 'same',
    marks: merge.marks,
    omissions: [
      ...omissionsOf(dependencies, found?.experimentId ?? experimentId, imported, experimentId),
      ...conflictsOf(subject, merge),
    ],
  };
}

function omissionsOf(
  dependencies: TrackingDependencies,
  here: string,
  { traceId }: ImportedTrace,
  there: string,
): readonly ImportOmission[] {
  const omissions: ImportOmission[] = [];
  const subject = `trace ${traceId}`;
  if (here !== there) omissions.push(omission(`${subject}/experiment`, 'conflict', { here, there }));
  if (importedTraceUri(dependencies, traceId) === null) {
    const detail = 'its experiment keeps its artifacts elsewhere, from where spans cannot be read';
    omissions.push(omission(`${subject}/artifacts`, 'notSupported', { detail }));
  }
  return omissions;
}

/** Where the files of a trace go; null when there is no such trace, or its experiment keeps them elsewhere. */
export function importedTraceUri(dependencies: TrackingDependencies, traceId: string): string | null {
  const trace = dependencies.store.traces.find(traceId);
  if (trace === null) return null;
  const uri = locationOf(dependencies, trace.experimentId, traceId);
  return uri.startsWith('mlflow-artifacts:') ? uri : null;
}

/** The folder in which the spans of a trace are looked for. */
function locationOf(dependencies: TrackingDependencies, experimentId: string, traceId: string): string {
  return traceLocationOf(findExperiment(dependencies, experimentId), traceId);
}

function insert(
  dependencies: TrackingDependencies,
  imported: ImportedTrace,
  experimentId: string,
  merge: MarkMerge,
): number {
  const { traceId, requestTime } = imported;
  const { traces } = dependencies.store;
  const fields = fieldsOf(imported);
  const key = traces.insert({ traceId, experimentId, requestTime, ...fields });
  const location = { key: artifactLocationTag, value: locationOf(dependencies, experimentId, traceId) };
  traces.setTag(key, location);
  for (const [field, value] of textsOf(fields)) merge.note(field, value);
  return key;
}

/** Takes over what changed of a trace that is here, such as that it has ended. */
function follow(
  { store }: TrackingDependencies,
  here: TraceRecord,
  imported: ImportedTrace,
  merge: MarkMerge,
): boolean {
  const there = fieldsOf(imported);
  const texts = textsOf(fieldsOf(here));
  const taken = new Set<string>();
  for (const [field, value] of textsOf(there)) {
    if (merge.takes(field, texts.get(field) ?? null, value)) taken.add(field);
  }
  if (taken.size === 0) return false;
  store.traces.update({
    ...here,
    ...(taken.has('state') && { state: there.state, executionDuration: there.executionDuration }),
    ...(taken.has('clientRequestId') && { clientRequestId: there.clientRequestId }),
    ...(taken.has('requestPreview') && { requestPreview: there.requestPreview }),
    ...(taken.has('responsePreview') && { responsePreview: there.responsePreview }),
  });
  return true;
}

type Fields = Pick<
  TraceRecord,
  'state' | 'executionDuration' | 'clientRequestId' | 'requestPreview' | 'responsePreview'
>;

function fieldsOf({
  state,
  executionDuration,
  clientRequestId,
  requestPreview,
  responsePreview,
}: Fields): Fields {
  return { state, executionDuration, clientRequestId, requestPreview, responsePreview };
}

/** How long it took is part of its state. */
function textsOf(fields: Fields): ReadonlyMap<string, string | null> {
  const { state, executionDuration, clientRequestId, requestPreview, responsePreview } = fields;
  return new Map([
    ['state', executionDuration === null ? state : `${state} ${executionDuration}`],
    ['clientRequestId', clientRequestId],
    ['requestPreview', requestPreview],
    ['responsePreview', responsePreview],
  ]);
}

function importTags(
  { store }: TrackingDependencies,
  trace: number,
  imported: ImportedTrace,
  existing: TraceInfo | null,
  merge: MarkMerge,
): boolean {
  return follows('tags/', existing?.tags ?? [], imported.tags.filter(isOwnTag), merge, (key, value) => {
    if (value === null) store.traces.deleteTag(trace, key);
    else store.traces.setTag(trace, { key, value });
  });
}

function importMetadata(
  { store }: TrackingDependencies,
  trace: number,
  { metadata }: ImportedTrace,
  existing: TraceInfo | null,
  merge: MarkMerge,
): boolean {
  return follows('metadata/', existing?.metadata ?? [], metadata, merge, (key, value) => {
    // Metadata is never taken away.
    if (value !== null) store.traces.setMetadata(trace, { key, value });
  });
}

function importAssessments(
  { store }: TrackingDependencies,
  trace: number,
  { assessments }: ImportedTrace,
  existing: TraceInfo | null,
  merge: MarkMerge,
): boolean {
  const byId = new Map(assessments.map((assessment) => [assessment.assessmentId, assessment]));
  const here = (existing?.assessments ?? []).map(asText);
  return follows('assessments/', here, assessments.map(asText), merge, (id) => {
    const assessment = byId.get(id);
    if (assessment === undefined) store.traces.assessments.delete(trace, id);
    else store.traces.assessments.put(trace, assessment);
  });
}

function asText({ assessmentId, name, kind, value, valid, fields }: Assessment): KeyValue {
  return { key: assessmentId, value: JSON.stringify([name, kind, value ?? null, valid, fields]) };
}

/** Writes each entry that is to be taken; null as the value of one that the source no longer has. */
function follows(
  prefix: string,
  here: readonly KeyValue[],
  there: readonly KeyValue[],
  merge: MarkMerge,
  write: (key: string, value: string | null) => void,
): boolean {
  const hereByKey = new Map(here.map(({ key, value }) => [key, value]));
  const keysThere = new Set(there.map(({ key }) => key));
  const gone = Object.keys(merge.marks)
    .filter((field) => field.startsWith(prefix))
    .map((field) => field.slice(prefix.length))
    .filter((key) => !keysThere.has(key));
  let changed = false;
  const entries = [...there, ...gone.map((key) => ({ key, value: null }))];
  for (const { key, value } of entries) {
    if (!merge.takes(`${prefix}${key}`, hereByKey.get(key) ?? null, value)) continue;
    write(key, value);
    changed = true;
  }
  return changed;
}
