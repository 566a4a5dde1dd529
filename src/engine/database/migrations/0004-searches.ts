/** Indices that hold all that a search looks at, so that it reads the rows of its results only. */
export const searches = {
  version: 4,
  sql: `
DROP INDEX metric_series_by_value;
CREATE INDEX metric_series_by_value ON metric_series (key, latest_is_nan, latest_value, run_id);

DROP INDEX runs_by_experiment;
CREATE INDEX runs_by_experiment ON runs (experiment_id, lifecycle_stage, start_time DESC, id DESC, status);
CREATE INDEX runs_by_name ON runs (experiment_id, lifecycle_stage, name);

CREATE INDEX run_datasets_by_dataset ON run_datasets (dataset_id);
`,
} as const;
