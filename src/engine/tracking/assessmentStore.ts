import { z } from 'zod';
import type { Assessment, AssessmentKind } from '../../protocol/assessment.ts';
import type { Database } from '../database/connection.ts';

interface AssessmentRow {
  readonly trace_id: number;
  readonly assessment_uuid: string;
  readonly name: string;
  readonly kind: AssessmentKind;
  readonly value: string;
  readonly valid: number;
  readonly content: string;
}

export interface AssessmentStore {
  /** The assessments of the traces in a JSON list of keys, by key, in the order in which they were made. */
  ofTraces(keys: string): ReadonlyMap<number, readonly Assessment[]>;
  find(trace: number, assessmentId: string): Assessment | null;
  /** Takes the place of one with the same id. */
  put(trace: number, assessment: Assessment): void;
  /** False when there is no such assessment. */
  setValid(trace: number, assessmentId: string, valid: boolean): boolean;
  delete(trace: number, assessmentId: string): void;
}

/** All SQL of the assessments of traces. */
export function createAssessmentStore(database: Database): AssessmentStore {
  const columns = 'trace_id, assessment_uuid, name, kind, value, valid, content';
  const ofTraces = database.prepare<[string], AssessmentRow>(
    `SELECT ${columns} FROM trace_assessments WHERE trace_id IN (SELECT value FROM json_each(?)) ORDER BY id`,
  );
  const find = database.prepare<[number, string], AssessmentRow>(
    `SELECT ${columns} FROM trace_assessments WHERE trace_id = ? AND assessment_uuid = ?`,
  );
  const put = database.prepare<
    [number, string, string, AssessmentKind, string, number, string],
    AssessmentRow
  >(
    `INSERT INTO trace_assessments (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET name = excluded.name, kind = excluded.kind, value = excluded.value,
       valid = excluded.valid, content = excluded.content`,
  );
  const setValid = database.prepare<[number, number, string], never>(
    'UPDATE trace_assessments SET valid = ? WHERE trace_id = ? AND assessment_uuid = ?',
  );
  const remove = database.prepare<[number, string], never>(
    'DELETE FROM trace_assessments WHERE trace_id = ? AND assessment_uuid = ?',
  );

  return {
    ofTraces(keys) {
      const rows = Map.groupBy(ofTraces.all(keys), ({ trace_id }) => trace_id);
      return new Map([...rows].map(([key, found]) => [key, found.map(toAssessment)]));
    },
    find(trace, assessmentId) {
      const row = find.get(trace, assessmentId);
      return row ? toAssessment(row) : null;
    },
    put(trace, { assessmentId, name, kind, value, valid, fields }) {
      const [text, content] = [JSON.stringify(value ?? null), JSON.stringify(fields)];
      put.run(trace, assessmentId, name, kind, text, valid ? 1 : 0, content);
    },
    setValid: (trace, assessmentId, valid) => setValid.run(valid ? 1 : 0, trace, assessmentId).changes > 0,
    delete: (trace, assessmentId) => void remove.run(trace, assessmentId),
  };
}

const fieldsSchema = z.record(z.string(), z.unknown());

function toAssessment(row: AssessmentRow): Assessment {
  return {
    assessmentId: row.assessment_uuid,
    name: row.name,
    kind: row.kind,
    value: JSON.parse(row.value),
    valid: row.valid === 1,
    fields: fieldsSchema.parse(JSON.parse(row.content)),
  };
}
