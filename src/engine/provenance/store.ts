import type { DataFile } from '../../protocol/provenance.ts';
import type { Database } from '../database/connection.ts';

/** A program as it was kept. Texts are JSON, and null as long as they are not known. */
export interface ProgramRow {
  readonly report: string | null;
  readonly packages: string | null;
  readonly machine: string | null;
}

/** What is kept of a run. */
export interface RunProgramRow extends ProgramRow {
  readonly code: string | null;
  readonly changes: string | null;
}

interface FileRow extends Omit<DataFile, 'isTooLarge'> {
  readonly isTooLarge: number;
}

export interface ProvenanceStore {
  /** Keeps what a program told of itself, whether it is known already or not. */
  setReport(programId: string, report: string): void;
  /** Null when it has told nothing yet. */
  report(programId: string): string | null;
  setSurroundings(programId: string, packages: string, machine: string): void;
  /** A program that has told nothing yet is remembered by its id. A run keeps its first program. */
  linkRun(runId: string, programId: string): void;
  /** Null when the run was made by no known program. */
  programOfRun(runId: string): string | null;
  setCode(runId: string, code: string, changes: string | null): void;
  /** A file or folder that is known of the run already stays as it was. */
  addFile(runId: string, file: DataFile): void;
  run(runId: string): RunProgramRow | null;
  files(runId: string): readonly DataFile[];
  /** Forgets programs that were seen before that time (UTC milliseconds) and have no runs. */
  forgetIdlePrograms(before: number): void;
}

/** All SQL of provenance. `digestOf` names a text. */
export function createProvenanceStore(
  database: Database,
  digestOf: (text: string) => string,
): ProvenanceStore {
  const insertProgram = database.prepare<[string, number], never>(
    'INSERT INTO programs (program_uuid, creation_time) VALUES (?, ?) ON CONFLICT DO NOTHING',
  );
  const setReport = database.prepare<[string, string], never>(
    'UPDATE programs SET report = ? WHERE program_uuid = ?',
  );
  const report = database.prepare<[string], { readonly report: string | null }>(
    'SELECT report FROM programs WHERE program_uuid = ?',
  );
  const insertText = database.prepare<[string, string], never>(
    'INSERT INTO provenance_texts (digest, content) VALUES (?, ?) ON CONFLICT DO NOTHING',
  );
  const textKey = database.prepare<[string], { readonly id: number }>(
    'SELECT id FROM provenance_texts WHERE digest = ?',
  );
  const setSurroundings = database.prepare<[number, number, string], never>(
    'UPDATE programs SET packages_id = ?, machine_id = ? WHERE program_uuid = ?',
  );
  const linkRun = database.prepare<[string, string, string], never>(
    `INSERT INTO run_programs (run_uuid, program_id)
     SELECT ?, id FROM programs WHERE program_uuid = ? AND EXISTS (SELECT 1 FROM runs WHERE run_uuid = ?)
     ON CONFLICT DO NOTHING`,
  );
  const programOfRun = database.prepare<[string], { readonly program_uuid: string }>(
    'SELECT p.program_uuid FROM run_programs r JOIN programs p ON p.id = r.program_id WHERE r.run_uuid = ?',
  );
  const setCode = database.prepare<[string, number | null, string], never>(
    'UPDATE run_programs SET code = ?, changes_id = ? WHERE run_uuid = ?',
  );
  const addFile = database.prepare<
    [string, string, number, number | null, string | null, number, string],
    never
  >(
    `INSERT INTO run_files (run_uuid, path, origin, size, file_count, digest, is_too_large)
     SELECT run_uuid, ?, ?, ?, ?, ?, ? FROM runs WHERE run_uuid = ? ON CONFLICT DO NOTHING`,
  );
  const run = database.prepare<[string], RunProgramRow>(
    `SELECT p.report, packages.content AS packages, machine.content AS machine, r.code, changes.content AS changes
     FROM run_programs r JOIN programs p ON p.id = r.program_id
       LEFT JOIN provenance_texts packages ON packages.id = p.packages_id
       LEFT JOIN provenance_texts machine ON machine.id = p.machine_id
       LEFT JOIN provenance_texts changes ON changes.id = r.changes_id
     WHERE r.run_uuid = ?`,
  );
  const files = database.prepare<[string], FileRow>(
    `SELECT path, origin, size, file_count AS fileCount, digest, is_too_large AS isTooLarge
     FROM run_files WHERE run_uuid = ? ORDER BY origin DESC, path`,
  );
  const forgetIdlePrograms = database.prepare<[number], never>(
    `DELETE FROM programs WHERE creation_time < ?
       AND NOT EXISTS (SELECT 1 FROM run_programs r WHERE r.program_id = programs.id)`,
  );

  const keepText = (content: string): number => {
    const digest = digestOf(content);
    insertText.run(digest, content);
    // Just inserted, or there before.
    return textKey.get(digest)?.id ?? 0;
  };

  return {
    setReport: (programId, text) =>
      database.transaction(() => {
        insertProgram.run(programId, Date.now());
        setReport.run(text, programId);
      }),
    report: (programId) => report.get(programId)?.report ?? null,
    setSurroundings: (programId, packages, machine) =>
      database.transaction(() => {
        setSurroundings.run(keepText(packages), keepText(machine), programId);
      }),
    linkRun: (runId, programId) =>
      database.transaction(() => {
        insertProgram.run(programId, Date.now());
        linkRun.run(runId, programId, runId);
      }),
    programOfRun: (runId) => programOfRun.get(runId)?.program_uuid ?? null,
    setCode: (runId, code, changes) =>
      database.transaction(() => {
        // A text that nothing refers to would stay for ever.
        if (programOfRun.get(runId) === undefined) return;
        setCode.run(code, changes === null ? null : keepText(changes), runId);
      }),
    addFile: (runId, { path, origin, size, fileCount, digest, isTooLarge }) =>
      database.transaction(() => {
        addFile.run(path, origin, size, fileCount, digest, isTooLarge ? 1 : 0, runId);
      }),
    run: (runId) => run.get(runId) ?? null,
    files: (runId) => files.all(runId).map((row) => ({ ...row, isTooLarge: row.isTooLarge === 1 })),
    forgetIdlePrograms: (before) =>
      database.transaction(() => {
        forgetIdlePrograms.run(before);
      }),
  };
}
