import type { ImportedAssessment } from '../../protocol/importing.ts';
import type { Cell, MlflowTables, Row } from './mlflowTables.ts';
import { readAssessment } from './traceParts.ts';

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
export function assessmentsOf(tables: MlflowTables, traceId: string): readonly ImportedAssessment[] {
  return tables
    .rows('assessments', columns, [tables.equals('assessments', 'trace_id'), traceId])
    .toSorted((one, other) => Number(one.created_timestamp) - Number(other.created_timestamp))
    .flatMap((row) => readAssessment(messageOf(row)) ?? []);
}

/** A row as MLflow's message `Assessment`. */
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

/** Null where there is no text, or it is what Python writes and JSON lacks. */
function parse(text: Cell | undefined): unknown {
  if (typeof text !== 'string') return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** As protobuf's JSON has times. */
function timeOf(milliseconds: Cell | undefined): string {
  return new Date(Number(milliseconds ?? 0)).toISOString().replace('.000Z', 'Z');
}
