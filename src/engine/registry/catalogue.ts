import { detail } from '../../protocol/errorDetails.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import type { KeyValue } from '../../protocol/tracking.ts';
import { pageOf } from '../tracking/paging.ts';
import { checkAlias, checkAliasIsFree, checkModelName, checkTag, isLatest, readStage } from './names.ts';
import type { RegistryParts } from './parts.ts';
import { noteRemoval } from './removal.ts';
import { readModelSearch, subjectOf } from './search.ts';
import type { StoredModel } from './store.ts';
import {
  type ModelVersion,
  promptTag,
  type RegisteredModel,
  type RegistryPage,
  type RegistrySearch,
} from './types.ts';

/** Registered models, with their tags and aliases. All throw `notFound` when the model or version is not there. */
export interface ModelCatalogue {
  /** @throws SlipwayError `alreadyExists` when a model or a prompt has the name. */
  createModel(name: string, description: string, tags: readonly KeyValue[]): RegisteredModel;
  model(name: string): RegisteredModel;
  /** Its transitions are renamed with it. @throws SlipwayError `alreadyExists` */
  renameModel(name: string, newName: string): RegisteredModel;
  describeModel(name: string, description: string): RegisteredModel;
  /** Deletes a model with all its versions; its transitions are kept. */
  deleteModel(name: string): void;
  searchModels(search: RegistrySearch): RegistryPage<RegisteredModel>;
  setModelTag(name: string, tag: KeyValue): void;
  deleteModelTag(name: string, key: string): void;
  /** The highest version of each of the stages, or of every stage when none is named. */
  latestVersions(name: string, stages: readonly string[]): readonly ModelVersion[];
  setAlias(name: string, alias: string, version: number): void;
  deleteAlias(name: string, alias: string): void;
  /** @throws SlipwayError `invalidParameter` when the model has no such alias. */
  versionByAlias(name: string, alias: string): ModelVersion;
}

export function createModelCatalogue({
  store,
  searches,
  write,
  listener,
  changes,
}: RegistryParts): ModelCatalogue {
  const complete = ({ id, ...model }: StoredModel): RegisteredModel => ({
    ...model,
    latestVersions: store.latestVersions(id),
  });

  return {
    createModel(name, description, tags) {
      checkModelName(name);
      tags.forEach(checkTag);
      return write(name, (now) => {
        const existing = store.model(name);
        if (existing) throw nameTaken(name, isPrompt(existing.tags), isPrompt(tags));
        const id = store.insertModel(name, description, now);
        for (const tag of tags) store.setModelTag(id, tag);
        return complete(findModel(store, name));
      });
    },
    model: (name) => complete(findModel(store, name)),
    renameModel(name, newName) {
      checkModelName(newName, 'new_name');
      const renamed = write(name, (now) => {
        const model = findModel(store, name);
        const holder = store.model(newName);
        if (holder && holder.id !== model.id)
          throw nameTaken(newName, isPrompt(holder.tags), isPrompt(model.tags));
        store.renameModel(model.id, newName, now);
        store.renameTransitions(name, newName);
        return complete(findModel(store, newName));
      });
      changes.registry(newName);
      if (newName !== name) listener?.renamed(name, newName);
      return renamed;
    },
    describeModel: (name, description) =>
      write(name, (now) => {
        store.describeModel(findModel(store, name).id, description, now);
        return complete(findModel(store, name));
      }),
    deleteModel(name) {
      write(name, (now) => {
        const { id } = findModel(store, name);
        for (const version of store.versions(name)) noteRemoval(store, version, now);
        store.deleteModel(id);
      });
      listener?.deleted(name, null);
    },
    searchModels(search) {
      const { items, nextPageToken } = pageOf(
        searches.searchModels(readModelSearch(search)),
        subjectOf(search),
      );
      return { items: items.map(complete), nextPageToken };
    },
    setModelTag(name, tag) {
      checkTag(tag);
      write(name, () => store.setModelTag(findModel(store, name).id, tag));
    },
    deleteModelTag: (name, key) =>
      write(name, () => void store.deleteModelTag(findModel(store, name).id, key)),
    latestVersions(name, stages) {
      const wanted = stages.map(readStage);
      const latest = store.latestVersions(findModel(store, name).id);
      return wanted.length === 0 ? latest : latest.filter(({ stage }) => wanted.includes(stage));
    },
    setAlias(name, alias, version) {
      checkAlias(alias);
      checkAliasIsFree(alias);
      write(name, () => store.setAlias(findVersion(store, name, version).modelKey, alias, version));
    },
    deleteAlias(name, alias) {
      checkAlias(alias);
      write(name, () => store.deleteAlias(findModel(store, name).id, alias));
    },
    versionByAlias(name, alias) {
      checkAlias(alias);
      const { id } = findModel(store, name);
      if (isLatest(alias)) {
        const [newest] = store.versions(name);
        if (newest) return newest;
        throw new SlipwayError('notFound', { detail: detail('noLatestVersion', { model: name }) });
      }
      const version = store.aliasVersion(id, alias);
      if (version === null) {
        throw new SlipwayError('invalidParameter', { detail: detail('noAlias', { alias }) });
      }
      return findVersion(store, name, version);
    },
  };
}

/** @throws SlipwayError `notFound` */
export function findModel(store: RegistryParts['store'], name: string): StoredModel {
  checkModelName(name);
  const model = store.model(name);
  if (model) return model;
  throw new SlipwayError('notFound', { detail: detail('noRegisteredModel', { model: name }) });
}

/** @throws SlipwayError `notFound` */
export function findVersion(store: RegistryParts['store'], name: string, version: number) {
  checkModelName(name);
  const found = store.version(name, version);
  if (found) return found;
  throw new SlipwayError('notFound', { detail: detail('noModelVersion', { model: name, version }) });
}

/** Whether the tags of a model or version say that it is a prompt. */
export function isPrompt(tags: readonly KeyValue[]): boolean {
  return tags.some(({ key, value }) => key === promptTag && value.toLowerCase() === 'true');
}

function nameTaken(name: string, byPrompt: boolean, forPrompt: boolean): SlipwayError {
  const [taker, wanted] = [byPrompt, forPrompt].map((prompt) => (prompt ? 'Prompt' : 'Registered Model'));
  if (taker === wanted && !forPrompt) {
    return new SlipwayError('alreadyExists', { detail: detail('modelExists', { model: name }) });
  }
  const said =
    taker === wanted
      ? `${wanted} (name=${name}) already exists.`
      : `Tried to create a ${wanted?.toLowerCase()} with name '${name}', but the name is already taken by a ` +
        `${taker?.toLowerCase()}. MLflow does not allow creating a model and a prompt with the same name.`;
  return new SlipwayError('alreadyExists', { detail: said });
}
