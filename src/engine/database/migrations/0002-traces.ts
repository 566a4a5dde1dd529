/** Traces, their spans and assessments. Times are UTC milliseconds. */
export const traces = {
  version: 2,
  sql: `
CREATE TABLE traces (
  id INTEGER PRIMARY KEY,
  trace_uuid TEXT NOT NULL UNIQUE,
  experiment_id INTEGER NOT NULL REFERENCES experiments ON DELETE CASCADE,
  request_time INTEGER NOT NULL,
  -- Milliseconds; null while it has not ended.
  execution_duration INTEGER,
  state TEXT NOT NULL CHECK (state IN ('STATE_UNSPECIFIED', 'OK', 'ERROR', 'IN_PROGRESS')),
  client_request_id TEXT,
  request_preview TEXT,
  response_preview TEXT
) STRICT;
CREATE INDEX traces_by_experiment ON traces (experiment_id, request_time DESC, trace_uuid);

CREATE TABLE trace_tags (
  trace_id INTEGER NOT NULL REFERENCES traces ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (trace_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX trace_tags_by_key ON trace_tags (key, value);

CREATE TABLE trace_metadata (
  trace_id INTEGER NOT NULL REFERENCES traces ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (trace_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX trace_metadata_by_key ON trace_metadata (key, value);

-- Runs that a trace was linked to afterwards; the run that it was made in is the metadata mlflow.sourceRun.
CREATE TABLE trace_runs (
  trace_id INTEGER NOT NULL REFERENCES traces ON DELETE CASCADE,
  run_uuid TEXT NOT NULL,
  PRIMARY KEY (trace_id, run_uuid)
) STRICT, WITHOUT ROWID;
CREATE INDEX trace_runs_by_run ON trace_runs (run_uuid);

-- Versions of prompts that a trace used, as name/version.
CREATE TABLE trace_prompts (
  trace_id INTEGER NOT NULL REFERENCES traces ON DELETE CASCADE,
  prompt TEXT NOT NULL,
  PRIMARY KEY (trace_id, prompt)
) STRICT, WITHOUT ROWID;
CREATE INDEX trace_prompts_by_prompt ON trace_prompts (prompt);

-- What searches ask of spans; all of them is in the trace's file traces.json among the artifacts.
CREATE TABLE trace_spans (
  trace_id INTEGER NOT NULL REFERENCES traces ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  status TEXT NOT NULL,
  -- JSON object from an attribute's name to its value: a text as it stands, anything else as JSON text.
  attributes TEXT NOT NULL,
  PRIMARY KEY (trace_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX trace_spans_by_name ON trace_spans (name);

CREATE TABLE trace_assessments (
  id INTEGER PRIMARY KEY,
  trace_id INTEGER NOT NULL REFERENCES traces ON DELETE CASCADE,
  assessment_uuid TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('feedback', 'expectation', 'issue')),
  -- JSON text of the value.
  value TEXT NOT NULL,
  -- 0 when another assessment overrides it.
  valid INTEGER NOT NULL,
  -- The assessment as the JSON of MLflow's messages.
  content TEXT NOT NULL,
  UNIQUE (trace_id, assessment_uuid)
) STRICT;
CREATE INDEX trace_assessments_by_name ON trace_assessments (name, kind);
`,
} as const;
