/**
 * Points of metrics that are read in order of time as fast as in order of step, and written faster; and all points of
 * the metrics of logged models, where only the latest were kept.
 */
export const metricPoints = {
  version: 3,
  sql: `
DROP VIEW metrics;

-- How far the points go that came in order, neither with an earlier step nor at an earlier time than one before.
ALTER TABLE metric_series ADD COLUMN ordered_step INTEGER NOT NULL DEFAULT -9223372036854775808;
ALTER TABLE metric_series ADD COLUMN ordered_timestamp INTEGER NOT NULL DEFAULT -9223372036854775808;

-- The whole row but is_late is the key: logging the same point twice changes nothing. SQLite has no NaN, hence is_nan.
-- Points in order stand in the same order by step and by time; the others have an index for their order by time.
-- The series of a point is no foreign key, as that would be looked up for every point; a trigger does its work.
CREATE TABLE points (
  series_id INTEGER NOT NULL,
  step INTEGER NOT NULL,
  timestamp INTEGER NOT NULL,
  value REAL NOT NULL,
  is_nan INTEGER NOT NULL,
  is_late INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (series_id, step, timestamp, value, is_nan)
) STRICT, WITHOUT ROWID;
INSERT INTO points
  SELECT series_id, step, timestamp, value, is_nan,
    timestamp < MAX(timestamp) OVER (PARTITION BY series_id ORDER BY step, timestamp, value, is_nan)
  FROM metric_points ORDER BY series_id, step, timestamp, value, is_nan;
DROP TABLE metric_points;
ALTER TABLE points RENAME TO metric_points;
CREATE INDEX late_metric_points ON metric_points (series_id, timestamp, step, value, is_nan) WHERE is_late = 1;
CREATE TRIGGER metric_series_removed AFTER DELETE ON metric_series BEGIN
  DELETE FROM metric_points WHERE series_id = OLD.id;
END;
UPDATE metric_series SET
  ordered_step = COALESCE((SELECT MAX(step) FROM metric_points WHERE series_id = id AND is_late = 0), ordered_step),
  ordered_timestamp =
    COALESCE((SELECT MAX(timestamp) FROM metric_points WHERE series_id = id AND is_late = 0), ordered_timestamp);

CREATE VIEW metrics AS
  SELECT r.run_uuid, s.key, p.step, p.timestamp, CASE p.is_nan WHEN 1 THEN NULL ELSE p.value END AS value, p.is_nan
  FROM metric_points p JOIN metric_series s ON s.id = p.series_id JOIN runs r ON r.id = s.run_id;

-- Metrics of a model on a dataset; the empty dataset name stands for none. The whole row is the key.
CREATE TABLE model_metrics (
  model_id INTEGER NOT NULL REFERENCES logged_models ON DELETE CASCADE,
  key TEXT NOT NULL,
  dataset_name TEXT NOT NULL DEFAULT '',
  dataset_digest TEXT NOT NULL DEFAULT '',
  run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  step INTEGER NOT NULL,
  timestamp INTEGER NOT NULL,
  value REAL NOT NULL,
  is_nan INTEGER NOT NULL,
  PRIMARY KEY (model_id, key, dataset_name, dataset_digest, run_id, step, timestamp, value, is_nan)
) STRICT, WITHOUT ROWID;
INSERT INTO model_metrics SELECT * FROM logged_model_metrics;
DROP TABLE logged_model_metrics;
ALTER TABLE model_metrics RENAME TO logged_model_metrics;
`,
} as const;
