import type { Cell, MlflowTables, Row } from './mlflowTables.ts';
import { type ReadAssessments, readAssessments } from './traceParts.ts';
import { parsePythonJson } from './tracker/nestedValues.ts';

const columns = [
  'assessment_id',
  'name',
  'assessment_type',
  'value',
  'error',
  'created_timestamp',
  'last_updated_timestamp',
  'source_type',
  'source_id',
  'span_id',
  'rationale',
  'overrides',
  'valid',
  'assessment_metadata',
];

/** What people and judges think of a trace, in the order in which they said it. */
export function readStoredAssessments(tables: MlflowTables, traceId: string): ReadAssessments {
  const rows = tables
    .rows('assessments', columns, [tables.equals('assessments', 'trace_id'), traceId])
    .toSorted((one, other) => Number(one.created_timestamp) - Number(other.created_timestamp));
  const sources = rows.map((row) => ({ name: String(row.assessment_id), read: () => messageOf(row) }));
  return readAssessments(traceId, sources);
}

/** A row as MLflow's message `Assessment`. @throws Error with the reason when it cannot be one. */
function messageOf(row: Row): object {
  return {
    assessment_id: row.assessment_id,
    assessment_name: row.name,
    source: { source_type: row.source_type, source_id: row.source_id ?? 'default' },
    create_time: timeOf(row.created_timestamp),
    last_update_time: timeOf(row.last_updated_timestamp),
    span_id: row.span_id,
    rationale: row.rationale,
    overrides: row.overrides,
    valid: row.valid !== 0,
    metadata: parse(row.assessment_metadata),
    ...judgementOf(row),
  };
}

function judgementOf({ assessment_type: kind, value: text, error }: Row): object {
  const value = parse(text);
  if (kind === 'issue') return { issue: value };
  if (kind !== 'expectation') return { feedback: { value, error: parse(error) ?? undefined } };
  if (typeof value !== 'object' || value === null) return { expectation: { value } };
  return { expectation: { serialized_value: { serialization_format: 'JSON_FORMAT', value: text } } };
}

/** Null where there is no text. */
function parse(text: Cell | undefined): unknown {
  return typeof text === 'string' ? parsePythonJson(text) : null;
}

/** As protobuf's JSON has times. */
function timeOf(milliseconds: Cell | undefined): string {
  return new Date(Number(milliseconds ?? 0)).toISOString().replace('.000Z', 'Z');
}
