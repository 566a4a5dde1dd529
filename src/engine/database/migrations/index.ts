import { foundation } from './0001-foundation.ts';

/** A numbered, forward-only change of the schema. */
export interface Migration {
  readonly version: number;
  readonly sql: string;
}

/** All migrations in order. A released one is never edited. */
export const migrations: readonly Migration[] = [foundation];
