import type { Database } from 'better-sqlite3';

/** The tables as `src/protocol/scorer.ts` describes them. */
const schema = `
CREATE TABLE IF NOT EXISTS requests (
  id INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  model_name TEXT,
  -- 0 of a request that was refused before a version was chosen.
  model_version INTEGER NOT NULL,
  variant TEXT NOT NULL DEFAULT 'stable',
  row_count INTEGER NOT NULL,
  status INTEGER NOT NULL,
  latency_us INTEGER NOT NULL,
  inputs TEXT,
  outputs TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS requests_by_time ON requests (received_at);
CREATE TABLE IF NOT EXISTS feedback (
  id INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  truth TEXT,
  reward REAL
) STRICT;
CREATE INDEX IF NOT EXISTS feedback_by_time ON feedback (received_at);
PRAGMA user_version = 2;
`;

/** Of version 1, which knew one model and no variants. */
const fromVersion1 = `
ALTER TABLE requests ADD COLUMN model_name TEXT;
ALTER TABLE requests ADD COLUMN variant TEXT NOT NULL DEFAULT 'stable';
`;

/** Creates the tables of an inference log, or brings an older log up to date; its requests stay. */
export function upgradeInferenceLog(connection: Database): void {
  const upgrade = connection.transaction(() => {
    const version = connection.pragma('user_version', { simple: true });
    if (version === 2) return;
    if (version === 1) connection.exec(fromVersion1);
    connection.exec(schema);
  });
  upgrade.immediate();
}
