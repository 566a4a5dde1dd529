import type { CountedEndpoint } from '../countedVersions.ts';
import type { ModelRepository } from '../modelRepository.ts';
import {
  guardedRoute,
  json,
  openRoute,
  type Protocol,
  type Route,
  type RouteHandler,
  type ScorerAnswer,
  type ScorerRequest,
} from '../routing.ts';
import { writeRestAnswer } from './openInferenceAnswer.ts';
import { type RestQuestion, readRestQuestion } from './openInferenceJson.ts';
import {
  describedVersion,
  modelConfiguration,
  modelMetadata,
  serverMetadata,
} from './openInferenceMetadata.ts';
import { infer } from './openInferenceQuestion.ts';
import {
  loadModel,
  readControlParameters,
  readIndexRequest,
  repositoryIndex,
  unloadModel,
} from './openInferenceRepository.ts';
import { modelStatistics } from './openInferenceStatistics.ts';

/**
 * The Open Inference Protocol V2 over HTTP
 * (https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md), with Triton's
 * extensions for binary tensors, classification, the model's configuration, the model repository and statistics
 * (https://github.com/triton-inference-server/server/tree/main/docs/protocol).
 *
 *     GET  /v2                                            POST /v2/repository/index
 *     GET  /v2/health/{live,ready}                        POST /v2/repository/models/{model}/{load,unload}
 *     GET  /v2/models, /v2/models/stats
 *     GET  /v2/models/{model}[/versions/{version}][/ready|/config|/stats]
 *     POST /v2/models/{model}[/versions/{version}]/infer
 *
 * Where servers disagree: an unknown model or version is 404, an input that does not fit is 400, a scorer that drains
 * is 503, an unload is 409; health routes answer with a body, which satisfies both kinds of clients. Versions are asked
 * by their number, as in Triton: labels have no place in these addresses. Scores by class come as one tensor whose
 * parameter `class_labels` is a JSON text of the labels in the order of the columns. Non-finite numbers are written as
 * `elementWriter` reads them.
 */
export function openInference(sources: CountedEndpoint): Protocol {
  const find = createFinder(sources);
  return {
    find: (path) => (path[0] === 'v2' ? find(path) : null),
    owns: ([first]) => first === 'v2',
    nothingAt: (path) => `There is nothing at /${path.join('/')}.`,
    problem: ({ status, message }) => answer(status, { error: message }),
  };
}

function createFinder(sources: CountedEndpoint): Protocol['find'] {
  const { models } = sources;
  const server = guardedRoute(() => answer(200, serverMetadata()));
  const list = guardedRoute(() => answer(200, { models: models.names() }));
  const index = controlRoute(({ body }) => answer(200, repositoryIndex(models, readIndexRequest(body))));
  const healthRoutes = new Map<string | undefined, Route>([
    ['live', openRoute(() => answer(200, { live: true }))],
    ['ready', openRoute(() => readiness(models, {}))],
  ]);
  const modelRoutes = createModelRoutes(sources);
  const controlRoutes = new Map<string | undefined, Route>([
    ['load', controlRoute((request) => answerLoad(models, request))],
    ['unload', controlRoute(({ path }) => unloadModel(models, path[3] ?? ''))],
  ]);
  const statistics = guardedRoute(() => answerStatistics(sources));
  const findModel = (path: readonly string[]): Route | null => {
    if (path.length === 3 && path[2] === 'stats') return statistics;
    const end = path[3] === 'versions' ? 5 : 3;
    return path.length === end || path.length === end + 1 ? (modelRoutes.get(path[end]) ?? null) : null;
  };
  return (path) => {
    const { length, 1: area } = path;
    if (length === 1 || (length === 2 && area === '')) return server;
    if (area === 'models') return length === 2 ? list : findModel(path);
    if (area === 'health') return length === 3 ? (healthRoutes.get(path[2]) ?? null) : null;
    if (area === 'repository') {
      if (length === 3 && path[2] === 'index') return index;
      return length === 5 && path[2] === 'models' ? (controlRoutes.get(path[4]) ?? null) : null;
    }
    return null;
  };
}

/** By what stands behind a model or its version. */
function createModelRoutes(sources: CountedEndpoint) {
  const { models } = sources;
  return new Map<string | undefined, Route>([
    ['infer', { POST: (request) => answerInfer(request), open: false, predicts: true }],
    [undefined, guardedRoute(({ path }) => answer(200, modelMetadata(models, ...named(path))))],
    ['config', guardedRoute(({ path }) => answer(200, modelConfiguration(models, ...named(path))))],
    [
      'ready',
      guardedRoute(({ path }) => {
        const { name } = describedVersion(models, ...named(path));
        return readiness(models, { name });
      }),
    ],
    ['stats', guardedRoute(({ path }) => answerStatistics(sources, ...named(path)))],
  ]);
}

async function answerStatistics(
  sources: CountedEndpoint,
  name?: string,
  version?: string,
): Promise<ScorerAnswer> {
  return answer(200, { model_stats: await modelStatistics(sources, name, version) });
}

/** The model that an address names, and its version. */
function named(path: readonly string[]): readonly [name: string, version: string | undefined] {
  return [path[2] ?? '', path[3] === 'versions' ? path[4] : undefined];
}

function answerInfer(request: ScorerRequest): Promise<ScorerAnswer> {
  const [name, version] = named(request.path);
  let question: RestQuestion;
  try {
    question = readRestQuestion(request.headers, request.body);
  } catch (error) {
    // A model that is not there is told first, and a bad request counts against the version that it would have met.
    request.choose(name, { version });
    throw error;
  }
  const loaded = request.choose(name, { version, parameters: question.parameters });
  return infer(loaded, question, (inference) => writeRestAnswer(loaded, question, inference));
}

/** KServe answers so; Triton's clients look at the status only. */
function answerLoad(models: ModelRepository, { path, body }: ScorerRequest): ScorerAnswer {
  const [, , , name = ''] = path;
  loadModel(models, name, readControlParameters(body));
  return answer(200, { name, load: true });
}

function readiness(models: ModelRepository, body: object): ScorerAnswer {
  const ready = models.isReady();
  return answer(ready ? 200 : 503, { ...body, ready });
}

function controlRoute(POST: RouteHandler): Route {
  return { POST, open: false, predicts: false };
}

function answer(status: number, body: object): ScorerAnswer {
  return json(status, JSON.stringify(body));
}
