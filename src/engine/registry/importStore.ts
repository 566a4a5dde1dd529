import type { Stage } from '../../protocol/registry.ts';
import type { Database } from '../database/connection.ts';
import type { ModelVersion } from './types.ts';

/** A version as it was elsewhere. */
export type VersionToInsert = Omit<ModelVersion, 'name' | 'aliases' | 'tags'> & { readonly deleted: boolean };

/** What is needed to tell whether a version is the same one. */
export interface VersionIdentity {
  readonly id: number;
  readonly deleted: boolean;
  readonly runId: string | null;
  readonly createdAt: number;
}

/** The SQL of what only an import may do: write what has a number, times and a stage already. */
export interface RegistryImportStore {
  insertModel(name: string, description: string, createdAt: number, lastUpdated: number): number;
  /** A deleted version is found too. */
  versionIdentity(modelKey: number, version: number): VersionIdentity | null;
  insertVersion(modelKey: number, version: VersionToInsert): number;
  setStage(id: number, stage: Stage, lastUpdated: number): void;
}

export function createRegistryImportStore(database: Database): RegistryImportStore {
  const insertModel = database.prepare<[string, string, number, number], never>(
    'INSERT INTO registered_models (name, description, creation_time, last_update_time) VALUES (?, ?, ?, ?)',
  );
  const identity = database.prepare<
    [number, number],
    {
      readonly id: number;
      readonly deleted: number;
      readonly runId: string | null;
      readonly createdAt: number;
    }
  >(
    `SELECT id, deleted, run_uuid AS runId, creation_time AS createdAt
     FROM model_versions WHERE model_id = ? AND version = ?`,
  );
  const insertVersion = database.prepare<(string | number | null)[], never>(
    `INSERT INTO model_versions (model_id, version, stage, deleted, description, user_id, source, storage_location, run_uuid,
       run_link, logged_model_uuid, status, status_message, creation_time, last_update_time)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const setStage = database.prepare<[string, number, number], never>(
    'UPDATE model_versions SET stage = ?, last_update_time = ? WHERE id = ?',
  );

  return {
    insertModel: (name, description, createdAt, lastUpdated) =>
      Number(insertModel.run(name, description, createdAt, lastUpdated).lastInsertRowid),
    versionIdentity(modelKey, version) {
      const row = identity.get(modelKey, version);
      return row ? { ...row, deleted: row.deleted === 1 } : null;
    },
    insertVersion: (modelKey, version) =>
      Number(
        insertVersion.run(
          modelKey,
          version.version,
          version.stage,
          version.deleted ? 1 : 0,
          version.description,
          version.userId,
          version.source,
          version.storageLocation,
          version.runId,
          version.runLink,
          version.modelId,
          version.status,
          version.statusMessage,
          version.createdAt,
          version.lastUpdated,
        ).lastInsertRowid,
      ),
    setStage: (id, stage, lastUpdated) => void setStage.run(stage, lastUpdated, id),
  };
}
