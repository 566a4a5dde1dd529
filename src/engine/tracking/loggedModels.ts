import type { KeyValue } from '../../protocol/tracking.ts';
import type { TrackingDependencies } from './dependencies.ts';
import { checkLoggedModelName, experimentKey, notFound } from './limits.ts';
import { findActiveExperiment, findLoggedModel, findRun } from './lookup.ts';
import { pageOf, readPageToken } from './paging.ts';
import { makeId, makeUpName } from './runNames.ts';
import { checkOrder, loggedModelSearchRules, readFilter, resolveOrdering } from './searchRules.ts';
import type {
  LoggedModel,
  LoggedModelData,
  LoggedModelRecord,
  LoggedModelStatus,
  Ordering,
  Page,
} from './types.ts';

export interface LoggedModelToCreate {
  readonly experimentId: string;
  /** Empty: made up. */
  readonly name: string;
  readonly modelType: string;
  readonly sourceRunId?: string | undefined;
  readonly tags: readonly KeyValue[];
  readonly parameters: readonly KeyValue[];
}

export interface LoggedModelSearch {
  readonly experimentIds: readonly string[];
  readonly filter: string;
  /** Restrict the metric clauses of the filter; empty: any dataset. */
  readonly datasets: readonly { readonly name: string; readonly digest: string | null }[];
  readonly orderBy: readonly LoggedModelOrdering[];
  readonly maxResults: number;
  readonly pageToken: string;
}

export interface LoggedModelOrdering {
  readonly field: string;
  readonly ascending: boolean;
  readonly datasetName: string | null;
  readonly datasetDigest: string | null;
}

export interface LoggedModels {
  createLoggedModel(model: LoggedModelToCreate): LoggedModelData;
  /** Throws `notFound`, for a deleted one too. */
  loggedModel(modelId: string): LoggedModel;
  loggedModelData(modelId: string, options?: { readonly allowDeleted: boolean }): LoggedModelData;
  /** Active models whose source is the run, in the order in which they were logged. */
  loggedModelsOfRun(runId: string): readonly LoggedModel[];
  finalizeLoggedModel(modelId: string, status: LoggedModelStatus): LoggedModelData;
  deleteLoggedModel(modelId: string): void;
  searchLoggedModels(search: LoggedModelSearch): Page<LoggedModelData>;
  setLoggedModelTag(modelId: string, key: string, value: string): void;
  setLoggedModelTags(modelId: string, tags: readonly KeyValue[]): void;
  deleteLoggedModelTag(modelId: string, key: string): void;
  logLoggedModelParameters(modelId: string, parameters: readonly KeyValue[]): void;
}

/** The rules of logged models. A deleted one is no longer found. */
export function createLoggedModels(dependencies: TrackingDependencies): LoggedModels {
  const { store, changes, transaction } = dependencies;

  const withoutKey = ({ key: _, ...model }: LoggedModelRecord): LoggedModel => model;
  const tell = ({ experimentId, sourceRunId }: LoggedModel) =>
    changes.tracking(experimentId, sourceRunId ?? undefined);
  const change = (modelId: string, work: (model: LoggedModelRecord) => void) => {
    const model = transaction(() => {
      const found = findLoggedModel(dependencies, modelId);
      work(found);
      return found;
    });
    tell(model);
  };
  const setTags = (modelId: string, tags: readonly KeyValue[]) =>
    change(modelId, (model) => {
      for (const tag of tags) store.models.setTag(model.key, tag);
    });
  const data = (modelId: string, allowDeleted = false) =>
    store.models.load(findLoggedModel(dependencies, modelId, allowDeleted));

  return {
    createLoggedModel(wanted) {
      const name = wanted.name || makeUpName();
      checkLoggedModelName(name);
      const model = transaction(() => {
        const experiment = findActiveExperiment(dependencies, wanted.experimentId);
        // The run may be another store's.
        const source = wanted.sourceRunId ? store.runs.find(wanted.sourceRunId) : null;
        const modelId = `m-${makeId()}`;
        const now = Date.now();
        const created: LoggedModel = {
          modelId,
          experimentId: experiment.experimentId,
          name,
          modelType: wanted.modelType,
          status: 'LOGGED_MODEL_PENDING',
          statusMessage: '',
          artifactUri: `${experiment.artifactLocation.replace(/\/$/, '')}/models/${modelId}/artifacts`,
          sourceRunId: wanted.sourceRunId || null,
          creationTime: now,
          lastUpdateTime: now,
          lifecycleStage: 'active',
        };
        const key = store.models.insert(created, source?.key ?? null);
        for (const tag of wanted.tags) store.models.setTag(key, tag);
        for (const parameter of wanted.parameters) store.models.setParameter(key, parameter);
        return created;
      });
      tell(model);
      return data(model.modelId);
    },
    loggedModel: (modelId) => withoutKey(findLoggedModel(dependencies, modelId)),
    loggedModelData: (modelId, options) => data(modelId, options?.allowDeleted),
    loggedModelsOfRun: (runId) => store.models.ofRun(findRun(dependencies, runId).key).map(withoutKey),
    finalizeLoggedModel(modelId, status) {
      change(modelId, (model) => store.models.setStatus(model.key, status, Date.now()));
      return data(modelId);
    },
    deleteLoggedModel: (modelId) =>
      change(modelId, (model) => store.models.setStage(model.key, 'deleted', Date.now())),
    searchLoggedModels({ experimentIds, filter, datasets, orderBy, maxResults, pageToken }) {
      const subject = ['loggedModels', experimentIds, filter, datasets, orderBy];
      const { items, last } = store.modelSearch.search(
        {
          comparisons: readFilter(filter, loggedModelSearchRules),
          order: checkOrder(orderBy.map(readModelOrdering)),
          limit: maxResults,
          after: readPageToken(pageToken, subject),
        },
        experimentIds.map(experimentKey),
        datasets,
      );
      return pageOf({ items: items.map((model) => store.models.load(model)), last }, subject);
    },
    setLoggedModelTag: (modelId, key, value) => setTags(modelId, [{ key, value }]),
    setLoggedModelTags: setTags,
    deleteLoggedModelTag: (modelId, key) =>
      change(modelId, (model) => {
        if (!store.models.deleteTag(model.key, key)) {
          throw notFound(`No tag with key '${key}' found for model with ID '${modelId}'.`);
        }
      }),
    logLoggedModelParameters: (modelId, parameters) =>
      change(modelId, (model) => {
        for (const parameter of parameters) store.models.setParameter(model.key, parameter);
      }),
  };
}

function readModelOrdering({ field, ascending, datasetName, datasetDigest }: LoggedModelOrdering): Ordering {
  // The key stands as it is, in no quotes, so it is no text of the grammar.
  const dot = field.indexOf('.');
  const identifier = { entity: dot < 0 ? null : field.slice(0, dot), key: field.slice(dot + 1).trim() };
  return { ...resolveOrdering(identifier, loggedModelSearchRules), ascending, datasetName, datasetDigest };
}
