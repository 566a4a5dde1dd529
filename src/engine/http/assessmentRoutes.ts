import type { TrackingService } from '../tracking/service.ts';
import { encodeAssessment, readAssessment, readAssessmentUpdate } from './assessmentMessages.ts';
import type { DialectRoutes } from './dialect.ts';
import { type Message, missingParameter } from './message.ts';

/** Assessments of traces: create, read, change and delete. */
export function registerAssessmentRoutes(
  routes: DialectRoutes,
  { tracking }: { readonly tracking: TrackingService },
): void {
  const assessments = '/mlflow/traces/{trace_id}/assessments';
  const traceIdOf = (message: Message) => message.requiredText('trace_id');
  const assessmentIdOf = (message: Message) => message.requiredText('assessment_id');
  const given = (message: Message): Message => {
    const assessment = message.message('assessment');
    if (assessment) return assessment;
    throw missingParameter('assessment');
  };

  routes.rpc(
    'POST',
    assessments,
    (message) => {
      const assessment = tracking.createAssessment(traceIdOf(message), readAssessment(given(message)));
      return { assessment: encodeAssessment(assessment, traceIdOf(message)) };
    },
    3,
  );
  routes.rpc(
    'GET',
    `${assessments}/{assessment_id}`,
    (message) => {
      const assessment = tracking.assessment(traceIdOf(message), assessmentIdOf(message));
      return { assessment: encodeAssessment(assessment, traceIdOf(message)) };
    },
    3,
  );
  routes.rpc(
    'PATCH',
    `${assessments}/{assessment_id}`,
    (message) => {
      const update = readAssessmentUpdate(given(message), message.requiredText('update_mask'));
      const assessment = tracking.updateAssessment(traceIdOf(message), assessmentIdOf(message), update);
      return { assessment: encodeAssessment(assessment, traceIdOf(message)) };
    },
    3,
  );
  routes.rpc(
    'DELETE',
    `${assessments}/{assessment_id}`,
    (message) => {
      tracking.deleteAssessment(traceIdOf(message), assessmentIdOf(message));
      return {};
    },
    3,
  );
}
