/** Assessments of traces as MLflow's message `Assessment` has them. */
import { type Assessment, assessmentKinds, keptAssessmentFields } from '../../protocol/assessment.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import { type AssessmentUpdate, makeAssessmentId, type NewAssessment } from '../tracking/assessments.ts';
import { writePythonJson } from '../tracking/jsonText.ts';
import { createMessage, type Message, missingParameter } from './message.ts';
import { formatTimestamp } from './protobufTime.ts';

/** An assessment to be made. */
export function readAssessment(message: Message): NewAssessment {
  const judgement = readJudgement(message);
  if (!judgement) throw missingParameter('assessment.feedback');
  const now = formatTimestamp(Date.now());
  return {
    name: message.requiredText('assessment_name'),
    kind: judgement.kind,
    value: judgement.value,
    fields: {
      create_time: now,
      last_update_time: now,
      ...readKeptFields(message),
      [judgement.kind]: judgement.field,
    },
  };
}

/** An assessment that was made while the trace was, and came with it. */
export function readRecordedAssessment(message: Message): Assessment {
  return {
    ...readAssessment(message),
    assessmentId: message.text('assessment_id') || makeAssessmentId(),
    valid: message.flag('valid') ?? true,
  };
}

/** What to change of an assessment; `mask` names the fields, in camelCase or snake_case, with commas between. */
export function readAssessmentUpdate(message: Message, mask: string): AssessmentUpdate {
  const named = createMessage(
    Object.fromEntries(
      mask
        .split(',')
        .map((name) => name.trim().replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))
        .filter((name) => message.has(name))
        .map((name) => [name, message.value(name)]),
    ),
  );
  const rationale = named.text('rationale');
  return {
    name: named.text('assessment_name'),
    judgement: readJudgement(named) ?? undefined,
    metadata: named.message('metadata')?.fields,
    fields: { last_update_time: formatTimestamp(Date.now()), ...(rationale !== undefined && { rationale }) },
  };
}

export function encodeAssessment(assessment: Assessment, traceId: string): object {
  return {
    assessment_id: assessment.assessmentId,
    assessment_name: assessment.name,
    trace_id: traceId,
    ...assessment.fields,
    valid: assessment.valid,
  };
}

function readKeptFields(message: Message): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    keptAssessmentFields.filter((name) => message.has(name)).map((name) => [name, message.value(name)]),
  );
}

/** The one of feedback, expectation and issue that a message has, with the value in it. */
function readJudgement(message: Message): AssessmentUpdate['judgement'] | null {
  for (const kind of assessmentKinds) {
    const judgement = message.message(kind);
    if (!judgement) continue;
    const value = valueIn(judgement);
    return {
      kind,
      value,
      field: kind === 'expectation' ? expectationOf(judgement, value) : judgement.fields,
    };
  }
  return null;
}

/** MLflow tells an expected list or object as JSON inside a text, however it came. */
function expectationOf(expectation: Message, value: unknown): object {
  if (expectation.has('serialized_value')) return expectation.fields;
  const isPlain = typeof value !== 'object' || value === null;
  return isPlain
    ? { value }
    : { serialized_value: { serialization_format: 'JSON_FORMAT', value: writePythonJson(value) } };
}

function valueIn(judgement: Message): unknown {
  const serialized = judgement.message('serialized_value')?.text('value');
  if (serialized === undefined) return judgement.value('value') ?? null;
  try {
    return JSON.parse(serialized);
  } catch (error) {
    throw new SlipwayError(
      'invalidParameter',
      { detail: 'The serialized value of the expectation is no JSON.' },
      { cause: error },
    );
  }
}
