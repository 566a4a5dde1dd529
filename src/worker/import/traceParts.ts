import { type Assessment, assessmentKinds, keptAssessmentFields } from '../../protocol/assessment.ts';
import type { ImportedTrace, ImportOmission } from '../../protocol/importing.ts';
import { isObject, parsePythonJson } from './tracker/nestedValues.ts';
import { omission } from './tracker/omission.ts';

export const artifactLocationTag = 'mlflow.artifactLocation';
/** The file with the spans of a trace, among its artifacts. */
export const spansFile = 'traces.json';

/** TraceState in service.proto. MLflow 2 has no other names for those that count. */
export function traceStateOf(text: string | null): ImportedTrace['state'] {
  return text === 'OK' || text === 'ERROR' || text === 'IN_PROGRESS' ? text : 'STATE_UNSPECIFIED';
}

/** The assessments of a trace, and what could not be read of them. */
export interface ReadAssessments {
  readonly values: readonly Assessment[];
  readonly omissions: readonly ImportOmission[];
}

/** What is to be an assessment. */
export interface AssessmentSource {
  /** What omissions call it. */
  readonly name: string;
  /** Gives it in the JSON form of MLflow's message `Assessment`. @throws Error with the reason when it cannot be read. */
  read(): unknown;
}

/** Reads the assessments of a trace in the order given. */
export function readAssessments(traceId: string, sources: readonly AssessmentSource[]): ReadAssessments {
  const values: Assessment[] = [];
  const omissions: ImportOmission[] = [];
  for (const source of sources) {
    try {
      const assessment = readAssessment(source.read());
      if (assessment === null) throw new Error('it is no assessment');
      values.push(assessment);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      omissions.push(omission(`trace ${traceId}/assessments/${source.name}`, 'unreadable', { detail }));
    }
  }
  return { values, omissions };
}

/** Null when the message is no assessment. */
function readAssessment(message: unknown): Assessment | null {
  const fields = recordOf(message);
  const { assessment_id: assessmentId, assessment_name: name, valid } = fields;
  const kind = assessmentKinds.find((known) => isObject(fields[known]));
  if (typeof assessmentId !== 'string' || typeof name !== 'string' || kind === undefined) return null;
  const judgement = recordOf(fields[kind]);
  const kept = keptAssessmentFields.filter((field) => fields[field] !== undefined && fields[field] !== null);
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
    return parsePythonJson(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}
