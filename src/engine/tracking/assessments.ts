import type { Assessment, AssessmentKind } from '../../protocol/assessment.ts';
import type { TrackingDependencies } from './dependencies.ts';
import { invalid, notFound } from './limits.ts';
import { findTrace } from './lookup.ts';
import { makeId } from './runNames.ts';

/** An assessment as it is made: it is valid, and gets an id. */
export type NewAssessment = Pick<Assessment, 'name' | 'kind' | 'value' | 'fields'>;

/** What is absent stays as it is. */
export interface AssessmentUpdate {
  readonly name?: string | undefined;
  readonly judgement?:
    | { readonly kind: AssessmentKind; readonly value: unknown; readonly field: unknown }
    | undefined;
  /** Added to, or put in the place of, what there was. */
  readonly metadata?: object | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Assessments {
  /** Throws `notFound` when there is no such trace, or none that it overrides. */
  createAssessment(traceId: string, assessment: NewAssessment): Assessment;
  /** Throws `notFound`. */
  assessment(traceId: string, assessmentId: string): Assessment;
  /** Throws `notFound`; `invalidParameter` when feedback is to become an expectation, or the other way. */
  updateAssessment(traceId: string, assessmentId: string, update: AssessmentUpdate): Assessment;
  /** The one that it overrides is valid again. Changes nothing when there is none. */
  deleteAssessment(traceId: string, assessmentId: string): void;
}

/** The id that a new assessment gets. */
export function makeAssessmentId(): string {
  return `a-${makeId()}`;
}

/** The rules of what people and judges think of traces. */
export function createAssessments(dependencies: TrackingDependencies): Assessments {
  const { store, transaction } = dependencies;
  const find = (traceId: string, assessmentId: string) => {
    const trace = findTrace(dependencies, traceId);
    const assessment = store.traces.assessments.find(trace.key, assessmentId);
    if (assessment) return { key: trace.key, assessment };
    throw notFound(`Assessment with ID '${assessmentId}' not found for trace '${traceId}'`);
  };

  return {
    createAssessment: (traceId, wanted) =>
      transaction(() => {
        const { key } = findTrace(dependencies, traceId);
        const { overrides } = wanted.fields;
        if (typeof overrides === 'string' && !store.traces.assessments.setValid(key, overrides, false)) {
          throw notFound(`Assessment with ID '${overrides}' not found for trace '${traceId}'`);
        }
        const assessment = { ...wanted, assessmentId: makeAssessmentId(), valid: true };
        store.traces.assessments.put(key, assessment);
        return assessment;
      }),
    assessment: (traceId, assessmentId) => find(traceId, assessmentId).assessment,
    updateAssessment: (traceId, assessmentId, { name, judgement, metadata, fields }) =>
      transaction(() => {
        const { key, assessment } = find(traceId, assessmentId);
        const { kind } = assessment;
        if (judgement && judgement.kind !== kind) {
          const article = kind === 'feedback' ? 'a Feedback' : 'an Expectation';
          throw invalid(`Cannot update ${judgement.kind} value on ${article} assessment.`);
        }
        const updated: Assessment = {
          ...assessment,
          name: name ?? assessment.name,
          value: judgement ? judgement.value : assessment.value,
          fields: {
            ...assessment.fields,
            ...fields,
            ...(judgement && { [kind]: judgement.field }),
            ...(metadata && { metadata: { ...objectOf(assessment.fields.metadata), ...metadata } }),
          },
        };
        store.traces.assessments.put(key, updated);
        return updated;
      }),
    deleteAssessment: (traceId, assessmentId) =>
      transaction(() => {
        const { key } = findTrace(dependencies, traceId);
        const overrides = store.traces.assessments.find(key, assessmentId)?.fields.overrides;
        if (typeof overrides === 'string') store.traces.assessments.setValid(key, overrides, true);
        store.traces.assessments.delete(key, assessmentId);
      }),
  };
}

function objectOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
