/** How new versions come into endpoints, what happened to endpoints, and which version each of their choices named last. */
export const rollouts = {
  version: 12,
  sql: `
CREATE TABLE rollouts (
  id INTEGER PRIMARY KEY,
  endpoint TEXT NOT NULL,
  model_name TEXT NOT NULL,
  stable_version INTEGER NOT NULL,
  candidate_version INTEGER NOT NULL,
  who TEXT NOT NULL,
  why TEXT NOT NULL,
  -- JSON.
  plan TEXT NOT NULL,
  -- JSON; null while the candidate is being loaded.
  progress TEXT,
  -- JSON: what both versions were asked since the step began.
  traffic TEXT NOT NULL,
  state TEXT NOT NULL,
  started_at INTEGER NOT NULL
) STRICT;
CREATE INDEX rollouts_by_endpoint ON rollouts (endpoint, id DESC);

CREATE TABLE endpoint_events (
  id INTEGER PRIMARY KEY,
  endpoint TEXT NOT NULL,
  happened_at INTEGER NOT NULL,
  who TEXT NOT NULL,
  kind TEXT NOT NULL,
  sentence TEXT NOT NULL
) STRICT;
CREATE INDEX endpoint_events_by_endpoint ON endpoint_events (endpoint, id DESC);

CREATE TABLE endpoint_choices (
  endpoint TEXT NOT NULL,
  -- 'stable', 'candidate' or 'shadow'.
  role TEXT NOT NULL,
  -- What chooses the version, as JSON: a stage or an alias.
  choice TEXT NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (endpoint, role)
) STRICT;
`,
} as const;
