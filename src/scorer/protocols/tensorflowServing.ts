import { given, type Tensor } from '../../inference/datatypes.ts';
import type { Predictor } from '../../inference/predictor.ts';
import { badRequest, RequestProblem } from '../../inference/problem.ts';
import type { LoadedVersion, ModelRepository } from '../modelRepository.ts';
import { readPythonJsonObject } from '../pythonJson.ts';
import type { JsonObject } from '../requestBody.ts';
import {
  guardedRoute,
  json,
  openRoute,
  type Protocol,
  type Route,
  type ScorerAnswer,
  type ScorerRequest,
} from '../routing.ts';
import { requestIdOf } from './sageMakerHeaders.ts';
import {
  checkVersion,
  type Method,
  readTensorflowAddress,
  type TensorflowAddress,
} from './tensorflowAddress.ts';
import { readExamples } from './tensorflowExamples.ts';
import { defaultSignature, metadataAnswer, signatures } from './tensorflowMetadata.ts';
import { predictAnswer, readPredictQuestion } from './tensorflowPredict.ts';
import { classifyAnswer, regressAnswer } from './tensorflowResults.ts';

/**
 * The REST protocol of TensorFlow Serving (tensorflow_serving/g3doc/api_rest.md) and KServe's V1 protocol, which share
 * their addresses.
 *
 * - `GET /v1/models/{m}` answers both: `model_version_status` for the one, `name` and `ready` for the other.
 * - `GET /v1/models` is KServe's list; `GET /` its health check.
 * - `inputs` are columns, as in TensorFlow Serving; KServe's own servers take them for `instances`.
 * - What both would answer `:explain` with, an explainer gives, and there is none: 501.
 * - Non-finite numbers are null, "Infinity" and "-Infinity" in answers; requests may have them bare, as Python writes
 *   them. 64-bit integers beyond 2^53 are strings of digits in requests and exact numbers in answers.
 * - An address that is none of these is 404 and a wrong method 405; TensorFlow Serving gives 400 for both.
 */
export function tensorflowServing(models: ModelRepository): Protocol {
  const alive = openRoute(() => json(200, '{"status":"alive"}'));
  const list = guardedRoute(() => json(200, JSON.stringify({ models: models.names() })));
  const status = guardedRoute(({ path, headers }) => answerStatus(addressOf(path), models, headers));
  const metadata = guardedRoute(({ path, headers }) => {
    const address = addressOf(path);
    checkVersion(address, 'GET');
    return json(200, metadataAnswer(models.choose(address.model, address.wish, headers).loaded));
  });
  const predicting = (method: Method): Route => ({
    POST: (request) => answerMethod(request, method),
    open: false,
    predicts: true,
  });
  const asked: Readonly<Record<TensorflowAddress['asks'], Route>> = {
    status,
    metadata,
    predict: predicting('predict'),
    classify: predicting('classify'),
    regress: predicting('regress'),
    explain: predicting('explain'),
  };
  return {
    find: (path) => {
      const [first, second] = path;
      if (path.length === 1) return first === '' ? alive : null;
      if (path.length === 2 && isList(first, second)) return list;
      const address = readTensorflowAddress(path);
      return address && asked[address.asks];
    },
    owns: ([first = '', ...rest]) => first.toLowerCase() === 'v1' || (first === '' && rest.length === 0),
    nothingAt: (path) =>
      `Malformed request: there is nothing at /${path.join('/')}. A prediction is POST /v1/models/{model}[/versions/{number}|/labels/{label}]:predict.`,
    problem: ({ status, message }) => json(status, JSON.stringify({ error: message })),
  };
}

function isList(first: string | undefined, second: string | undefined): boolean {
  return first?.toLowerCase() === 'v1' && second?.toLowerCase() === 'models';
}

/** @throws RequestProblem 404; an address that led to a route is one, so it is not seen. */
function addressOf(path: readonly string[]): TensorflowAddress {
  const address = readTensorflowAddress(path);
  if (address) return address;
  throw new RequestProblem(404, `There is nothing at /${path.join('/')}.`);
}

function answerStatus(
  address: TensorflowAddress,
  models: ModelRepository,
  headers: ScorerRequest['headers'],
): ScorerAnswer {
  checkVersion(address, 'GET');
  const { model, wish } = address;
  const chosen = models.choose(model, wish, headers).loaded;
  const isOne = wish.version !== undefined || wish.label !== undefined;
  const ready = models.isReady();
  const statuses = (isOne ? [chosen] : models.versions(model)).map(({ version }) => ({
    version: String(version),
    state: ready ? 'AVAILABLE' : 'UNLOADING',
    status: { error_code: 'OK', error_message: '' },
  }));
  const body = { name: model, ready, model_version_status: statuses };
  return json(ready ? 200 : 503, JSON.stringify(body));
}

async function answerMethod(request: ScorerRequest, method: Method): Promise<ScorerAnswer> {
  const address = addressOf(request.path);
  checkVersion(address, 'POST');
  const version = request.choose(address.model, address.wish);
  if (method === 'explain') {
    throw new RequestProblem(501, `The model "${version.name}" has no explainer; ask :predict.`);
  }
  const body = readPythonJsonObject(request.body);
  checkSignature(body.signature_name, method, version);
  const { predictor } = version;
  const question = readQuestion(method, body, predictor);
  const outputs = await predictor.predict(question.feeds);
  return {
    ...json(200, question.answer(outputs)),
    prediction: { requestId: requestIdOf(request.headers), feeds: question.feeds, outputs },
  };
}

interface Question {
  readonly feeds: readonly Tensor[];
  readonly answer: (outputs: readonly Tensor[]) => string;
}

function readQuestion(method: Exclude<Method, 'explain'>, body: JsonObject, predictor: Predictor): Question {
  switch (method) {
    case 'predict': {
      const { format, feeds } = readPredictQuestion(body, predictor);
      return { feeds, answer: (outputs) => predictAnswer(format, outputs, predictor) };
    }
    case 'classify': {
      classifyAnswer([], predictor.outputs);
      const feeds = readExamples(body, predictor);
      return { feeds, answer: (outputs) => classifyAnswer(outputs, predictor.outputs) };
    }
    case 'regress': {
      const feeds = readExamples(body, predictor);
      return { feeds, answer: (outputs) => regressAnswer(outputs, predictor.outputs) };
    }
  }
}

const signatureOfMethod = { classify: 'classification', regress: 'regression' } as const;

/** @throws RequestProblem 400 when a request names a signature that the model has not, or one of another method. */
function checkSignature(name: unknown, method: Exclude<Method, 'explain'>, version: LoadedVersion): void {
  if (name === undefined || name === '' || name === defaultSignature) return;
  if (typeof name !== 'string')
    throw badRequest(`'signature_name' must be a string value, got ${given(name)}.`);
  const known = signatures(version);
  const signature = known.get(name);
  if (!signature) {
    const names = [...known.keys()].join(', ');
    throw badRequest(`Serving signature name: ${given(name)} not found in signature def; it has ${names}.`);
  }
  if (method === 'predict' || name === signatureOfMethod[method]) return;
  throw badRequest(
    `Expected signature method_name to be tensorflow/serving/${method}. Was: ${signature.method_name}.`,
  );
}
