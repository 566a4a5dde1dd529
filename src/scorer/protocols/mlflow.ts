import type { RequestProblem } from '../../inference/problem.ts';
import type { LoadedVersion, ModelRepository } from '../modelRepository.ts';
import {
  json,
  openRoute,
  type Protocol,
  type Route,
  type ScorerAnswer,
  type ScorerRequest,
} from '../routing.ts';
import { serverVersion } from '../serverIdentity.ts';
import { rowPredictions, tensorPredictions } from './mlflowAnswer.ts';
import { readContentType, readQuestion } from './mlflowRequest.ts';
import { answerHeaders, requestIdOf, targetModel, targetWish } from './sageMakerHeaders.ts';

/**
 * MLflow's scoring protocol, as its own server speaks it (mlflow/pyfunc/scoring_server), which is SageMaker's too.
 *
 * A body is CSV with a header, JSON lines, or a JSON object with exactly one of `dataframe_split`,
 * `dataframe_records`, `instances` and `inputs`; other members, `params` among them, are ignored because an ONNX model
 * has none. NaN and Infinity may stand bare, as Python writes them. Answers are `{"predictions": ...}`: a list of rows
 * for a table, an object of outputs for tensors. Tables may hold columns that the model does not know. What does not
 * answer as MLflow does is listed in test/interop/mlflowDifferences.ts with the reason.
 */
export function mlflow(models: ModelRepository): Protocol {
  const ping = openRoute(() => json(models.isReady() ? 200 : 503, '\n'));
  const invocations: Route = {
    POST: (request) => {
      const version = request.choose(targetModel(request.headers, models), targetWish(request.headers));
      return answerInvocations(request, version);
    },
    open: false,
    predicts: true,
  };
  const routes = new Map<string, Route>([
    ['ping', ping],
    ['health', ping],
    ['version', openRoute(() => json(200, serverVersion))],
    ['invocations', invocations],
  ]);
  return {
    find: ([name = '', ...rest]) => (rest.length === 0 ? (routes.get(name) ?? null) : null),
    owns: ([first = '']) => routes.has(first),
    nothingAt: (path) => `There is nothing at /${path.join('/')}.`,
    problem: mlflowProblem,
  };
}

/** Answers a request of the scoring protocol by a version. @throws RequestProblem. */
export async function answerInvocations(
  { headers, body }: ScorerRequest,
  { predictor }: LoadedVersion,
): Promise<ScorerAnswer> {
  const type = readContentType(headers['content-type'] ?? '');
  const { feeds, byRow } = readQuestion(type, body, predictor);
  const outputs = await predictor.predict(feeds);
  const prediction = { requestId: requestIdOf(headers), feeds, outputs };
  const answer = answerHeaders(headers);
  if (asksForLines(headers.accept, type)) {
    const lines = rowPredictions(outputs, predictor.outputs);
    const text = lines.map((line) => `${line}\n`).join('');
    return { status: 200, contentType: 'application/jsonlines', body: text, headers: answer, prediction };
  }
  const predictions = byRow
    ? `[${rowPredictions(outputs, predictor.outputs).join(',')}]`
    : tensorPredictions(outputs, predictor.outputs);
  return { ...json(200, `{"predictions":${predictions}}`), headers: answer, prediction };
}

/** A client that sends lines gets lines, unless it accepts something else. */
function asksForLines(accept: string | undefined, type: string): boolean {
  const accepted = (accept ?? '*/*').toLowerCase();
  if (accepted.includes('application/jsonlines')) return true;
  return type === 'application/jsonlines' && !accepted.includes('application/json');
}

/** MLflow's names (mlflow/protos/databricks.proto) of the statuses that the scorer gives. */
const errorCodes: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'ENDPOINT_NOT_FOUND',
  405: 'BAD_REQUEST',
  409: 'RESOURCE_ALREADY_EXISTS',
  413: 'BAD_REQUEST',
  429: 'REQUEST_LIMIT_EXCEEDED',
  501: 'NOT_IMPLEMENTED',
  503: 'TEMPORARILY_UNAVAILABLE',
};

/** A wrong content type is told in plain text, anything else as an object of MLflow's REST dialect. */
export function mlflowProblem({ status, message }: RequestProblem): ScorerAnswer {
  if (status === 415) return { status, contentType: 'text/plain; charset=utf-8', body: message };
  return json(status, JSON.stringify({ error_code: errorCodes[status] ?? 'INTERNAL_ERROR', message }));
}
