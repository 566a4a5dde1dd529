import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Assessment } from '../../protocol/assessment.ts';
import type { ExportedTrace } from '../tracking/exporting.ts';
import { artifactLocationTag } from '../tracking/traces.ts';
import { exportArtifacts } from './artifactExport.ts';
import type { MlrunsExportOptions, Written } from './mlrunsExport.ts';
import { isPlainName, writeKeyed, writeYaml } from './mlrunsFiles.ts';
import type { Omission } from './store.ts';

/**
 * Writes a trace as MLflow's file store keeps it (mlflow/store/tracking/file_store.py), with its spans.
 *
 * @param folder where it is written; `place` is where it will lie in the end.
 */
export async function writeTrace(
  { artifacts, signal }: MlrunsExportOptions,
  folder: string,
  place: string,
  experimentId: string,
  trace: ExportedTrace,
): Promise<Written> {
  const subject = `trace ${trace.traceId}`;
  writeYaml(join(folder, 'trace_info.yaml'), infoOf(trace, experimentId));
  const location = { key: artifactLocationTag, value: pathToFileURL(join(place, 'artifacts')).href };
  const omissions = [
    ...writeKeyed(join(folder, 'request_metadata'), `${subject}/request_metadata`, trace.metadata),
    ...writeKeyed(join(folder, 'tags'), `${subject}/tags`, [...trace.tags, location]),
    ...trace.assessments.flatMap((assessment) => writeAssessment(folder, subject, trace.traceId, assessment)),
    ...linksOmitted(subject, trace),
  ];
  const copied = await exportArtifacts(
    artifacts,
    trace.artifactUri,
    join(folder, 'artifacts'),
    subject,
    signal,
  );
  return { points: 0, artifacts: copied.artifacts, omissions: [...omissions, ...copied.omissions] };
}

/** MLflow 2 reads only its own fields, and MLflow 3 these too: they are written for a trace that has no others. */
function infoOf(trace: ExportedTrace, experimentId: string): Readonly<Record<string, unknown>> {
  const { traceId, requestTime, executionDuration, state } = trace;
  const { clientRequestId, requestPreview, responsePreview } = trace;
  if (clientRequestId === null && requestPreview === null && responsePreview === null) {
    return {
      request_id: traceId,
      experiment_id: experimentId,
      timestamp_ms: requestTime,
      execution_time_ms: executionDuration,
      status: state === 'STATE_UNSPECIFIED' ? 'TRACE_STATUS_UNSPECIFIED' : state,
    };
  }
  return {
    trace_id: traceId,
    trace_location: { type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: experimentId } },
    request_time: new Date(requestTime).toISOString(),
    execution_duration_ms: executionDuration,
    state,
    client_request_id: clientRequestId,
    request_preview: requestPreview,
    response_preview: responsePreview,
  };
}

/** Fields of MLflow's message `Assessment` without which its file store reads none of the traces of an experiment. */
const neededFields = ['source', 'create_time', 'last_update_time'];

function writeAssessment(
  folder: string,
  traceSubject: string,
  traceId: string,
  { assessmentId, name, kind, valid, fields }: Assessment,
): readonly Omission[] {
  const subject = `${traceSubject}/assessments/${assessmentId}`;
  const missing = neededFields.filter((field) => fields[field] === undefined);
  // It takes what stands before the first point of the file's name for the id.
  if (!isPlainName(assessmentId) || assessmentId.includes('.')) {
    return [{ subject, reason: 'noPlaceThere', values: { detail: 'no file can be called so' } }];
  }
  if (missing.length > 0) {
    return [{ subject, reason: 'noPlaceThere', values: { detail: `it has no ${missing.join(', ')}` } }];
  }
  writeYaml(join(folder, 'assessments', `${assessmentId}.yaml`), {
    assessment_id: assessmentId,
    assessment_name: name,
    trace_id: traceId,
    ...fields,
    // Feedback that only has an error needs a value all the same.
    ...(kind === 'feedback' && { feedback: withValue(fields.feedback) }),
    valid,
  });
  return [];
}

function withValue(feedback: unknown): unknown {
  const hasNone = typeof feedback === 'object' && feedback !== null && !('value' in feedback);
  return hasNone ? { ...feedback, value: null } : feedback;
}

/** MLflow's file store refuses to link traces. */
function linksOmitted(subject: string, { linkedRuns, linkedPrompts }: ExportedTrace): readonly Omission[] {
  const links = [
    ...linkedRuns.map((runId) => `run ${runId}`),
    ...linkedPrompts.map((prompt) => `prompt ${prompt}`),
  ];
  return links.map((link) => ({
    subject,
    reason: 'noPlaceThere',
    values: { detail: `its link to the ${link}` },
  }));
}
