/** Indices for traces that a search must not look for among all of an experiment: few failed, and few have one id. */
export const traceSearches = {
  version: 11,
  sql: `
CREATE INDEX traces_by_state ON traces (experiment_id, state) WHERE state <> 'OK';
CREATE INDEX traces_by_client_request ON traces (client_request_id) WHERE client_request_id IS NOT NULL;
`,
} as const;
