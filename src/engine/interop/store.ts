import type { ImportKind, ImportOmission, OmissionReason } from '../../protocol/importing.ts';
import type { Database } from '../database/connection.ts';

/** Something that was not taken, as it is told. */
export type Omission = Omit<ImportOmission, 'type'>;

export interface ImportSourceStore {
  /** The key of a source; it is noted the first time. */
  source(kind: ImportKind, path: string, now: number): number;
  findSource(kind: ImportKind, path: string): number | null;
  /** States of the parts that were imported completely, by key; without those whose run is no longer here. */
  parts(source: number): Map<string, string>;
  setPart(source: number, key: string, state: string, runId: string | null): void;
  /** The experiment into which the runs of an experiment of the source go; null when it is not known, or gone. */
  experiment(source: number, sourceExperimentId: string): string | null;
  setExperiment(source: number, sourceExperimentId: string, experimentId: string): void;
  marks(source: number, subject: string): Readonly<Record<string, string>>;
  setMarks(source: number, subject: string, marks: Readonly<Record<string, string>>): void;
  /** Adds an omission to the part that is being read. */
  addOmission(source: number, omission: Omission): void;
  /** Makes the omissions of the part that was being read those of `part`, in place of those it had. */
  closePart(source: number, part: string): void;
  /** Forgets the omissions of a part that was not read to its end. */
  dropOpenPart(source: number): void;
  omissionCount(source: number): number;
  /** In the order in which they were met. */
  omissions(source: number, limit: number): readonly Omission[];
}

/** All SQL of what was imported from where. */
export function createImportSourceStore(database: Database): ImportSourceStore {
  const insertSource = database.prepare<[string, string, number], never>(
    `INSERT INTO import_sources (kind, path, first_import_time) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const findSource = database.prepare<[string, string], { readonly id: number }>(
    'SELECT id FROM import_sources WHERE kind = ? AND path = ?',
  );
  const parts = database.prepare<[number], { readonly key: string; readonly state: string }>(
    `SELECT key, state FROM import_parts p WHERE source_id = ?
       AND (run_uuid IS NULL OR EXISTS (SELECT 1 FROM runs r WHERE r.run_uuid = p.run_uuid))`,
  );
  const setPart = database.prepare<[number, string, string, string | null], never>(
    `INSERT INTO import_parts (source_id, key, state, run_uuid) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET state = excluded.state, run_uuid = excluded.run_uuid
     WHERE state <> excluded.state OR run_uuid IS NOT excluded.run_uuid`,
  );
  const experiment = database.prepare<[number, string], { readonly experiment_id: number }>(
    'SELECT experiment_id FROM import_experiments WHERE source_id = ? AND source_experiment_id = ?',
  );
  const setExperiment = database.prepare<[number, string, number], never>(
    `INSERT INTO import_experiments (source_id, source_experiment_id, experiment_id) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET experiment_id = excluded.experiment_id WHERE experiment_id <> excluded.experiment_id`,
  );
  const marks = database.prepare<[number, string], { readonly marks: string }>(
    'SELECT marks FROM import_marks WHERE source_id = ? AND subject = ?',
  );
  const setMarks = database.prepare<[number, string, string], never>(
    `INSERT INTO import_marks (source_id, subject, marks) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET marks = excluded.marks WHERE marks <> excluded.marks`,
  );
  const addOmission = database.prepare<[number, string, string, string], never>(
    `INSERT INTO import_omissions (source_id, part, subject, reason, details) VALUES (?, '', ?, ?, ?)`,
  );
  const dropPart = database.prepare<[number, string], never>(
    'DELETE FROM import_omissions WHERE source_id = ? AND part = ?',
  );
  const closePart = database.prepare<[string, number], never>(
    `UPDATE import_omissions SET part = ? WHERE source_id = ? AND part = ''`,
  );
  const omissionCount = database.prepare<[number], { readonly count: number }>(
    'SELECT count(*) AS count FROM import_omissions WHERE source_id = ?',
  );
  const omissions = database.prepare<
    [number, number],
    { readonly subject: string; readonly reason: OmissionReason; readonly details: string }
  >('SELECT subject, reason, details FROM import_omissions WHERE source_id = ? ORDER BY id LIMIT ?');

  const find = (kind: ImportKind, path: string) => findSource.get(kind, path)?.id ?? null;

  return {
    source(kind, path, now) {
      const found = find(kind, path);
      if (found !== null) return found;
      insertSource.run(kind, path, now);
      return find(kind, path) ?? 0;
    },
    findSource: find,
    parts: (source) => new Map(parts.all(source).map(({ key, state }) => [key, state])),
    setPart: (source, key, state, runId) => void setPart.run(source, key, state, runId),
    experiment(source, sourceExperimentId) {
      const row = experiment.get(source, sourceExperimentId);
      return row ? String(row.experiment_id) : null;
    },
    setExperiment: (source, sourceExperimentId, experimentId) =>
      void setExperiment.run(source, sourceExperimentId, Number(experimentId)),
    marks: (source, subject) => JSON.parse(marks.get(source, subject)?.marks ?? '{}'),
    setMarks: (source, subject, value) => void setMarks.run(source, subject, JSON.stringify(value)),
    addOmission: (source, { subject, reason, values }) =>
      void addOmission.run(source, subject, reason, JSON.stringify(values)),
    closePart(source, part) {
      dropPart.run(source, part);
      closePart.run(part, source);
    },
    dropOpenPart: (source) => void dropPart.run(source, ''),
    omissionCount: (source) => omissionCount.get(source)?.count ?? 0,
    omissions: (source, limit) =>
      omissions
        .all(source, limit)
        .map(({ subject, reason, details }) => ({ subject, reason, values: JSON.parse(details) })),
  };
}
