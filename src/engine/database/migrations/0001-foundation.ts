/** Tracking, registry and serving as of the first release. Times are UTC milliseconds throughout. */
export const foundation = {
  version: 1,
  sql: `
CREATE TABLE experiments (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  artifact_location TEXT NOT NULL,
  lifecycle_stage TEXT NOT NULL DEFAULT 'active' CHECK (lifecycle_stage IN ('active', 'deleted')),
  creation_time INTEGER NOT NULL,
  last_update_time INTEGER NOT NULL,
  main_metric TEXT,
  main_metric_higher_is_better INTEGER
) STRICT;

CREATE TABLE experiment_tags (
  experiment_id INTEGER NOT NULL REFERENCES experiments ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (experiment_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  run_uuid TEXT NOT NULL UNIQUE,
  experiment_id INTEGER NOT NULL REFERENCES experiments ON DELETE CASCADE,
  name TEXT NOT NULL,
  user_id TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL CHECK (status IN ('RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED')),
  start_time INTEGER NOT NULL,
  end_time INTEGER,
  lifecycle_stage TEXT NOT NULL DEFAULT 'active' CHECK (lifecycle_stage IN ('active', 'deleted')),
  deleted_time INTEGER,
  artifact_uri TEXT NOT NULL,
  -- Copy of the tag mlflow.parentRunId, so that children are found by an index.
  parent_run_uuid TEXT
) STRICT;
CREATE INDEX runs_by_experiment ON runs (experiment_id, lifecycle_stage, start_time DESC, id DESC);
CREATE INDEX runs_by_parent ON runs (parent_run_uuid, start_time DESC, id DESC) WHERE parent_run_uuid IS NOT NULL;
CREATE INDEX runs_by_status ON runs (status, experiment_id) WHERE status = 'RUNNING';

CREATE TABLE parameters (
  run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX parameters_by_key ON parameters (key, value);

CREATE TABLE tags (
  run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX tags_by_key ON tags (key, value);

-- One metric of one run. The latest point is the maximum by (step, timestamp, value), as in MLflow.
CREATE TABLE metric_series (
  id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  key TEXT NOT NULL,
  latest_step INTEGER NOT NULL,
  latest_timestamp INTEGER NOT NULL,
  -- Stands in for NaN with 0, as in the points.
  latest_value REAL NOT NULL,
  latest_is_nan INTEGER NOT NULL,
  point_count INTEGER NOT NULL,
  UNIQUE (run_id, key)
) STRICT;
CREATE INDEX metric_series_by_value ON metric_series (key, latest_is_nan, latest_value);

-- The whole row is the key: logging the same point twice changes nothing. SQLite has no NaN, hence is_nan.
CREATE TABLE metric_points (
  series_id INTEGER NOT NULL REFERENCES metric_series ON DELETE CASCADE,
  step INTEGER NOT NULL,
  timestamp INTEGER NOT NULL,
  value REAL NOT NULL,
  is_nan INTEGER NOT NULL,
  PRIMARY KEY (series_id, step, timestamp, value, is_nan)
) STRICT, WITHOUT ROWID;

-- Metrics as any SQLite tool expects to find them.
CREATE VIEW metrics AS
  SELECT r.run_uuid, s.key, p.step, p.timestamp, CASE p.is_nan WHEN 1 THEN NULL ELSE p.value END AS value, p.is_nan
  FROM metric_points p JOIN metric_series s ON s.id = p.series_id JOIN runs r ON r.id = s.run_id;

CREATE TABLE datasets (
  id INTEGER PRIMARY KEY,
  experiment_id INTEGER NOT NULL REFERENCES experiments ON DELETE CASCADE,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  source_type TEXT NOT NULL,
  source TEXT NOT NULL,
  schema TEXT,
  profile TEXT,
  UNIQUE (experiment_id, name, digest)
) STRICT;

CREATE TABLE run_datasets (
  run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  dataset_id INTEGER NOT NULL REFERENCES datasets ON DELETE CASCADE,
  -- JSON object of the input's tags, such as {"mlflow.data.context": "training"}.
  tags TEXT NOT NULL DEFAULT '{}',
  PRIMARY KEY (run_id, dataset_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE logged_models (
  id INTEGER PRIMARY KEY,
  model_uuid TEXT NOT NULL UNIQUE,
  experiment_id INTEGER NOT NULL REFERENCES experiments ON DELETE CASCADE,
  source_run_id INTEGER REFERENCES runs ON DELETE SET NULL,
  name TEXT NOT NULL,
  model_type TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL CHECK (status IN ('LOGGED_MODEL_PENDING', 'LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED')),
  status_message TEXT NOT NULL DEFAULT '',
  artifact_uri TEXT NOT NULL,
  creation_time INTEGER NOT NULL,
  last_update_time INTEGER NOT NULL,
  lifecycle_stage TEXT NOT NULL DEFAULT 'active' CHECK (lifecycle_stage IN ('active', 'deleted'))
) STRICT;
CREATE INDEX logged_models_by_run ON logged_models (source_run_id);
CREATE INDEX logged_models_by_experiment ON logged_models (experiment_id, lifecycle_stage, creation_time DESC, id DESC);

CREATE TABLE logged_model_parameters (
  model_id INTEGER NOT NULL REFERENCES logged_models ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE logged_model_tags (
  model_id INTEGER NOT NULL REFERENCES logged_models ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model_id, key)
) STRICT, WITHOUT ROWID;

-- The latest of each metric of a model on a dataset; the empty dataset name stands for none.
CREATE TABLE logged_model_metrics (
  model_id INTEGER NOT NULL REFERENCES logged_models ON DELETE CASCADE,
  key TEXT NOT NULL,
  dataset_name TEXT NOT NULL DEFAULT '',
  dataset_digest TEXT NOT NULL DEFAULT '',
  run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  step INTEGER NOT NULL,
  timestamp INTEGER NOT NULL,
  value REAL NOT NULL,
  is_nan INTEGER NOT NULL,
  PRIMARY KEY (model_id, key, dataset_name, dataset_digest, run_id)
) STRICT, WITHOUT ROWID;

-- Logged models that a run used, for example to evaluate them.
CREATE TABLE run_inputs (
  run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  model_uuid TEXT NOT NULL,
  PRIMARY KEY (run_id, model_uuid)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_outputs (
  run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  model_uuid TEXT NOT NULL,
  step INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (run_id, model_uuid, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE registered_models (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL DEFAULT '',
  creation_time INTEGER NOT NULL,
  last_update_time INTEGER NOT NULL
) STRICT;

CREATE TABLE registered_model_tags (
  model_id INTEGER NOT NULL REFERENCES registered_models ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model_id, key)
) STRICT, WITHOUT ROWID;

-- Version numbers are never used again, so a deleted version keeps its row.
CREATE TABLE model_versions (
  id INTEGER PRIMARY KEY,
  model_id INTEGER NOT NULL REFERENCES registered_models ON DELETE CASCADE,
  version INTEGER NOT NULL,
  stage TEXT NOT NULL DEFAULT 'None' CHECK (stage IN ('None', 'Staging', 'Production', 'Archived')),
  deleted INTEGER NOT NULL DEFAULT 0,
  description TEXT NOT NULL DEFAULT '',
  user_id TEXT NOT NULL DEFAULT '',
  source TEXT NOT NULL DEFAULT '',
  storage_location TEXT NOT NULL DEFAULT '',
  run_uuid TEXT,
  run_link TEXT NOT NULL DEFAULT '',
  logged_model_uuid TEXT,
  status TEXT NOT NULL DEFAULT 'READY',
  status_message TEXT NOT NULL DEFAULT '',
  creation_time INTEGER NOT NULL,
  last_update_time INTEGER NOT NULL,
  UNIQUE (model_id, version)
) STRICT;
CREATE INDEX model_versions_by_run ON model_versions (run_uuid);
CREATE INDEX model_versions_by_logged_model ON model_versions (logged_model_uuid);

CREATE TABLE model_version_tags (
  version_id INTEGER NOT NULL REFERENCES model_versions ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (version_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE aliases (
  model_id INTEGER NOT NULL REFERENCES registered_models ON DELETE CASCADE,
  alias TEXT NOT NULL COLLATE NOCASE,
  version INTEGER NOT NULL,
  PRIMARY KEY (model_id, alias)
) STRICT, WITHOUT ROWID;

-- Kept for good: no cascade. A renamed model's rows are renamed with it.
CREATE TABLE stage_transitions (
  id INTEGER PRIMARY KEY,
  model_name TEXT NOT NULL,
  version INTEGER NOT NULL,
  from_stage TEXT NOT NULL,
  to_stage TEXT NOT NULL,
  who TEXT NOT NULL,
  why TEXT NOT NULL,
  transitioned_at INTEGER NOT NULL
) STRICT;
CREATE INDEX stage_transitions_by_model ON stage_transitions (model_name, id DESC);

CREATE TABLE endpoints (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  model_name TEXT NOT NULL,
  model_version INTEGER NOT NULL,
  -- Whether it should run: it is started again after the engine was.
  enabled INTEGER NOT NULL,
  port INTEGER,
  creation_time INTEGER NOT NULL,
  last_update_time INTEGER NOT NULL
) STRICT;

INSERT INTO experiments (id, name, artifact_location, creation_time, last_update_time)
VALUES (0, 'Default', 'mlflow-artifacts:/0', unixepoch() * 1000, unixepoch() * 1000);
`,
} as const;
