import type { RegisteredModelSummary, Stage, StageTransition } from '../../protocol/registry.ts';
import type { KeyValue } from '../../protocol/tracking.ts';
import type { Database } from '../database/connection.ts';
import { type ModelVersion, type NewTransition, promptTag, type RegisteredModel } from './types.ts';

/** A registered model with the key by which its rows refer to it. */
export type StoredModel = Omit<RegisteredModel, 'latestVersions'> & { readonly id: number };
/** A version with its row's key and its model's. */
export type StoredVersion = ModelVersion & { readonly id: number; readonly modelKey: number };
export type InsertedVersion = Omit<
  ModelVersion,
  'name' | 'version' | 'stage' | 'status' | 'statusMessage' | 'aliases' | 'lastUpdated'
>;

export type ModelRow = Omit<StoredModel, 'tags' | 'aliases'> & {
  readonly tags: string;
  readonly aliases: string;
};
export type VersionRow = Omit<StoredVersion, 'tags' | 'aliases'> & {
  readonly tags: string;
  readonly aliases: string;
};

export const modelColumns = `
  m.id, m.name, m.description, m.creation_time AS createdAt, m.last_update_time AS lastUpdated,
  (SELECT json_group_array(json_object('key', key, 'value', value)) FROM
    (SELECT key, value FROM registered_model_tags WHERE model_id = m.id ORDER BY key)) AS tags,
  (SELECT json_group_array(json_object('alias', alias, 'version', version)) FROM
    (SELECT alias, version FROM aliases WHERE model_id = m.id ORDER BY alias)) AS aliases`;

export const versionColumns = `
  v.id, v.model_id AS modelKey, m.name, v.version, v.stage, v.description, v.user_id AS userId, v.source,
  v.storage_location AS storageLocation, v.run_uuid AS runId, v.run_link AS runLink, v.logged_model_uuid AS modelId,
  v.status, v.status_message AS statusMessage, v.creation_time AS createdAt, v.last_update_time AS lastUpdated,
  (SELECT json_group_array(json_object('key', key, 'value', value)) FROM
    (SELECT key, value FROM model_version_tags WHERE version_id = v.id ORDER BY key)) AS tags,
  (SELECT json_group_array(alias) FROM
    (SELECT alias FROM aliases WHERE model_id = v.model_id AND version = v.version ORDER BY alias)) AS aliases`;

export const versionTables = 'model_versions v JOIN registered_models m ON m.id = v.model_id';

/** All SQL of the registry. Rules, and what is found or missing, are the service's. */
export type RegistryStore = ReturnType<typeof createRegistryStore>;

export function createRegistryStore(database: Database) {
  return { ...modelStatements(database), ...versionStatements(database), ...transitionStatements(database) };
}

function modelStatements(database: Database) {
  const insert = database.prepare<[string, string, number, number], unknown>(
    'INSERT INTO registered_models (name, description, creation_time, last_update_time) VALUES (?, ?, ?, ?)',
  );
  const byName = database.prepare<[string], ModelRow>(
    `SELECT ${modelColumns} FROM registered_models m WHERE m.name = ?`,
  );
  const rename = database.prepare<[string, number, number], unknown>(
    'UPDATE registered_models SET name = ?, last_update_time = ? WHERE id = ?',
  );
  const describe = database.prepare<[string, number, number], unknown>(
    'UPDATE registered_models SET description = ?, last_update_time = ? WHERE id = ?',
  );
  const touch = database.prepare<[number, number], unknown>(
    'UPDATE registered_models SET last_update_time = ? WHERE id = ?',
  );
  const remove = database.prepare<[number], unknown>('DELETE FROM registered_models WHERE id = ?');
  const setTag = database.prepare<[number, string, string], unknown>(
    'INSERT OR REPLACE INTO registered_model_tags (model_id, key, value) VALUES (?, ?, ?)',
  );
  const deleteTag = database.prepare<[number, string], unknown>(
    'DELETE FROM registered_model_tags WHERE model_id = ? AND key = ?',
  );
  const setAlias = database.prepare<[number, string, number], unknown>(
    'INSERT OR REPLACE INTO aliases (model_id, alias, version) VALUES (?, ?, ?)',
  );
  const deleteAlias = database.prepare<[number, string], unknown>(
    'DELETE FROM aliases WHERE model_id = ? AND alias = ?',
  );
  const aliasVersion = database
    .prepare<[number, string], number>('SELECT version FROM aliases WHERE model_id = ? AND alias = ?')
    .pluck();
  const summaries = database.prepare<[string], RegisteredModelSummary>(`
    SELECT m.name, count(v.id) AS versionCount, max(v.version) AS latestVersion,
      max(CASE v.stage WHEN 'Production' THEN v.version END) AS productionVersion, m.last_update_time AS lastUpdated
    FROM registered_models m LEFT JOIN model_versions v ON v.model_id = m.id AND v.deleted = 0
    WHERE NOT EXISTS (SELECT 1 FROM registered_model_tags WHERE model_id = m.id AND key = ? AND value = 'true')
    GROUP BY m.id ORDER BY m.name`);

  return {
    insertModel(name: string, description: string, now: number): number {
      return Number(insert.run(name, description, now, now).lastInsertRowid);
    },
    model(name: string): StoredModel | null {
      const row = byName.get(name);
      return row ? withLists(row) : null;
    },
    /** Registered models without prompts, by name. */
    modelSummaries: (): readonly RegisteredModelSummary[] => summaries.all(promptTag),
    renameModel: (id: number, name: string, now: number) => rename.run(name, now, id),
    describeModel: (id: number, description: string, now: number) => describe.run(description, now, id),
    touchModel: (id: number, now: number) => touch.run(now, id),
    deleteModel: (id: number) => remove.run(id),
    setModelTag: (id: number, tag: KeyValue) => setTag.run(id, tag.key, tag.value),
    deleteModelTag: (id: number, key: string) => deleteTag.run(id, key),
    setAlias: (id: number, alias: string, version: number) => setAlias.run(id, alias, version),
    deleteAlias: (id: number, alias: string) => deleteAlias.run(id, alias),
    aliasVersion: (id: number, alias: string): number | null => aliasVersion.get(id, alias) ?? null,
  };
}

function versionStatements(database: Database) {
  const select = `SELECT ${versionColumns} FROM ${versionTables} WHERE v.deleted = 0`;
  const next = database
    .prepare<[number], number>('SELECT coalesce(max(version), 0) + 1 FROM model_versions WHERE model_id = ?')
    .pluck();
  const insert = database.prepare<unknown[], unknown>(`
    INSERT INTO model_versions (model_id, version, description, user_id, source, storage_location, run_uuid, run_link,
      logged_model_uuid, creation_time, last_update_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const one = database.prepare<[string, number], VersionRow>(`${select} AND m.name = ? AND v.version = ?`);
  const ofModel = database.prepare<[string], VersionRow>(`${select} AND m.name = ? ORDER BY v.version DESC`);
  const latest = database.prepare<[number], VersionRow>(`${select} AND v.id IN (
    SELECT id FROM (SELECT id, max(version) FROM model_versions WHERE model_id = ? AND deleted = 0 GROUP BY stage))
    ORDER BY v.version`);
  const inStage = database
    .prepare<[number, Stage], number>(
      'SELECT version FROM model_versions WHERE model_id = ? AND stage = ? AND deleted = 0 ORDER BY version',
    )
    .pluck();
  const describe = database.prepare<[string, number, number], unknown>(
    'UPDATE model_versions SET description = ?, last_update_time = ? WHERE id = ?',
  );
  const setStage = database.prepare<[Stage, number, number, number], unknown>(
    'UPDATE model_versions SET stage = ?, last_update_time = ? WHERE model_id = ? AND version = ?',
  );
  // The number stays taken; where the files lie and what made them is forgotten.
  const redact = database.prepare<[number, number], unknown>(`
    UPDATE model_versions SET deleted = 1, stage = 'None', description = '', user_id = '', source = '',
      storage_location = '', run_uuid = NULL, run_link = '', logged_model_uuid = NULL, status_message = '',
      last_update_time = ? WHERE id = ?`);
  const dropTags = database.prepare<[number], unknown>('DELETE FROM model_version_tags WHERE version_id = ?');
  const dropAliases = database.prepare<[number, number], unknown>(
    'DELETE FROM aliases WHERE model_id = ? AND version = ?',
  );
  const setTag = database.prepare<[number, string, string], unknown>(
    'INSERT OR REPLACE INTO model_version_tags (version_id, key, value) VALUES (?, ?, ?)',
  );
  const deleteTag = database.prepare<[number, string], unknown>(
    'DELETE FROM model_version_tags WHERE version_id = ? AND key = ?',
  );

  return {
    /** Inserts a version under the next number that was never used; returns that number. */
    insertVersion(modelKey: number, version: InsertedVersion): number {
      const number = next.get(modelKey) ?? 1;
      const { lastInsertRowid } = insert.run(
        modelKey,
        number,
        version.description,
        version.userId,
        version.source,
        version.storageLocation,
        version.runId,
        version.runLink,
        version.modelId,
        version.createdAt,
        version.createdAt,
      );
      for (const tag of version.tags) setTag.run(Number(lastInsertRowid), tag.key, tag.value);
      return number;
    },
    version(name: string, version: number): StoredVersion | null {
      const row = one.get(name, version);
      return row ? withLists(row) : null;
    },
    /** Newest first. */
    versions: (name: string): readonly StoredVersion[] => ofModel.all(name).map(withLists),
    /** The highest version of each stage, ascending. */
    latestVersions: (modelKey: number): readonly StoredVersion[] => latest.all(modelKey).map(withLists),
    versionsInStage: (modelKey: number, stage: Stage): readonly number[] => inStage.all(modelKey, stage),
    describeVersion: (id: number, description: string, now: number) => describe.run(description, now, id),
    setStage: (modelKey: number, version: number, stage: Stage, now: number) =>
      setStage.run(stage, now, modelKey, version),
    deleteVersion(version: StoredVersion, now: number): void {
      dropTags.run(version.id);
      dropAliases.run(version.modelKey, version.version);
      redact.run(now, version.id);
    },
    setVersionTag: (id: number, tag: KeyValue) => setTag.run(id, tag.key, tag.value),
    deleteVersionTag: (id: number, key: string) => deleteTag.run(id, key),
  };
}

function transitionStatements(database: Database) {
  const insert = database.prepare<unknown[], unknown>(`
    INSERT INTO stage_transitions (model_name, version, from_stage, to_stage, who, why, transitioned_at)
    VALUES (?, ?, ?, ?, ?, ?, ?)`);
  const ofModel = database.prepare<[string], StageTransition>(`
    SELECT model_name AS name, version, from_stage AS "from", to_stage AS "to", who, why, transitioned_at AS "when"
    FROM stage_transitions WHERE model_name = ? ORDER BY id DESC`);
  const rename = database.prepare<[string, string], unknown>(
    'UPDATE stage_transitions SET model_name = ? WHERE model_name = ?',
  );
  return {
    insertTransition: (name: string, t: NewTransition) =>
      insert.run(name, t.version, t.from, t.to, t.who, t.why, t.when),
    /** Newest first. */
    transitions: (name: string): readonly StageTransition[] => ofModel.all(name),
    renameTransitions: (from: string, to: string) => rename.run(to, from),
  };
}

/** A row with the lists that SQLite gave as JSON. */
export function withLists<Row extends { readonly tags: string; readonly aliases: string }>(row: Row) {
  return { ...row, tags: JSON.parse(row.tags), aliases: JSON.parse(row.aliases) };
}
