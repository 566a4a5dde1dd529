import type { Database } from '../database/connection.ts';
import type { EndpointDefinition } from './types.ts';

/** The definitions of endpoints, as they are kept. */
export interface EndpointStore {
  /** By name. */
  all(): readonly EndpointDefinition[];
  find(name: string): EndpointDefinition | null;
  /** Adds an endpoint or changes the one of this name. */
  save(definition: EndpointDefinition): void;
  remove(name: string): void;
  /** Gives an endpoint and its model other names; another one that bears the new name already is forgotten. */
  rename(name: string, newName: string, newModelName: string): void;
}

interface EndpointRow {
  readonly name: string;
  readonly model_name: string;
  readonly model_version: number;
  readonly enabled: number;
  readonly port: number | null;
}

const columns = 'name, model_name, model_version, enabled, port';

/** Prepares the statements of the table `endpoints`. */
export function createEndpointStore(database: Database): EndpointStore {
  const selectAll = database.prepare<[], EndpointRow>(`SELECT ${columns} FROM endpoints ORDER BY name`);
  const selectOne = database.prepare<[string], EndpointRow>(
    `SELECT ${columns} FROM endpoints WHERE name = ?`,
  );
  const upsert = database.prepare<[string, string, number, number, number | null, number, number], never>(
    `INSERT INTO endpoints (${columns}, creation_time, last_update_time) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET
       model_name = excluded.model_name, model_version = excluded.model_version, enabled = excluded.enabled,
       port = excluded.port, last_update_time = excluded.last_update_time`,
  );
  const remove = database.prepare<[string], never>('DELETE FROM endpoints WHERE name = ?');
  const rename = database.prepare<[string, string, number, string], never>(
    'UPDATE endpoints SET name = ?, model_name = ?, last_update_time = ? WHERE name = ?',
  );
  return {
    all: () => selectAll.all().map(toDefinition),
    find(name) {
      const row = selectOne.get(name);
      return row ? toDefinition(row) : null;
    },
    save({ name, modelName, modelVersion, enabled, port }) {
      const now = Date.now();
      database.transaction(() => upsert.run(name, modelName, modelVersion, enabled ? 1 : 0, port, now, now));
    },
    remove(name) {
      database.transaction(() => remove.run(name));
    },
    rename(name, newName, newModelName) {
      database.transaction(() => {
        if (newName !== name) remove.run(newName);
        rename.run(newName, newModelName, Date.now(), name);
      });
    },
  };
}

function toDefinition(row: EndpointRow): EndpointDefinition {
  return {
    name: row.name,
    modelName: row.model_name,
    modelVersion: row.model_version,
    enabled: row.enabled === 1,
    port: row.port,
  };
}
