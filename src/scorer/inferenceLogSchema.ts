import type { Database } from 'better-sqlite3';

const currentVersion = 3;

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
  -- Of rows from before version 3.
  inputs TEXT,
  outputs TEXT,
  layout INTEGER,
  packed BLOB
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
CREATE TABLE IF NOT EXISTS layouts (
  id INTEGER PRIMARY KEY,
  description TEXT NOT NULL UNIQUE
) STRICT;
PRAGMA user_version = ${currentVersion};
`;

/** Version 1 knew one model and no variants. */
const fromVersion1 = `
ALTER TABLE requests ADD COLUMN model_name TEXT;
ALTER TABLE requests ADD COLUMN variant TEXT NOT NULL DEFAULT 'stable';
`;

/** Version 2 kept values as JSON text. */
const fromVersion2 = `
ALTER TABLE requests ADD COLUMN layout INTEGER;
ALTER TABLE requests ADD COLUMN packed BLOB;
`;

/** Creates the tables of an inference log, or brings an older log up to date; its requests stay. */
export function upgradeInferenceLog(connection: Database): void {
  const upgrade = connection.transaction(() => {
    const version = connection.pragma('user_version', { simple: true });
    if (version === currentVersion) return;
    if (version === 1) connection.exec(fromVersion1);
    if (version === 1 || version === 2) connection.exec(fromVersion2);
    connection.exec(schema);
  });
  upgrade.immediate();
}
