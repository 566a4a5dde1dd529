import { badRequest, RequestProblem } from '../../inference/problem.ts';
import type { LoadedVersion, ModelRepository } from '../modelRepository.ts';
import { readJsonObject } from '../requestBody.ts';
import { json, type Protocol, type Route, type ScorerAnswer, type ScorerRequest } from '../routing.ts';
import { answerInvocations, mlflowProblem } from './mlflow.ts';
import { targetWish } from './sageMakerHeaders.ts';

/**
 * SageMaker's contract for containers of several models
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html), of which `GET /models`,
 * `GET /models/{name}` and `POST /models/{name}/invoke` are answered. Which models an endpoint serves is declared and
 * not told over HTTP: loading is refused with 409 for a model that is there and 501 for any other, unloading with 405.
 * A model's address is `models:/name/version`, never a path.
 */
export function sageMaker(models: ModelRepository): Protocol {
  const list: Route = {
    GET: ({ query }) => answerList(query, models),
    POST: (request) => refuseLoading(request, models),
    open: false,
    predicts: false,
  };
  const model: Route = {
    GET: ({ path: [, name = ''] }) => json(200, JSON.stringify(describe(stableOf(name, models)))),
    open: false,
    predicts: false,
  };
  const invoke: Route = {
    POST: (request) => {
      const version = request.choose(request.path[1] ?? '', targetWish(request.headers));
      return answerInvocations(request, version);
    },
    open: false,
    predicts: true,
  };
  return {
    find: ([first, name, verb, ...rest]) => {
      if (first !== 'models' || name === '' || rest.length > 0) return null;
      if (name === undefined) return list;
      if (verb === undefined) return model;
      return verb === 'invoke' ? invoke : null;
    },
    owns: ([first]) => first === 'models',
    nothingAt: (path) => `There is nothing at /${path.join('/')}.`,
    problem: mlflowProblem,
  };
}

/** @throws RequestProblem 404. */
function stableOf(name: string, models: ModelRepository): LoadedVersion {
  const version = models.stable(name);
  if (version) return version;
  throw new RequestProblem(
    404,
    `There is no model "${name}" here; this endpoint serves ${models.names().join(', ')}.`,
  );
}

function describe({ name, version }: LoadedVersion) {
  return { modelName: name, modelUrl: `models:/${encodeURIComponent(name)}/${version}` };
}

/** A page of models; `next_page_token` is the place of its first one. */
function answerList(query: string, models: ModelRepository): ScorerAnswer {
  const parameters = new URLSearchParams(query);
  const from = Number(parameters.get('next_page_token') ?? 0);
  const limit = Number(parameters.get('limit') ?? 100);
  if (!Number.isSafeInteger(from) || from < 0) throw badRequest('"next_page_token" is none of this server.');
  if (!Number.isSafeInteger(limit) || limit < 1)
    throw badRequest('"limit" must be an integer of at least 1.');
  const loaded = models.names().flatMap((name) => models.stable(name) ?? []);
  const page = loaded.slice(from, from + limit).map(describe);
  const next = from + page.length < loaded.length ? { nextPageToken: String(from + page.length) } : {};
  return json(200, JSON.stringify({ models: page, ...next }));
}

function refuseLoading({ body }: ScorerRequest, models: ModelRepository): never {
  const { model_name: name } = readJsonObject(body);
  if (typeof name !== 'string') throw badRequest('"model_name" must be a string.');
  if (models.names().includes(name)) {
    throw new RequestProblem(409, `The model "${name}" is loaded already.`);
  }
  throw new RequestProblem(
    501,
    'Models are not loaded over this address: declare them in the endpoint, or start it with them.',
  );
}
