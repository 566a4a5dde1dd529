/** Deleting a run for good has to find the rows that refer to it without reading whole tables. */
export const removal = {
  version: 7,
  sql: `
CREATE INDEX logged_model_metrics_by_run ON logged_model_metrics (run_id);
CREATE INDEX run_inputs_by_model ON run_inputs (model_uuid);
CREATE INDEX run_outputs_by_model ON run_outputs (model_uuid);
`,
} as const;
