import { detail } from '../../protocol/errorDetails.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ModelVersionSummary, RegisteredModelSummary, Stage } from '../../protocol/registry.ts';
import type { Changes } from '../changes.ts';
import type { Database } from '../database/connection.ts';
import type { ArtifactStore } from '../tracking/artifacts.ts';
import { flavorNames } from '../tracking/mlmodel.ts';
import { createModelCatalogue, findModel, findVersion, isPrompt, type ModelCatalogue } from './catalogue.ts';
import { createRegistryImports, type RegistryImports } from './importing.ts';
import { createRegistryImportStore } from './importStore.ts';
import { filesUri, found } from './lineage.ts';
import type { RegistryListener, RegistryParts, RegistryTracking } from './parts.ts';
import { isActiveStage } from './removal.ts';
import { createRegistrySearchStore } from './searchStore.ts';
import { createRegistryStore } from './store.ts';
import type { ModelVersion } from './types.ts';
import { createModelVersions, type ModelVersions } from './versions.ts';

export interface RegistryServiceOptions {
  readonly database: Database;
  readonly tracking: RegistryTracking;
  readonly artifacts: ArtifactStore;
  readonly changes: Changes;
  readonly listener?: RegistryListener;
}

/**
 * The model registry: registered models, their versions, stages and aliases. What it acknowledged survives power loss.
 * The methods of `ModelCatalogue` and `ModelVersions` are what MLflow's clients know; the others are the editor's.
 */
export interface RegistryService extends ModelCatalogue, ModelVersions, RegistryImports {
  /** Registered models by name, without prompts. */
  models(): readonly RegisteredModelSummary[];
  /** Newest first. @throws SlipwayError `notFound` */
  versions(name: string): readonly ModelVersionSummary[];
  /** @throws SlipwayError `notFound` */
  version(name: string, version: number): ModelVersionSummary;
  /**
   * Makes a run's logged model a new version; creates the registered model when it is not there.
   *
   * @throws SlipwayError `notFound` when there is no such logged model, `runHasNoModel` when the run logged none,
   * `invalidParameter` when the model is another run's.
   */
  register(request: {
    readonly name: string;
    readonly runId: string;
    readonly modelId: string;
  }): ModelVersionSummary;
  /** Moves a version to a stage. Versions that hold Staging or Production before it are archived. */
  promote(request: {
    readonly name: string;
    readonly version: number;
    readonly stage: Stage;
    readonly who: string;
    readonly why: string;
  }): { readonly promoted: ModelVersionSummary; readonly archived: readonly number[] };
  /**
   * A version leaves the stage that it was promoted to, for the one that it had before, and the version in whose favour
   * it goes has the stage again, if it had it before.
   *
   * @returns null when the version is not in that stage.
   * @throws SlipwayError `notFound`
   */
  takeBack(request: {
    readonly name: string;
    readonly version: number;
    readonly inFavourOf: number;
    readonly stage: Stage;
    readonly who: string;
    readonly why: string;
  }): { readonly former: Stage; readonly isGivenBack: boolean } | null;
  /**
   * The absolute path of the folder that holds a version's `MLmodel` file.
   *
   * @throws SlipwayError `notFound` when there is no such version, `invalidParameter` when its files lie elsewhere.
   */
  modelFolder(name: string, version: number): string;
}

export function createRegistryService(options: RegistryServiceOptions): RegistryService {
  const { database, tracking, artifacts, changes, listener } = options;
  const store = createRegistryStore(database);
  const parts: RegistryParts = {
    store,
    searches: createRegistrySearchStore(database),
    tracking,
    artifacts,
    changes,
    ...(listener && { listener }),
    write(model, work) {
      const result = database.durableTransaction(() => work(Date.now()));
      changes.registry(model);
      return result;
    },
  };
  const catalogue = createModelCatalogue(parts);
  const modelVersions = createModelVersions(parts);

  return {
    ...catalogue,
    ...modelVersions,
    ...createRegistryImports(parts, createRegistryImportStore(database)),
    models: () => store.modelSummaries(),
    versions(name) {
      findModel(store, name);
      return store.versions(name).map((version) => summarize(parts, version));
    },
    version: (name, version) => summarize(parts, findVersion(store, name, version)),
    register({ name, runId, modelId }) {
      checkOrigin(tracking, runId, modelId);
      const version = database.durableTransaction(() => {
        const existing = store.model(name);
        if (existing && isPrompt(existing.tags)) {
          throw new SlipwayError('alreadyExists', { detail: detail('nameTakenByPrompt', { name }) });
        }
        if (!existing) catalogue.createModel(name, '', []);
        return modelVersions.createVersion({
          name,
          source: `models:/${modelId}`,
          runId,
          modelId,
          runLink: '',
          description: '',
          tags: [],
        });
      });
      return summarize(parts, version);
    },
    promote({ name, version, stage, who, why }) {
      const archiveExisting = isActiveStage(stage);
      const { changed, archived } = modelVersions.changeStage({
        name,
        version,
        stage,
        archiveExisting,
        who,
        why,
      });
      return { promoted: summarize(parts, changed), archived };
    },
    takeBack({ name, version, inFavourOf, stage, who, why }) {
      return database.durableTransaction(() => {
        if (modelVersions.modelVersion(name, version).stage !== stage) return null;
        const history = modelVersions.transitions(name);
        const lastOf = (one: number) => history.find((transition) => transition.version === one);
        const last = lastOf(version);
        // A stage that was set without a transition, by another program, has nothing before it.
        const former = last?.to === stage ? last.from : 'None';
        const move = (moved: number, to: Stage) =>
          modelVersions.changeStage({ name, version: moved, stage: to, archiveExisting: false, who, why });
        move(version, former);
        const isGivenBack = lastOf(inFavourOf)?.from === stage;
        if (isGivenBack) move(inFavourOf, stage);
        return { former, isGivenBack };
      });
    },
    modelFolder: (name, version) => artifacts.resolve(modelVersions.versionFilesUri(name, version)),
  };
}

function checkOrigin(tracking: RegistryTracking, runId: string, modelId: string): void {
  if (tracking.loggedModelsOfRun(runId).length === 0) {
    throw new SlipwayError('runHasNoModel', { run: tracking.runSummary(runId).name });
  }
  if (tracking.loggedModel(modelId).sourceRunId === runId) return;
  throw new SlipwayError('invalidParameter', {
    detail: detail('runMadeNoSuchModel', { loggedModel: modelId, run: runId }),
  });
}

function summarize(parts: RegistryParts, version: ModelVersion): ModelVersionSummary {
  const { name, stage, aliases, runId, createdAt } = version;
  const run = runId === null ? null : found(() => parts.tracking.runSummary(runId));
  return {
    name,
    version: version.version,
    stage,
    aliases,
    runId,
    runName: run?.name ?? null,
    mainMetric: run?.mainMetric ?? null,
    flavors: flavorsOf(parts, version),
    createdAt,
  };
}

/** None when the files lie elsewhere, or cannot be read: a list shows the version all the same. */
function flavorsOf(parts: RegistryParts, version: ModelVersion): readonly string[] {
  try {
    return flavorNames(parts.artifacts.resolve(filesUri(parts, version)));
  } catch (error) {
    if (error instanceof SlipwayError) return [];
    throw error;
  }
}
