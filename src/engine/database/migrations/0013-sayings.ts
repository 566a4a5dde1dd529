/** What happened to endpoints in a form that can be put into any language; `sentence` has it in English. */
export const sayings = {
  version: 13,
  sql: `
-- JSON; null in rows of older versions.
ALTER TABLE endpoint_events ADD COLUMN said TEXT;
`,
} as const;
