import { SlipwayError } from '../../protocol/errors.ts';
import type { Stage, StageTransition } from '../../protocol/registry.ts';
import type { KeyValue } from '../../protocol/tracking.ts';
import { writePythonJson } from '../tracking/jsonText.ts';
import { pageOf } from '../tracking/paging.ts';
import { findModel, findVersion } from './catalogue.ts';
import { filesUri, found, type Lineage, traceLineage } from './lineage.ts';
import { checkModelName, checkTag } from './names.ts';
import type { RegistryParts } from './parts.ts';
import { isActiveStage, noteRemoval } from './removal.ts';
import { readVersionSearch, subjectOf } from './search.ts';
import type { ModelVersion, NewModelVersion, RegistryPage, RegistrySearch } from './types.ts';

export interface StageChange {
  readonly name: string;
  readonly version: number;
  readonly stage: Stage;
  /** Whether the versions that hold the stage go to Archived. Only for Staging and Production. */
  readonly archiveExisting: boolean;
  readonly who: string;
  readonly why: string;
}

/** Versions of registered models. All throw `notFound` when the model or version is not there. */
export interface ModelVersions {
  /** @throws SlipwayError `invalidParameter` when its source is refused. */
  createVersion(version: NewModelVersion): ModelVersion;
  modelVersion(name: string, version: number): ModelVersion;
  describeVersion(name: string, version: number, description: string): ModelVersion;
  /** Forgets all but the number, which is never used again. Its transitions are kept. */
  deleteVersion(name: string, version: number): void;
  searchVersions(search: RegistrySearch): RegistryPage<ModelVersion>;
  setVersionTag(name: string, version: number, tag: KeyValue): void;
  deleteVersionTag(name: string, version: number, key: string): void;
  /** Moves a version to a stage and says which versions it archived. Each move becomes a transition. */
  changeStage(change: StageChange): { readonly changed: ModelVersion; readonly archived: readonly number[] };
  /** Changes of stage of a model, newest first; of a deleted one too. */
  transitions(name: string): readonly StageTransition[];
  /** The `mlflow-artifacts:` URI of a version's folder. @throws SlipwayError `invalidParameter` when it lies elsewhere. */
  versionFilesUri(name: string, version: number): string;
}

/** The tag in which MLflow keeps, on a logged model, the versions made from it. */
const modelVersionsTag = 'mlflow.modelVersions';

export function createModelVersions(parts: RegistryParts): ModelVersions {
  const { store, searches, write, listener } = parts;

  return {
    createVersion(version) {
      checkModelName(version.name);
      version.tags.forEach(checkTag);
      return write(version.name, (now) => {
        const model = findModel(store, version.name);
        const lineage = traceLineage(parts, version);
        const number = store.insertVersion(model.id, {
          ...lineage,
          runLink: version.runLink,
          description: version.description,
          tags: version.tags,
          createdAt: now,
        });
        store.touchModel(model.id, now);
        noteOnLoggedModel(parts, lineage, version.name, number);
        return findVersion(store, version.name, number);
      });
    },
    modelVersion: (name, version) => findVersion(store, name, version),
    describeVersion: (name, version, description) =>
      write(name, (now) => {
        store.describeVersion(findVersion(store, name, version).id, description, now);
        return findVersion(store, name, version);
      }),
    deleteVersion(name, version) {
      write(name, (now) => {
        const deleted = findVersion(store, name, version);
        noteRemoval(store, deleted, now);
        store.deleteVersion(deleted, now);
        store.touchModel(deleted.modelKey, now);
      });
      listener?.deleted(name, version);
    },
    searchVersions(search) {
      return pageOf(searches.searchVersions(readVersionSearch(search)), subjectOf(search));
    },
    setVersionTag(name, version, tag) {
      checkTag(tag);
      write(name, () => store.setVersionTag(findVersion(store, name, version).id, tag));
    },
    deleteVersionTag: (name, version, key) =>
      write(name, () => void store.deleteVersionTag(findVersion(store, name, version).id, key)),
    changeStage({ name, version, stage, archiveExisting, who, why }) {
      if (archiveExisting && !isActiveStage(stage)) {
        throw new SlipwayError('invalidParameter', {
          detail:
            `Model version transition cannot archive existing model versions because '${stage}' is not an Active stage. ` +
            "Valid stages are ['Staging', 'Production']",
        });
      }
      return write(name, (now) => {
        const before = findVersion(store, name, version);
        const move = (moved: number, from: Stage, to: Stage) => {
          store.setStage(before.modelKey, moved, to, now);
          if (from !== to) store.insertTransition(name, { version: moved, from, to, who, why, when: now });
        };
        const archived = archiveExisting
          ? store.versionsInStage(before.modelKey, stage).filter((holder) => holder !== version)
          : [];
        for (const holder of archived) move(holder, stage, 'Archived');
        move(version, before.stage, stage);
        store.touchModel(before.modelKey, now);
        return { changed: findVersion(store, name, version), archived };
      });
    },
    transitions: (name) => store.transitions(name),
    versionFilesUri: (name, version) => filesUri(parts, findVersion(store, name, version)),
  };
}

/** As MLflow's server does, so that a logged model knows which versions were made from it. */
function noteOnLoggedModel(
  { tracking }: RegistryParts,
  { modelId }: Lineage,
  name: string,
  version: number,
): void {
  const data = modelId === null ? null : found(() => tracking.loggedModelData(modelId));
  if (data === null) return;
  const before = data.tags.find(({ key }) => key === modelVersionsTag)?.value;
  const versions = [...readList(before), { name, version }];
  tracking.setLoggedModelTag(data.model.modelId, modelVersionsTag, writePythonJson(versions));
}

/** The tag can be written by anyone, so it may hold anything. */
function readList(json: string | undefined): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(json ?? '[]');
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}
