import type { ImportedLoggedModel } from '../../protocol/importing.ts';
import { createMarkMerge, type ImportMarks } from '../importMarks.ts';
import type { TrackingDependencies } from './dependencies.ts';
import { artifactRootOf, conflictsOf, type SubjectImport } from './importParts.ts';
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
  for (const tag of imported.tags) {
    const here = existing?.tags.find(({ key: name }) => name === tag.key)?.value ?? null;
    if (!merge.takes(`tags/${tag.key}`, here, tag.value)) continue;
    store.models.setTag(key, tag);
    changed = true;
  }
  if (found === null || changed) changes.tracking(experimentId, imported.sourceRunId ?? undefined);
  return {
    outcome: found === null ? 'new' : changed ? 'changed' : 'same',
    marks: merge.marks,
    omissions: conflictsOf(subject, merge),
  };
}
