import type { EndpointEvent } from '../../protocol/serving.ts';
import { say } from '../../protocol/servingSentences.ts';
import { readSayingText } from '../../protocol/storedSaying.ts';
import type { Database } from '../database/connection.ts';

/** The audit trail of endpoints: what happened, who did it and why. Kept for good. */
export interface EventStore {
  /** Survives power loss. */
  note(event: Omit<EndpointEvent, 'id'>): void;
  /** Newest first. */
  events(endpoint: string, limit: number): readonly EndpointEvent[];
  rename(endpoint: string, newName: string): void;
}

interface EventRow {
  readonly id: number;
  readonly endpoint: string;
  readonly happened_at: number;
  readonly who: string;
  readonly kind: string;
  readonly sentence: string;
  readonly said: string | null;
}

/** Prepares the statements of the table `endpoint_events`. */
export function createEventStore(database: Database): EventStore {
  const insert = database.prepare<[string, number, string, string, string, string], never>(
    'INSERT INTO endpoint_events (endpoint, happened_at, who, kind, sentence, said) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const select = database.prepare<[string, number], EventRow>(
    `SELECT id, endpoint, happened_at, who, kind, sentence, said FROM endpoint_events
     WHERE endpoint = ? ORDER BY id DESC LIMIT ?`,
  );
  const rename = database.prepare<[string, string], never>(
    'UPDATE endpoint_events SET endpoint = ? WHERE endpoint = ?',
  );
  return {
    note({ endpoint, when, who, kind, said }) {
      database.durableTransaction(() =>
        insert.run(endpoint, when, who, kind, say(said), JSON.stringify(said)),
      );
    },
    events: (endpoint, limit) =>
      select.all(endpoint, limit).map(({ happened_at, sentence, said, ...event }) => ({
        ...event,
        when: happened_at,
        said: said === null ? [{ text: sentence }] : readSayingText(said, sentence),
      })),
    rename(endpoint, newName) {
      database.transaction(() => rename.run(newName, endpoint));
    },
  };
}
