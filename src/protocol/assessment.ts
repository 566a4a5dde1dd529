export const assessmentKinds = ['feedback', 'expectation', 'issue'] as const;
export type AssessmentKind = (typeof assessmentKinds)[number];

/** What somebody, or a judge, thinks of a trace: feedback on it, or what its answer should have been. */
export interface Assessment {
  readonly assessmentId: string;
  readonly name: string;
  readonly kind: AssessmentKind;
  /** Any JSON. */
  readonly value: unknown;
  /** False when another assessment overrides it. */
  readonly valid: boolean;
  /** The fields of MLflow's message `Assessment`, apart from its ids, its name and `valid`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The fields of MLflow's message `Assessment` that are kept as they come; ids, name and validity are the store's. */
export const keptAssessmentFields = [
  'source',
  'span_id',
  'create_time',
  'last_update_time',
  'rationale',
  'metadata',
  'overrides',
] as const;
