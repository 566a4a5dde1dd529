/** What was imported from where, and how far. */
export const imports = {
  version: 6,
  sql: `
CREATE TABLE import_sources (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  -- Absolute.
  path TEXT NOT NULL,
  first_import_time INTEGER NOT NULL,
  UNIQUE (kind, path)
) STRICT;

-- Into which experiment the runs of an experiment of the source go.
CREATE TABLE import_experiments (
  source_id INTEGER NOT NULL REFERENCES import_sources ON DELETE CASCADE,
  source_experiment_id TEXT NOT NULL,
  experiment_id INTEGER NOT NULL REFERENCES experiments ON DELETE CASCADE,
  PRIMARY KEY (source_id, source_experiment_id)
) STRICT, WITHOUT ROWID;

-- Parts of a source, such as its runs, that were imported completely, and what they looked like.
CREATE TABLE import_parts (
  source_id INTEGER NOT NULL REFERENCES import_sources ON DELETE CASCADE,
  key TEXT NOT NULL,
  state TEXT NOT NULL,
  run_uuid TEXT,
  PRIMARY KEY (source_id, key)
) STRICT, WITHOUT ROWID;

-- What fields were when they were imported, as a JSON object of digests, so that a change there can be told from one here.
CREATE TABLE import_marks (
  source_id INTEGER NOT NULL REFERENCES import_sources ON DELETE CASCADE,
  subject TEXT NOT NULL,
  marks TEXT NOT NULL,
  PRIMARY KEY (source_id, subject)
) STRICT, WITHOUT ROWID;

-- What was not taken, by the part in which it lies; the empty part is the one that is being read.
CREATE TABLE import_omissions (
  id INTEGER PRIMARY KEY,
  source_id INTEGER NOT NULL REFERENCES import_sources ON DELETE CASCADE,
  part TEXT NOT NULL,
  subject TEXT NOT NULL,
  reason TEXT NOT NULL,
  -- JSON object of the values of the reason's text.
  details TEXT NOT NULL
) STRICT;
CREATE INDEX import_omissions_by_part ON import_omissions (source_id, part);
`,
} as const;
