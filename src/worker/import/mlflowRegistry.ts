import type { ArtifactOwner, ImportedModelVersion, ImportRecord } from '../../protocol/importing.ts';
import { stages } from '../../protocol/registry.ts';
import { keyValues, type MlflowTables, type Row } from './mlflowTables.ts';
import { nameInWorkspace } from './mlflowWorkspaces.ts';
import { readVersionStatus } from './mlrunsRegistry.ts';
import { stateDigest } from './reader.ts';
import { omission } from './tracker/omission.ts';

const versionColumns = [
  'version',
  'creation_time',
  'last_updated_time',
  'description',
  'user_id',
  'current_stage',
  'source',
  'run_id',
  'status',
  'status_message',
  'run_link',
  'storage_location',
];

/** Yields the registered models, prompts among them, that look otherwise than when they were last imported. */
export function* readRegistry(
  tables: MlflowTables,
  known: ReadonlyMap<string, string>,
): Iterable<ImportRecord> {
  const columns = ['name', 'creation_time', 'last_updated_time', 'description', 'workspace'];
  for (const rows of tables.pages('registered_models', columns)) {
    for (const model of rows) {
      const records = [...readModel(tables, model)];
      const key = `registered/${nameInWorkspace(model, '.')}`;
      const state = stateDigest(JSON.stringify(records));
      if (known.get(key) === state) continue;
      yield* records;
      yield { type: 'part', key, state, runId: null };
    }
  }
}

function* readModel(tables: MlflowTables, model: Row): Iterable<ImportRecord> {
  const name = nameInWorkspace(model, '.');
  const ofModel = (table: string) => {
    const condition = ['name = ?', ...(tables.has(table, 'workspace') ? ['workspace = ?'] : [])].join(
      ' AND ',
    );
    const parameters = tables.has(table, 'workspace')
      ? [model.name ?? '', model.workspace ?? '']
      : [model.name ?? ''];
    return [condition, ...parameters] as const;
  };
  const creationTime = Number(model.creation_time ?? 0);
  yield {
    type: 'registeredModel',
    name,
    description: String(model.description ?? ''),
    creationTime,
    lastUpdateTime: Number(model.last_updated_time ?? creationTime),
    tags: keyValues(tables.rows('registered_model_tags', ['key', 'value'], ofModel('registered_model_tags'))),
  };
  const tags = tables.rows('model_version_tags', ['version', 'key', 'value'], ofModel('model_version_tags'));
  const versions = tables.rows('model_versions', versionColumns, ofModel('model_versions'));
  for (const row of versions) {
    const version = Number(row.version);
    const created = Number(row.creation_time ?? 0);
    const source = String(row.source ?? '');
    const location = String(row.storage_location || row.source || '');
    const files = filesOf(tables, location);
    const deleted = row.current_stage === 'Deleted_Internal';
    yield {
      type: 'modelVersion',
      name,
      version,
      deleted,
      stage: stages.find((stage) => stage === row.current_stage) ?? 'None',
      description: String(row.description ?? ''),
      userId: String(row.user_id ?? ''),
      source,
      files,
      runId: row.run_id ? String(row.run_id) : null,
      runLink: String(row.run_link ?? ''),
      modelId: /^models:\/+(m-[0-9a-f]{32})$/.exec(source)?.[1] ?? null,
      status: readVersionStatus(row.status === null ? null : String(row.status)),
      statusMessage: String(row.status_message ?? ''),
      creationTime: created,
      lastUpdateTime: Number(row.last_updated_time ?? created),
      tags: keyValues(tags.filter((tag) => Number(tag.version) === version)),
    };
    if (!deleted && files === null && isLocal(location)) {
      yield omission(`registered model ${name}/version-${version}`, 'filesMissing', { location });
    }
  }
  const aliases = tables.rows(
    'registered_model_aliases',
    ['alias', 'version'],
    ofModel('registered_model_aliases'),
  );
  yield {
    type: 'modelAliases',
    name,
    aliases: aliases.map(({ alias, version }) => ({ alias: String(alias), version: Number(version) })),
  };
}

/** The run or logged model of this database among whose artifacts a location lies, as MLflow makes them. */
function filesOf(tables: MlflowTables, location: string): ImportedModelVersion['files'] {
  const found = /(?:^|[/\\])(m-[0-9a-f]{32}|[0-9a-f]{32})[/\\]artifacts(?:[/\\]|$)(.*)$/.exec(location);
  const [, id, rest = ''] = found ?? [];
  if (id === undefined || rest.split(/[/\\]/).includes('..')) return null;
  const owner: ArtifactOwner = { type: id.startsWith('m-') ? 'loggedModel' : 'run', id };
  const [table, column] = owner.type === 'run' ? ['runs', 'run_uuid'] : ['logged_models', 'model_id'];
  if (tables.rows(table, [column], [`${column} = ?`, id]).length === 0) return null;
  return {
    owner,
    path: rest
      .split(/[/\\]/)
      .filter((segment) => segment !== '')
      .join('/'),
  };
}

/** Whether a location is on some machine's own disk. */
function isLocal(location: string): boolean {
  return /^(file:|mlflow-artifacts:|[./\\]|[a-z]:[/\\])/i.test(location);
}
