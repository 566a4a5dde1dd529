import { readStage, readVersionNumber } from '../registry/names.ts';
import { clientName } from '../registry/removal.ts';
import type { RegistryService } from '../registry/service.ts';
import type { ModelVersion, RegisteredModel, RegistrySearch } from '../registry/types.ts';
import { type DialectRoutes, encodeList, encodeText } from './dialect.ts';
import { type Message, wrongType } from './message.ts';
import { readKeyValue, readKeyValues } from './readings.ts';

/** The remote procedures of MLflow's model_registry.proto. */
export function registerRegistryRoutes(
  routes: DialectRoutes,
  { registry }: { readonly registry: RegistryService },
): void {
  registerModelRoutes(routes, registry);
  registerAliasRoutes(routes, registry);
  registerVersionRoutes(routes, registry);
}

function registerModelRoutes({ rpc }: DialectRoutes, registry: RegistryService): void {
  const path = '/mlflow/registered-models';
  rpc('POST', `${path}/create`, (message) =>
    modelAnswer(
      registry.createModel(
        message.requiredText('name'),
        message.text('description') ?? '',
        readKeyValues(message, 'tags'),
      ),
    ),
  );
  rpc('GET', `${path}/get`, (message) => modelAnswer(registry.model(message.requiredText('name'))));
  rpc('POST', `${path}/rename`, (message) =>
    modelAnswer(registry.renameModel(message.requiredText('name'), message.text('new_name') ?? '')),
  );
  rpc('PATCH', `${path}/update`, (message) =>
    modelAnswer(registry.describeModel(message.requiredText('name'), message.text('description') ?? '')),
  );
  rpc('DELETE', `${path}/delete`, (message) => nothing(registry.deleteModel(message.requiredText('name'))));
  rpc('GET', `${path}/search`, (message) => {
    const { items, nextPageToken } = registry.searchModels(readSearch(message, 100, 1000));
    return {
      registered_models: encodeList(items.map(encodeModel)),
      next_page_token: encodeText(nextPageToken),
    };
  });
  for (const method of ['POST', 'GET'] as const) {
    rpc(method, `${path}/get-latest-versions`, (message) => {
      const versions = registry.latestVersions(message.requiredText('name'), message.texts('stages'));
      return { model_versions: encodeList(versions.map(encodeVersion)) };
    });
  }
  rpc('POST', `${path}/set-tag`, (message) =>
    nothing(registry.setModelTag(message.requiredText('name'), readKeyValue(message))),
  );
  rpc('DELETE', `${path}/delete-tag`, (message) =>
    nothing(registry.deleteModelTag(message.requiredText('name'), message.requiredText('key'))),
  );
}

function registerAliasRoutes({ rpc }: DialectRoutes, registry: RegistryService): void {
  const path = '/mlflow/registered-models/alias';
  rpc('POST', path, (message) => {
    const { name, version } = readVersionKey(message);
    return nothing(registry.setAlias(name, message.requiredText('alias'), version));
  });
  rpc('GET', path, (message) =>
    versionAnswer(registry.versionByAlias(message.requiredText('name'), message.requiredText('alias'))),
  );
  rpc('DELETE', path, (message) =>
    nothing(registry.deleteAlias(message.requiredText('name'), message.requiredText('alias'))),
  );
}

function registerVersionRoutes({ rpc }: DialectRoutes, registry: RegistryService): void {
  const path = '/mlflow/model-versions';
  rpc('POST', `${path}/create`, (message) =>
    versionAnswer(
      registry.createVersion({
        name: message.requiredText('name'),
        source: message.requiredText('source'),
        runId: message.text('run_id') || null,
        modelId: message.text('model_id') || null,
        runLink: message.text('run_link') ?? '',
        description: message.text('description') ?? '',
        tags: readKeyValues(message, 'tags'),
      }),
    ),
  );
  rpc('GET', `${path}/get`, (message) => {
    const { name, version } = readVersionKey(message);
    return versionAnswer(registry.modelVersion(name, version));
  });
  rpc('PATCH', `${path}/update`, (message) => {
    const { name, version } = readVersionKey(message);
    return versionAnswer(registry.describeVersion(name, version, message.text('description') ?? ''));
  });
  rpc('DELETE', `${path}/delete`, (message) => {
    const { name, version } = readVersionKey(message);
    return nothing(registry.deleteVersion(name, version));
  });
  rpc('GET', `${path}/search`, (message) => {
    const { items, nextPageToken } = registry.searchVersions(readSearch(message, 200_000, 200_000));
    return {
      model_versions: encodeList(items.map(encodeFound)),
      next_page_token: encodeText(nextPageToken),
    };
  });
  rpc('POST', `${path}/transition-stage`, (message) => {
    const { name, version } = readVersionKey(message);
    const { changed } = registry.changeStage({
      name,
      version,
      stage: readStage(message.requiredText('stage')),
      archiveExisting: message.flag('archive_existing_versions') ?? false,
      who: registry.modelVersion(name, version).userId || clientName,
      why: '',
    });
    return versionAnswer(changed);
  });
  rpc('GET', `${path}/get-download-uri`, (message) => {
    const { name, version } = readVersionKey(message);
    const { storageLocation, source } = registry.modelVersion(name, version);
    return { artifact_uri: storageLocation || source };
  });
  rpc('POST', `${path}/set-tag`, (message) => {
    const { name, version } = readVersionKey(message);
    return nothing(registry.setVersionTag(name, version, readKeyValue(message)));
  });
  rpc('DELETE', `${path}/delete-tag`, (message) => {
    const { name, version } = readVersionKey(message);
    return nothing(registry.deleteVersionTag(name, version, message.requiredText('key')));
  });
}

function readVersionKey(message: Message): { readonly name: string; readonly version: number } {
  const number = message.fields.version;
  // The proto says text, yet clients send the number as well.
  const version = typeof number === 'number' ? String(number) : message.requiredText('version');
  return { name: message.requiredText('name'), version: readVersionNumber(version) };
}

function readSearch(message: Message, defaultPage: number, largestPage: number): RegistrySearch {
  const maxResults = message.integer('max_results') ?? defaultPage;
  if (maxResults > largestPage) throw wrongType('max_results', message.value('max_results'));
  return {
    filter: message.text('filter') ?? '',
    orderBy: message.texts('order_by'),
    maxResults,
    pageToken: message.text('page_token') ?? null,
  };
}

function modelAnswer(model: RegisteredModel): object {
  return { registered_model: encodeModel(model) };
}

function versionAnswer(version: ModelVersion): object {
  return { model_version: encodeVersion(version) };
}

/** MLflow does not tell the aliases of a version in the answer to a search, or inside its model. */
function encodeFound(version: ModelVersion): object {
  return { ...encodeVersion(version), aliases: undefined };
}

/** Procedures that only do something answer an empty message. */
function nothing(_done: unknown): object {
  return {};
}

function encodeModel(model: RegisteredModel): object {
  return {
    name: model.name,
    creation_timestamp: model.createdAt,
    last_updated_timestamp: model.lastUpdated,
    description: encodeText(model.description),
    latest_versions: encodeList(model.latestVersions.map(encodeFound)),
    tags: encodeList(model.tags),
    aliases: encodeList(model.aliases.map(({ alias, version }) => ({ alias, version: String(version) }))),
  };
}

/** A version as MLflow tells it: not who made it, nor its logged model, which clients find through `source`. */
function encodeVersion(version: ModelVersion): object {
  return {
    name: version.name,
    version: String(version.version),
    creation_timestamp: version.createdAt,
    last_updated_timestamp: version.lastUpdated,
    current_stage: version.stage,
    description: version.description,
    source: version.source,
    run_id: version.runId ?? '',
    status: version.status,
    status_message: encodeText(version.statusMessage),
    tags: encodeList(version.tags),
    run_link: version.runLink,
    aliases: encodeList(version.aliases),
  };
}
