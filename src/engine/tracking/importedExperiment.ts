import type { ImportedExperiment } from '../../protocol/importing.ts';
import { conflictsOf, importTags, notTaken, omission, type SubjectImport } from '../importedSubject.ts';
import { createMarkMerge, type ImportMarks, type MarkMerge } from '../importMarks.ts';
import type { TrackingDependencies } from './dependencies.ts';
import { checkKey } from './limits.ts';
import type { Experiment } from './types.ts';

/** An id up to here is kept when it is free. MLflow's file store makes ids of 18 digits, which are beyond exact numbers. */
const largestKeptId = 1_000_000_000;

/** The rules of `TrackingImports.importExperiment`. */
export function importExperiment(
  dependencies: TrackingDependencies,
  imported: ImportedExperiment,
  mapped: string | null,
  before: ImportMarks,
): SubjectImport & { readonly experimentId: string | null } {
  const { store, changes } = dependencies;
  const subject = `experiment ${imported.experimentId}`;
  const merge = createMarkMerge(before);

  const known = mapped === null ? null : store.experiments.find(Number(mapped));
  const found = known ?? store.experiments.findByName(imported.name);
  if (known === null && found?.lifecycleStage === 'deleted' && imported.lifecycleStage === 'active') {
    const deleted = omission(subject, 'experimentDeleted', { experiment: imported.name });
    return { ...notTaken(before, [deleted]), experimentId: null };
  }
  const experiment = found ?? create(dependencies, imported);
  const key = Number(experiment.experimentId);
  let changed = false;
  if (found === null || known === null) {
    merge.note('name', imported.name);
    // The stage of an experiment that was here before is nobody's business but its own.
    merge.note('stage', imported.lifecycleStage);
    if (found !== null) changed = adoptTimes(dependencies, found, imported);
  } else {
    changed = follow(dependencies, known, imported, merge);
  }
  const tags = importTags({
    subject,
    here: experiment.tags,
    there: imported.tags,
    merge,
    check: (tag) => checkKey(tag.key, 'Tag key'),
    write: (tag) => store.experiments.setTag(key, tag),
  });
  changed ||= tags.changed;
  if (changed || found === null) changes.tracking(experiment.experimentId);
  return {
    outcome: found === null ? 'new' : changed ? 'changed' : 'same',
    experimentId: experiment.experimentId,
    marks: merge.marks,
    omissions: [...tags.omissions, ...conflictsOf(subject, merge)],
  };
}

function create({ store, artifacts }: TrackingDependencies, imported: ImportedExperiment): Experiment {
  const id = /^\d+$/.test(imported.experimentId) ? Number(imported.experimentId) : Number.NaN;
  const creationTime = imported.creationTime ?? Date.now();
  const key = store.imports.insertExperiment({
    key: id <= largestKeptId && store.imports.isFreeExperiment(id) ? id : null,
    name: imported.name,
    lifecycleStage: imported.lifecycleStage,
    creationTime,
    lastUpdateTime: imported.lastUpdateTime ?? creationTime,
  });
  const artifactLocation = artifacts.locationOf(String(key));
  store.experiments.setArtifactLocation(key, artifactLocation);
  return {
    experimentId: String(key),
    name: imported.name,
    artifactLocation,
    lifecycleStage: imported.lifecycleStage,
    creationTime,
    lastUpdateTime: imported.lastUpdateTime ?? creationTime,
    tags: [],
    mainMetric: null,
  };
}

/** The empty "Default" of a new store has the times of the store, which mean nothing. */
function adoptTimes(
  { store }: TrackingDependencies,
  found: Experiment,
  imported: ImportedExperiment,
): boolean {
  const { creationTime } = imported;
  const key = Number(found.experimentId);
  if (creationTime === null || key !== 0 || store.imports.hasRuns(key)) return false;
  store.imports.setExperimentTimes(key, creationTime, imported.lastUpdateTime ?? creationTime);
  return true;
}

/** Takes over a new name and stage of an experiment that was imported before. */
function follow(
  { store }: TrackingDependencies,
  known: Experiment,
  imported: ImportedExperiment,
  merge: MarkMerge,
): boolean {
  const key = Number(known.experimentId);
  let changed = false;
  if (merge.takes('stage', known.lifecycleStage, imported.lifecycleStage)) {
    const now = Date.now();
    store.experiments.setStage(key, imported.lifecycleStage, now);
    changed = true;
  }
  const isFree = store.experiments.findByName(imported.name) === null;
  if ((isFree || imported.name === known.name) && merge.takes('name', known.name, imported.name)) {
    store.experiments.rename(key, imported.name, Date.now());
    changed = true;
  }
  return changed;
}
