import type { ImportedLoggedModel } from '../../protocol/importing.ts';
import {
  conflictsOf,
  importTags,
  notTaken,
  omission,
  problemOf,
  type SubjectImport,
} from '../importedSubject.ts';
import { createMarkMerge, type ImportMarks } from '../importMarks.ts';
import type { TrackingDependencies } from './dependencies.ts';
import { artifactRootOf } from './importParts.ts';
import { checkModelId } from './limits.ts';
import { findExperiment } from './lookup.ts';
import { makeUpName } from './runNames.ts';

/** The rules of `TrackingImports.importLoggedModel`. */
export function importLoggedModel(
  dependencies: TrackingDependencies,
  imported: ImportedLoggedModel,
  experimentId: string,
  before: ImportMarks,
): SubjectImport {
  const { store, changes } = dependencies;
  const subject = `logged model ${imported.modelId}`;
  const problem = problemOf(() => checkModelId(imported.modelId));
  if (problem !== null) return notTaken(before, [omission(subject, 'invalidValue', { detail: problem })]);
  const found = store.models.find(imported.modelId);
  const existing = found === null ? null : store.models.load(found);
  const merge = createMarkMerge(existing === null ? {} : before);
  const source = imported.sourceRunId === null ? null : store.runs.find(imported.sourceRunId);
  let changed = false;
  let key: number;
  if (found === null) {
    const experiment = findExperiment(dependencies, experimentId);
    key = store.imports.insertLoggedModel(
      {
        ...imported,
        experimentId,
        name: imported.name || makeUpName(),
        artifactUri:
          imported.artifactUri ??
          `${artifactRootOf(dependencies, experiment)}/models/${imported.modelId}/artifacts`,
      },
      source?.key ?? null,
    );
    merge.note('status', imported.status);
    merge.note('stage', imported.lifecycleStage);
  } else {
    key = found.key;
    if (merge.takes('status', found.status, imported.status)) {
      store.imports.updateLoggedModel(key, imported);
      changed = true;
    }
    if (merge.takes('stage', found.lifecycleStage, imported.lifecycleStage)) {
      store.models.setStage(key, imported.lifecycleStage, imported.lastUpdateTime);
      changed = true;
    }
  }
  for (const parameter of imported.parameters) {
    const here = existing?.parameters.find(({ key: name }) => name === parameter.key)?.value ?? null;
    if (!merge.takes(`params/${parameter.key}`, here, parameter.value)) continue;
    store.models.setParameter(key, parameter);
    changed = true;
  }
  const tags = importTags({
    subject,
    here: existing?.tags ?? [],
    there: imported.tags,
    merge,
    // MLflow takes any.
    check: () => undefined,
    write: (tag) => store.models.setTag(key, tag),
  });
  changed ||= tags.changed;
  if (found === null || changed) changes.tracking(experimentId, imported.sourceRunId ?? undefined);
  return {
    outcome: found === null ? 'new' : changed ? 'changed' : 'same',
    marks: merge.marks,
    omissions: conflictsOf(subject, merge),
  };
}
