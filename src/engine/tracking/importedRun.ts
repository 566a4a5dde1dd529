import type { ImportedRun, ImportOmission } from '../../protocol/importing.ts';
import {
  conflictsOf,
  importTags,
  notTaken,
  omission,
  problemOf,
  type SubjectImport,
} from '../importedSubject.ts';
import { createMarkMerge, type ImportMarks, type MarkMerge } from '../importMarks.ts';
import type { TrackingDependencies } from './dependencies.ts';
import { artifactRootOf, keyProblem } from './importParts.ts';
import { checkKey, checkRunId } from './limits.ts';
import { findExperiment } from './lookup.ts';
import { makeUpName } from './runNames.ts';
import { parentRunTag, runNameTag } from './runTags.ts';
import type { Run, RunRecord } from './types.ts';

/** The rules of `TrackingImports.importRun`. */
export function importRun(
  dependencies: TrackingDependencies,
  imported: ImportedRun,
  experimentId: string,
  before: ImportMarks,
): SubjectImport {
  const { store, changes } = dependencies;
  const subject = `run ${imported.runId}`;
  const problem = problemOf(() => checkRunId(imported.runId));
  if (problem !== null) return notTaken(before, [omission(subject, 'invalidValue', { detail: problem })]);
  const found = store.runs.find(imported.runId);
  const [existing = null] = found === null ? [] : store.runs.load([found]);
  const merge = createMarkMerge(existing === null ? {} : before);
  const omissions: ImportOmission[] = [];
  let changed = false;

  const record = found ?? insert(dependencies, imported, experimentId, merge);
  if (existing !== null && found !== null) {
    if (existing.info.experimentId !== experimentId) {
      const values = { here: existing.info.experimentId, there: experimentId };
      omissions.push(omission(`${subject}/experiment`, 'conflict', values));
    }
    changed = follow(dependencies, found, imported, merge, before);
  }
  for (const parameter of imported.parameters) {
    const keyTrouble = keyProblem(parameter.key, 'Param key');
    if (keyTrouble !== null) {
      omissions.push(omission(`${subject}/params/${parameter.key}`, 'invalidKey', { detail: keyTrouble }));
      continue;
    }
    const here = existing === null ? null : store.imports.parameter(record.key, parameter.key);
    if (here === parameter.value) continue;
    if (here === null) {
      store.runs.setParameter(record.key, parameter);
      changed = true;
    } else {
      const values = { here, there: parameter.value };
      omissions.push(omission(`${subject}/params/${parameter.key}`, 'conflict', values));
    }
  }
  const tags = followTags(dependencies, record, imported, existing, merge, before);
  const links = linkInputs(dependencies, record, imported, existing);
  changed ||= tags.changed || links;
  if (existing === null || changed) changes.tracking(record.experimentId, record.runId);
  return {
    outcome: existing === null ? 'new' : changed ? 'changed' : 'same',
    marks: merge.marks,
    omissions: [...omissions, ...tags.omissions, ...conflictsOf(subject, merge)],
  };
}

function insert(
  dependencies: TrackingDependencies,
  imported: ImportedRun,
  experimentId: string,
  merge: MarkMerge,
): RunRecord {
  const { store } = dependencies;
  const experiment = findExperiment(dependencies, experimentId);
  const name = nameOf(imported) ?? makeUpName();
  const info = {
    runId: imported.runId,
    name,
    userId: imported.userId,
    status: imported.status,
    startTime: imported.startTime,
    endTime: imported.endTime,
    lifecycleStage: imported.lifecycleStage,
    artifactUri:
      imported.artifactUri ?? `${artifactRootOf(dependencies, experiment)}/${imported.runId}/artifacts`,
  };
  const key = store.imports.insertRun({
    ...info,
    experiment: Number(experimentId),
    deletedTime: imported.lifecycleStage === 'deleted' ? (imported.deletedTime ?? imported.endTime) : null,
  });
  store.runs.setTag(key, { key: runNameTag, value: name });
  merge.note('name', nameOf(imported));
  merge.note('status', statusOf(imported));
  merge.note('stage', imported.lifecycleStage);
  return { ...info, key, experimentId, parentRunId: null };
}

/** Takes over what changed of a run that is here. */
function follow(
  { store }: TrackingDependencies,
  here: RunRecord,
  imported: ImportedRun,
  merge: MarkMerge,
  before: ImportMarks,
): boolean {
  let changed = false;
  let updated = here;
  const name = nameOf(imported);
  if (name !== null && merge.takes('name', here.name, name)) {
    updated = { ...updated, name };
    store.runs.setTag(here.key, { key: runNameTag, value: name });
    changed = true;
  }
  if (takesStatus(here, imported, merge, before)) {
    updated = { ...updated, status: imported.status, endTime: imported.endTime };
    changed = true;
  }
  if (changed) store.runs.update(updated);
  if (merge.takes('stage', here.lifecycleStage, imported.lifecycleStage)) {
    const deletedTime = imported.lifecycleStage === 'deleted' ? (imported.deletedTime ?? Date.now()) : null;
    store.runs.setStage(here.key, imported.lifecycleStage, deletedTime);
    changed = true;
  }
  return changed;
}

/** A run that came from elsewhere before can only have gone on: an end is news, a beginning is not. */
function takesStatus(here: RunRecord, imported: ImportedRun, merge: MarkMerge, before: ImportMarks): boolean {
  if (!Object.hasOwn(before, 'status')) {
    if (hasEnded(here) && !hasEnded(imported)) return false;
    if (!hasEnded(here) && hasEnded(imported)) {
      merge.note('status', statusOf(imported));
      return true;
    }
  }
  return merge.takes('status', statusOf(here), statusOf(imported));
}

/** Takes over the tags, and that some are gone. */
function followTags(
  { store }: TrackingDependencies,
  record: RunRecord,
  imported: ImportedRun,
  existing: Run | null,
  merge: MarkMerge,
  before: ImportMarks,
): { readonly changed: boolean; readonly omissions: readonly ImportOmission[] } {
  const here = existing?.tags ?? [];
  const there = new Map(imported.tags.map((tag) => [tag.key, tag]));
  const taken = importTags({
    subject: `run ${imported.runId}`,
    here,
    // The run's name has its own rule.
    there: [...there.values()].filter(({ key }) => key !== runNameTag),
    merge,
    check: ({ key }) => checkKey(key, 'Tag key'),
    write(tag) {
      store.runs.setTag(record.key, tag);
      if (tag.key === parentRunTag) store.runs.setParent(record.key, tag.value === '' ? null : tag.value);
    },
  });
  let { changed } = taken;
  for (const field of Object.keys(before)) {
    const key = field.startsWith('tags/') ? field.slice('tags/'.length) : null;
    if (key === null || there.has(key)) continue;
    if (!merge.takes(field, here.find((tag) => tag.key === key)?.value ?? null, null)) continue;
    store.runs.deleteTag(record.key, key);
    if (key === parentRunTag) store.runs.setParent(record.key, null);
    changed = true;
  }
  return { changed, omissions: taken.omissions };
}

/** Gives whether something was linked that was not. */
function linkInputs(
  { store }: TrackingDependencies,
  record: RunRecord,
  imported: ImportedRun,
  existing: Run | null,
): boolean {
  let changed = false;
  for (const { tags, ...dataset } of imported.datasets) {
    const isLinked = existing?.datasets.some(
      (link) => link.dataset.name === dataset.name && link.dataset.digest === dataset.digest,
    );
    if (isLinked) continue;
    store.runs.linkDataset(record, { dataset, tags });
    changed = true;
  }
  for (const modelId of imported.modelInputs) {
    if (existing?.modelInputs.includes(modelId)) continue;
    store.runs.linkModelInput(record.key, modelId);
    changed = true;
  }
  for (const output of imported.modelOutputs) {
    const isLinked = existing?.modelOutputs.some(
      ({ modelId, step }) => modelId === output.modelId && step === output.step,
    );
    if (isLinked) continue;
    store.runs.linkModelOutput(record.key, output);
    changed = true;
  }
  return changed;
}

function nameOf({ name, tags }: ImportedRun): string | null {
  return name || tags.find(({ key }) => key === runNameTag)?.value || null;
}

type Status = Pick<RunRecord, 'status' | 'endTime'>;

function statusOf({ status, endTime }: Status): string {
  return endTime === null ? status : `${status} ${endTime}`;
}

function hasEnded({ status }: Status): boolean {
  return status !== 'RUNNING' && status !== 'SCHEDULED';
}
