/** A logged model may name, as the run that made it, one that this store does not have. */
export const foreignSourceRuns = {
  version: 8,
  sql: 'ALTER TABLE logged_models ADD COLUMN foreign_run_uuid TEXT;',
};
