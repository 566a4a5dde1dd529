/** What runs were made of: the programs that logged them, their code, their machine and their data. */
export const provenance = {
  version: 5,
  sql: `
-- Large texts that many runs have in common, each kept once.
CREATE TABLE provenance_texts (
  id INTEGER PRIMARY KEY,
  -- SHA-256 of the content.
  digest TEXT NOT NULL UNIQUE,
  content TEXT NOT NULL
) STRICT;

-- A process that logs runs. Until it has told of itself, only its id is known.
CREATE TABLE programs (
  id INTEGER PRIMARY KEY,
  program_uuid TEXT NOT NULL UNIQUE,
  -- JSON as the program told it.
  report TEXT,
  packages_id INTEGER REFERENCES provenance_texts,
  machine_id INTEGER REFERENCES provenance_texts,
  creation_time INTEGER NOT NULL
) STRICT;
CREATE INDEX programs_by_packages ON programs (packages_id);
CREATE INDEX programs_by_machine ON programs (machine_id);

CREATE TABLE run_programs (
  run_uuid TEXT PRIMARY KEY REFERENCES runs (run_uuid) ON DELETE CASCADE,
  program_id INTEGER NOT NULL REFERENCES programs,
  -- JSON of the state of the repository; null when there is none, or it was not looked at yet.
  code TEXT,
  changes_id INTEGER REFERENCES provenance_texts
) STRICT, WITHOUT ROWID;
CREATE INDEX run_programs_by_program ON run_programs (program_id);
CREATE INDEX run_programs_by_changes ON run_programs (changes_id);

CREATE TABLE run_files (
  run_uuid TEXT NOT NULL REFERENCES runs (run_uuid) ON DELETE CASCADE,
  path TEXT NOT NULL,
  origin TEXT NOT NULL CHECK (origin IN ('argument', 'dataset')),
  size INTEGER NOT NULL,
  -- SHA-256; null when the file was too large or could not be read.
  digest TEXT,
  PRIMARY KEY (run_uuid, path)
) STRICT, WITHOUT ROWID;

-- A text goes with the last that refers to it.
CREATE TRIGGER run_programs_removed AFTER DELETE ON run_programs BEGIN
  DELETE FROM provenance_texts WHERE id = OLD.changes_id
    AND NOT EXISTS (SELECT 1 FROM run_programs WHERE changes_id = OLD.changes_id);
END;
CREATE TRIGGER programs_removed AFTER DELETE ON programs BEGIN
  DELETE FROM provenance_texts WHERE id IN (OLD.packages_id, OLD.machine_id)
    AND NOT EXISTS (SELECT 1 FROM programs p WHERE p.packages_id = provenance_texts.id)
    AND NOT EXISTS (SELECT 1 FROM programs p WHERE p.machine_id = provenance_texts.id);
END;
`,
} as const;
