import type { VersionChoice } from '../../protocol/endpointSettings.ts';
import type { Database } from '../database/connection.ts';

export type ChoiceRole = 'stable' | 'candidate';

/** Which version each choice of an endpoint named when it was acted on last: so that a change is noticed once. */
export interface ChoiceStore {
  /** The version, if it was this choice then; null when the choice is another one, or new. */
  lastVersion(endpoint: string, role: ChoiceRole, choice: VersionChoice): number | null;
  /** The version that any choice of this role named then; null when there was none. */
  lastNamed(endpoint: string, role: ChoiceRole): number | null;
  save(endpoint: string, role: ChoiceRole, choice: VersionChoice, version: number): void;
  forget(endpoint: string): void;
}

/** Prepares the statements of the table `endpoint_choices`. */
export function createChoiceStore(database: Database): ChoiceStore {
  const select = database
    .prepare<[string, string, string], number>(
      'SELECT version FROM endpoint_choices WHERE endpoint = ? AND role = ? AND choice = ?',
    )
    .pluck();
  const selectAny = database
    .prepare<[string, string], number>('SELECT version FROM endpoint_choices WHERE endpoint = ? AND role = ?')
    .pluck();
  const upsert = database.prepare<[string, string, string, number], never>(
    `INSERT INTO endpoint_choices (endpoint, role, choice, version) VALUES (?, ?, ?, ?)
     ON CONFLICT (endpoint, role) DO UPDATE SET choice = excluded.choice, version = excluded.version`,
  );
  const remove = database.prepare<[string], never>('DELETE FROM endpoint_choices WHERE endpoint = ?');
  return {
    lastVersion: (endpoint, role, choice) => select.get(endpoint, role, JSON.stringify(choice)) ?? null,
    lastNamed: (endpoint, role) => selectAny.get(endpoint, role) ?? null,
    save(endpoint, role, choice, version) {
      database.transaction(() => upsert.run(endpoint, role, JSON.stringify(choice), version));
    },
    forget(endpoint) {
      database.transaction(() => remove.run(endpoint));
    },
  };
}
