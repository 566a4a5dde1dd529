import { detail } from '../../protocol/errorDetails.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import { readMlmodel } from '../tracking/mlmodel.ts';
import { findVersion, isPrompt } from './catalogue.ts';
import { isLatest, readStage } from './names.ts';
import type { RegistryParts } from './parts.ts';
import { type ModelSource, readModelSource, type VersionSelector } from './sources.ts';
import type { ModelVersion, NewModelVersion } from './types.ts';

/** Where a new version's files lie, and what made them. */
export type Lineage = Pick<ModelVersion, 'source' | 'storageLocation' | 'runId' | 'modelId' | 'userId'>;

/**
 * Follows the `source` of a new version to its files, its run and its logged model.
 *
 * @throws SlipwayError `invalidParameter` when the source is refused, leads nowhere, or contradicts the run or logged model
 * that the request names.
 */
export function traceLineage(parts: RegistryParts, version: NewModelVersion): Lineage {
  const source = readModelSource(version.source, isPrompt(version.tags));
  const traced = trace(parts, version, source);
  const run = traced.runId === null ? null : found(() => parts.tracking.run(traced.runId ?? ''));
  return { ...traced, userId: run?.userId ?? '' };
}

/**
 * The URI, inside the artifact store, of a version's folder.
 *
 * @throws SlipwayError `invalidParameter` when its files lie elsewhere, `notFound` when its run is gone.
 */
export function filesUri(parts: RegistryParts, version: ModelVersion): string {
  const location = version.storageLocation || version.source;
  const source = readModelSource(location, isPrompt(version.tags));
  if (source.kind === 'artifacts') return location;
  if (source.kind !== 'run') {
    throw new SlipwayError('invalidParameter', {
      detail: detail('versionFilesElsewhere', { model: version.name, version: version.version, location }),
    });
  }
  const uri = `${parts.tracking.run(source.runId).artifactUri}/${source.path}`;
  if (readMlmodel(parts.artifacts.resolve(uri)) !== null) return uri;
  // Since MLflow 3, a run's model lies in a folder of its own and only its name stands in the URI.
  const model = parts.tracking.loggedModelsOfRun(source.runId).find(({ name }) => name === source.path);
  return model?.artifactUri ?? uri;
}

function trace(parts: RegistryParts, version: NewModelVersion, source: ModelSource): Omit<Lineage, 'userId'> {
  const { runId, modelId } = version;
  const asGiven = { source: version.source, storageLocation: version.source, runId, modelId };
  switch (source.kind) {
    case 'loggedModel': {
      if (modelId !== null && modelId !== source.modelId) throw notContained(version.source, 'model_id');
      const model = found(() => parts.tracking.loggedModel(source.modelId));
      if (model === null) throw unknownModel(version.source);
      return {
        ...asGiven,
        storageLocation: model.artifactUri,
        runId: runId ?? model.sourceRunId,
        modelId: model.modelId,
      };
    }
    case 'version': {
      const origin = selectVersion(parts, source.name, source.selector);
      if (isPrompt(origin.tags)) throw notContained(version.source, 'name');
      return {
        source: `models:/${origin.name}/${origin.version}`,
        storageLocation: origin.storageLocation || origin.source,
        runId: runId ?? origin.runId,
        modelId: modelId ?? origin.modelId,
      };
    }
    case 'run': {
      const exists = found(() => parts.tracking.run(source.runId)) !== null;
      return { ...asGiven, runId: runId ?? (exists ? source.runId : null) };
    }
    case 'artifacts':
    case 'remote':
    case 'prompt':
      return asGiven;
  }
}

function selectVersion({ store }: RegistryParts, name: string, selector: VersionSelector): ModelVersion {
  if (selector.by === 'number') return findVersion(store, name, selector.version);
  const versions = store.versions(name);
  const { by } = selector;
  const selected =
    by === 'stage'
      ? versions.find(({ stage }) => stage === readStage(selector.stage))
      : isLatest(selector.alias)
        ? versions[0]
        : versions.find(({ aliases }) =>
            aliases.some((alias) => alias.toLowerCase() === selector.alias.toLowerCase()),
          );
  if (selected) return selected;
  const missing =
    by === 'stage'
      ? detail('noVersionOfStage', { model: name, stage: selector.stage })
      : detail('noVersionOfAlias', { model: name, alias: selector.alias });
  throw new SlipwayError('notFound', { detail: missing });
}

/** What a lookup of a run or logged model finds; null when there is none, or the id is no id at all. */
export function found<Result>(look: () => Result): Result | null {
  try {
    return look();
  } catch (error) {
    if (error instanceof SlipwayError && (error.category === 'notFound' || error.category === 'invalid'))
      return null;
    throw error;
  }
}

function unknownModel(source: string): SlipwayError {
  return new SlipwayError('invalidParameter', {
    detail: `Unable to fetch model from model URI source artifact location '${source}'. There is no such logged model.`,
  });
}

function notContained(source: string, parameter: string): SlipwayError {
  return new SlipwayError('invalidParameter', {
    detail:
      `Invalid model version source: '${source}'. The ${parameter} request parameter must identify the resource that ` +
      'contains the source.',
  });
}
