import { randomUUID } from 'node:crypto';
import { given, type Tensor } from '../datatypes.ts';
import { describeTensor, type OutputSpecification } from '../model.ts';
import type { Predictor } from '../predictor.ts';
import { checkShape } from '../predictor.ts';
import { badRequest, RequestProblem } from '../problem.ts';
import { isJsonObject, type JsonObject, readJsonObject } from '../requestBody.ts';
import {
  addressOf,
  json,
  openRoute,
  type Protocol,
  type Route,
  type ScorerAnswer,
  type ScorerRequest,
  type ServedModel,
} from '../routing.ts';
import { serverName, serverVersion } from '../serverIdentity.ts';
import { flatJson, readTensor } from '../tensorJson.ts';

/**
 * The Open Inference Protocol V2 over HTTP, in JSON
 * (https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md).
 *
 * Where servers disagree: an unknown model or version is 404, an input that does not fit is 400, a scorer that drains
 * is 503; health routes answer with a body, which satisfies both kinds of clients. Scores by class come as one tensor
 * whose parameter `class_labels` is a JSON text of the labels in the order of the columns. Non-finite numbers are
 * written as `elementWriter` reads them.
 */
export function openInference(model: ServedModel, predictor: Predictor): Protocol {
  const infer: Route = {
    POST: (request) => answerInfer(request, model, predictor),
    open: false,
    predicts: true,
  };
  const metadata: Route = {
    GET: () => json(200, modelMetadata(model, predictor)),
    open: false,
    predicts: false,
  };
  const ready: Route = {
    GET: () => readiness(model, { name: model.name, ready: model.isReady() }),
    open: false,
    predicts: false,
  };
  const server: Route = { GET: () => json(200, serverMetadata()), open: false, predicts: false };
  const models: Route = {
    GET: () => json(200, JSON.stringify({ models: [model.name] })),
    open: false,
    predicts: false,
  };
  const routes = new Map<string, Route>([
    [addressOf('v2'), server],
    [addressOf('v2', 'health', 'live'), openRoute(() => json(200, '{"live":true}'))],
    [addressOf('v2', 'health', 'ready'), openRoute(() => readiness(model, { ready: model.isReady() }))],
    [addressOf('v2', 'models'), models],
  ]);
  const bases = [
    ['v2', 'models', model.name],
    ['v2', 'models', model.name, 'versions', String(model.version)],
  ];
  for (const base of bases) {
    routes.set(addressOf(...base), metadata);
    routes.set(addressOf(...base, 'ready'), ready);
    routes.set(addressOf(...base, 'infer'), infer);
  }
  return {
    routes,
    owns: ([first]) => first === 'v2',
    nothingAt: (path) => nothingAt(path, model),
    problem: ({ status, message }) => json(status, JSON.stringify({ error: message })),
  };
}

function serverMetadata(): string {
  return JSON.stringify({ name: serverName, version: serverVersion, extensions: [] });
}

function modelMetadata(model: ServedModel, predictor: Predictor): string {
  return JSON.stringify({
    name: model.name,
    versions: [String(model.version)],
    platform: 'onnx_onnxv1',
    inputs: predictor.inputs.map(describeTensor),
    outputs: predictor.outputs.map(describeTensor),
  });
}

function readiness(model: ServedModel, body: object): ScorerAnswer {
  return json(model.isReady() ? 200 : 503, JSON.stringify(body));
}

function nothingAt(path: readonly string[], model: ServedModel): string {
  const [, models, name, versions, version] = path;
  if (models === 'models' && name !== undefined && name !== model.name) {
    return `There is no model "${name}" here; this endpoint serves "${model.name}".`;
  }
  if (models === 'models' && versions === 'versions' && version !== String(model.version)) {
    return `There is no version "${version}" of "${model.name}" here; this endpoint serves version ${model.version}.`;
  }
  return `There is nothing at /${path.join('/')}.`;
}

async function answerInfer(
  { headers, body }: ScorerRequest,
  model: ServedModel,
  predictor: Predictor,
): Promise<ScorerAnswer> {
  if (headers['inference-header-content-length'] !== undefined) {
    throw new RequestProblem(501, 'Binary tensors are not understood here; send the data as JSON.');
  }
  const request = readJsonObject(body);
  const { id } = request;
  if (id !== undefined && typeof id !== 'string')
    throw badRequest(`"id" must be a string, got ${given(id)}.`);
  const requested = requestedOutputs(request.outputs, predictor.outputs);
  const feeds = readInputs(request.inputs, predictor);
  const outputs = await predictor.predict(feeds);
  const requestId = id ?? randomUUID();
  const written = predictor.outputs.flatMap((specification, index) => {
    const output = outputs[index];
    return output && requested.has(specification.name) ? [outputJson(specification, output)] : [];
  });
  const head = JSON.stringify({
    model_name: model.name,
    model_version: String(model.version),
    id: requestId,
  }).slice(0, -1);
  return {
    ...json(200, `${head},"outputs":[${written.join(',')}]}`),
    prediction: { requestId, feeds, outputs },
  };
}

function readInputs(json: unknown, { inputs }: Predictor): readonly Tensor[] {
  if (!Array.isArray(json)) throw badRequest(`"inputs" must be a list of tensors, got ${given(json)}.`);
  const sent = new Map<string, JsonObject>();
  const expected = inputs.map(({ name }) => name).join(', ');
  for (const [index, tensor] of json.entries()) {
    if (!isJsonObject(tensor) || typeof tensor.name !== 'string') {
      throw badRequest(`"inputs[${index}]" must be an object with a "name".`);
    }
    const { name } = tensor;
    if (sent.has(name)) throw badRequest(`Input "${name}" appears twice.`);
    if (!inputs.some((input) => input.name === name)) {
      throw badRequest(`The model has no input "${name}". Its inputs: ${expected}.`);
    }
    sent.set(name, tensor);
  }
  return inputs.map((input) => {
    const tensor = sent.get(input.name);
    if (!tensor) throw badRequest(`Input "${input.name}" is missing. The model's inputs: ${expected}.`);
    const { datatype, shape, data, parameters } = tensor;
    const field = `Input "${input.name}"`;
    if (datatype !== input.datatype) {
      throw badRequest(`${field}: expected datatype ${input.datatype}, got ${given(datatype)}.`);
    }
    if (!isShape(shape)) {
      throw badRequest(
        `${field}: "shape" must be a list of integers that are not negative, got ${given(shape)}.`,
      );
    }
    if (isJsonObject(parameters) && parameters.binary_data_size !== undefined) {
      throw new RequestProblem(501, `${field}: binary tensors are not understood here; send "data" as JSON.`);
    }
    if (data === undefined) throw badRequest(`${field}: "data" is missing.`);
    checkShape(input, shape);
    return readTensor(field, input.datatype, shape, data);
  });
}

function isShape(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function requestedOutputs(json: unknown, outputs: readonly OutputSpecification[]): ReadonlySet<string> {
  const known = outputs.map(({ name }) => name);
  if (json === undefined) return new Set(known);
  if (!Array.isArray(json)) throw badRequest(`"outputs" must be a list, got ${given(json)}.`);
  const names = json.map((output, index) => {
    if (!isJsonObject(output) || typeof output.name !== 'string') {
      throw badRequest(`"outputs[${index}]" must be an object with a "name".`);
    }
    const { name, parameters } = output;
    if (!known.includes(name))
      throw badRequest(`The model has no output "${name}". Its outputs: ${known.join(', ')}.`);
    if (isJsonObject(parameters) && parameters.binary_data === true) {
      throw new RequestProblem(
        501,
        `Output "${name}": binary tensors are not given here; leave out "binary_data".`,
      );
    }
    return name;
  });
  return new Set(names.length > 0 ? names : known);
}

function outputJson({ name, labels }: OutputSpecification, output: Tensor): string {
  const parameters = labels && { class_labels: `[${labels.map(labelJson).join(',')}]` };
  const head = JSON.stringify({
    name,
    shape: output.shape,
    datatype: output.datatype,
    ...(parameters ? { parameters } : {}),
  }).slice(0, -1);
  return `${head},"data":${flatJson(output)}}`;
}

function labelJson(label: string | bigint): string {
  return typeof label === 'bigint' ? label.toString() : JSON.stringify(label);
}
