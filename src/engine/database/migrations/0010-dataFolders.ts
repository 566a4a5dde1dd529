/** Runs name folders as well as files, and what is too large to be read through says so. */
export const dataFolders = {
  version: 10,
  sql: `
-- How many files a folder has; null of a file.
ALTER TABLE run_files ADD COLUMN file_count INTEGER;
ALTER TABLE run_files ADD COLUMN is_too_large INTEGER NOT NULL DEFAULT 0 CHECK (is_too_large IN (0, 1));
UPDATE run_files SET is_too_large = 1 WHERE digest IS NULL AND size > 2147483648;
`,
} as const;
