import type { ErrorData } from '../../protocol/errors.ts';
import type { ArtifactStore } from '../tracking/artifacts.ts';
import { createFolderIndex, pathOfUri, sharedFolders } from './locations.ts';
import type { MaintenanceStore } from './store.ts';
import type { StoredModel, StoredRun, StoredVersion } from './types.ts';

/** What is to be deleted for good. */
export interface Going {
  readonly runs: readonly StoredRun[];
  readonly models: readonly StoredModel[];
}

/** Of what is to be deleted, what somebody still needs, by key, and why. */
export interface Needs {
  readonly runs: ReadonlyMap<number, ErrorData>;
  readonly models: ReadonlyMap<number, ErrorData>;
}

/**
 * Prepares to find what must be kept: what an active version of a registered model was made from, and what a run that stays
 * uses. Of a run that is kept, nothing is deleted.
 *
 * @returns what finds it anew whenever it is called, as versions and runs come while others go. Whether others keep files
 * in a folder is found once: whoever removes a folder looks again.
 */
export function createNeedsFinder(
  store: MaintenanceStore,
  artifacts: Pick<ArtifactStore, 'pathOf'>,
  going: Going,
): () => Needs {
  const runById = new Map(going.runs.map((run) => [run.runId, run]));
  const modelById = new Map(going.models.map((model) => [model.modelId, model]));
  const goingRuns = new Set(going.runs.map(({ key }) => key));
  const goingModels = new Set(going.models.map(({ key }) => key));
  const foldersOfRuns = foldersOf(artifacts, going.runs);
  const foldersOfModels = foldersOf(artifacts, going.models);
  const runFolders = createFolderIndex(foldersOfRuns);
  const modelFolders = createFolderIndex(foldersOfModels);
  const shared = sharedFolders(
    store,
    [...foldersOfRuns, ...foldersOfModels].map(([path]) => path),
    ({ owner, key }) =>
      (owner === 'run' && goingRuns.has(key)) || (owner === 'loggedModel' && goingModels.has(key)),
  );

  return () => {
    const runs = new Map<number, ErrorData>();
    const models = new Map<number, ErrorData>();
    const keepRun = (run: StoredRun | undefined, why: (run: StoredRun) => ErrorData) => {
      if (run && !runs.has(run.key)) runs.set(run.key, why(run));
    };
    const keepModel = (model: StoredModel | undefined, why: (model: StoredModel) => ErrorData) => {
      if (model && !models.has(model.key)) models.set(model.key, why(model));
    };

    for (const version of store.versions()) {
      const runWhy = (run: StoredRun) => runUsedByVersion(run, version);
      const modelWhy = (model: StoredModel) => modelUsedByVersion(model, version);
      keepRun(runById.get(version.runId ?? ''), runWhy);
      keepModel(modelById.get(version.modelId ?? ''), modelWhy);
      const path = pathOfUri(artifacts, version.location);
      if (path !== null) {
        for (const run of [...runFolders.holding(path), ...runFolders.below(path)]) keepRun(run, runWhy);
        const itsModels = [...modelFolders.holding(path), ...modelFolders.below(path)];
        for (const model of itsModels) keepModel(model, modelWhy);
      }
      const [, runId, name] = /^runs:\/+([\w-]+)\/(.+)$/.exec(version.location) ?? [];
      const run = runById.get(runId ?? '');
      if (run === undefined) continue;
      keepRun(run, runWhy);
      // Since MLflow 3, the files of a run's model lie in a folder of their own, and only its name stands in the URI.
      for (const model of going.models) {
        if (model.sourceRun === run.key && model.name === name) keepModel(model, modelWhy);
      }
    }

    for (const [path, run] of foldersOfRuns) {
      if (shared.has(path)) keepRun(run, () => folderShared(run.name, path));
    }
    for (const [path, model] of foldersOfModels) {
      if (shared.has(path)) keepModel(model, () => folderShared(model.name, path));
    }

    // One that was restored meanwhile stays, too.
    const deleted = new Set(store.stillDeletedRuns([...goingRuns]));
    const stays = (run: number) => !deleted.has(run) || runs.has(run);
    const dataUses = store.dataUses();
    // A run that is kept needs its own data in turn.
    for (let before = -1; before !== runs.size; ) {
      before = runs.size;
      for (const { run: user, runName, source } of dataUses) {
        if (!stays(user)) continue;
        for (const [id] of source.matchAll(/(?:m-)?[0-9a-f]{32}/g)) {
          const run = runById.get(id);
          if (run?.key !== user) keepRun(run, (kept) => runUsedByRun(kept, runName));
          keepModel(modelById.get(id), (kept) => modelUsedByRun(kept, runName));
        }
      }
    }

    for (const use of store.modelUses([...modelById.keys()])) {
      const model = modelById.get(use.modelId);
      if (model && stays(use.run) && model.sourceRun !== use.run)
        keepModel(model, () => modelUsedByRun(model, use.runName));
    }
    return { runs, models };
  };
}

function foldersOf<Owner extends { readonly artifactUri: string }>(
  artifacts: Pick<ArtifactStore, 'pathOf'>,
  owners: readonly Owner[],
): readonly (readonly [path: string, owner: Owner])[] {
  return owners.flatMap((owner) => {
    const path = pathOfUri(artifacts, owner.artifactUri);
    return path === null ? [] : [[path, owner] as const];
  });
}

function runUsedByVersion(run: StoredRun, { model, version }: StoredVersion): ErrorData {
  return { kind: 'runUsedByVersion', values: { run: run.name, model, version } };
}

function modelUsedByVersion({ name }: StoredModel, { model, version }: StoredVersion): ErrorData {
  return { kind: 'loggedModelUsedByVersion', values: { loggedModel: name, model, version } };
}

function runUsedByRun(run: StoredRun, other: string): ErrorData {
  return { kind: 'runUsedByRun', values: { run: run.name, other } };
}

function modelUsedByRun({ name }: StoredModel, run: string): ErrorData {
  return { kind: 'loggedModelUsedByRun', values: { loggedModel: name, run } };
}

function folderShared(name: string, path: string): ErrorData {
  return { kind: 'folderShared', values: { name, path } };
}
