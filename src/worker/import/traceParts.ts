import type { ImportedAssessment, ImportedTrace } from '../../protocol/importing.ts';

export const artifactLocationTag = 'mlflow.artifactLocation';
/** The file with the spans of a trace, among its artifacts. */
export const spansFile = 'traces.json';

/** TraceState in service.proto. MLflow 2 has no other names for those that count. */
export function traceStateOf(text: string | null): ImportedTrace['state'] {
  return text === 'OK' || text === 'ERROR' || text === 'IN_PROGRESS' ? text : 'STATE_UNSPECIFIED';
}

/** The fields of MLflow's message `Assessment` that are kept as they are. */
const keptFields = [
  'source',
  'span_id',
  'create_time',
  'last_update_time',
  'rationale',
  'metadata',
  'overrides',
];
const kinds = ['feedback', 'expectation', 'issue'] as const;

/** An assessment in the JSON form of MLflow's message `Assessment`; null when it is none. */
export function readAssessment(message: unknown): ImportedAssessment | null {
  const fields = recordOf(message);
  const { assessment_id: assessmentId, assessment_name: name, valid } = fields;
  const kind = kinds.find((known) => isRecord(fields[known]));
  if (typeof assessmentId !== 'string' || typeof name !== 'string' || kind === undefined) return null;
  const judgement = recordOf(fields[kind]);
  const kept = keptFields.filter((field) => fields[field] !== undefined && fields[field] !== null);
  return {
    assessmentId,
    name,
    kind,
    value: valueIn(judgement),
    valid: valid !== false,
    fields: { ...Object.fromEntries(kept.map((field) => [field, fields[field]])), [kind]: judgement },
  };
}

function valueIn(judgement: Readonly<Record<string, unknown>>): unknown {
  const serialized = recordOf(judgement.serialized_value).value;
  return typeof serialized === 'string' ? parseJson(serialized) : (judgement.value ?? null);
}

/** JSON, or the text itself when it is none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
