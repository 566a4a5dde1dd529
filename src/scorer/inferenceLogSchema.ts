import type { Database } from 'better-sqlite3';
import { inferenceLogVersion } from '../protocol/inferenceLogTables.ts';

/** The tables as `src/protocol/inferenceLogTables.ts` describes them. What is long comes last: what stands before it is read without it. */
const schema = `
CREATE TABLE blocks (
  id INTEGER PRIMARY KEY,
  request_count INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  first_row_at INTEGER,
  last_row_at INTEGER,
  variants TEXT NOT NULL,
  request_ids TEXT NOT NULL,
  heads BLOB NOT NULL,
  tensors BLOB NOT NULL
) STRICT;
CREATE INDEX blocks_by_time ON blocks (last_at);
CREATE TABLE models (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  layout TEXT NOT NULL,
  UNIQUE (name, version, layout)
) STRICT;
CREATE TABLE IF NOT EXISTS feedback (
  id INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  truth TEXT,
  reward REAL
) STRICT;
CREATE INDEX IF NOT EXISTS feedback_by_time ON feedback (received_at);
PRAGMA user_version = ${inferenceLogVersion};
`;

/**
 * Creates the tables of an inference log. The requests of a log that was begun before the first release of Slipway, which
 * had a row for each, are deleted.
 *
 * @returns how many were.
 * @throws Error when it is of a later version.
 */
export function prepareInferenceLog(connection: Database): number {
  const prepare = connection.transaction(() => {
    const version = Number(connection.pragma('user_version', { simple: true }));
    if (version === inferenceLogVersion) return 0;
    if (version > inferenceLogVersion) throw new Error('It was written by a newer Slipway.');
    const deleted =
      version === 0 ? 0 : Number(connection.prepare('SELECT count(*) FROM requests').pluck().get());
    connection.exec(`DROP TABLE IF EXISTS requests; DROP TABLE IF EXISTS layouts; ${schema}`);
    return deleted;
  });
  return prepare.immediate();
}
