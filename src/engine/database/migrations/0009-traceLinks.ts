/** Links of traces to runs name both by their ids: a trace may be linked before it is recorded. */
export const traceLinks = {
  version: 9,
  sql: `
CREATE TABLE linked_runs (
  trace_uuid TEXT NOT NULL,
  run_uuid TEXT NOT NULL,
  PRIMARY KEY (trace_uuid, run_uuid)
) STRICT, WITHOUT ROWID;
INSERT INTO linked_runs
  SELECT t.trace_uuid, l.run_uuid FROM trace_runs l JOIN traces t ON t.id = l.trace_id
  WHERE l.run_uuid IN (SELECT run_uuid FROM runs);
DROP TABLE trace_runs;
ALTER TABLE linked_runs RENAME TO trace_runs;
CREATE INDEX trace_runs_by_run ON trace_runs (run_uuid);
CREATE TRIGGER traces_removed AFTER DELETE ON traces BEGIN
  DELETE FROM trace_runs WHERE trace_uuid = OLD.trace_uuid;
END;
CREATE TRIGGER runs_removed AFTER DELETE ON runs BEGIN
  DELETE FROM trace_runs WHERE run_uuid = OLD.run_uuid;
END;
`,
} as const;
