import { columnNames } from '../../inference/columns.ts';
import { given, type Tensor } from '../../inference/datatypes.ts';
import type { Predictor } from '../../inference/predictor.ts';
import { badRequest } from '../../inference/problem.ts';
import { isJsonObject, type JsonObject } from '../requestBody.ts';
import {
  isListOf,
  onlyElement,
  type RequestForm,
  readColumnLists,
  readTableFeeds,
  readTensorsByName,
} from './namedTensors.ts';
import { decodeBase64, elementTexts, isBase64Object, nestedText } from './tensorflowJson.ts';

/**
 * `:predict` of TensorFlow Serving (tensorflow_serving/g3doc/api_rest.md and util/json_tensor.cc), which KServe's V1
 * protocol shares: `instances` are rows and answered by `predictions`, `inputs` are columns and answered by `outputs`.
 *
 * Beyond it, a model that takes a table is also asked by the names of its columns, and a row of `instances` may have
 * the bare value of an input that is one column. The names of inputs and outputs are those of the ONNX graph.
 */
export interface PredictQuestion {
  readonly format: 'row' | 'column';
  readonly feeds: readonly Tensor[];
}

/** @throws RequestProblem 400 when it has not exactly one of `instances` and `inputs`, or does not fit the model. */
export function readPredictQuestion(body: JsonObject, form: RequestForm): PredictQuestion {
  const byRow = Object.hasOwn(body, 'instances');
  const byColumn = Object.hasOwn(body, 'inputs');
  if (byRow && byColumn) {
    throw badRequest(
      "Not formatted correctly: expecting only one of the keys 'inputs' and 'instances' to exist.",
    );
  }
  if (byRow) return { format: 'row', feeds: readInstances(body.instances, form) };
  if (byColumn) return { format: 'column', feeds: readInputs(body.inputs, form) };
  throw badRequest("Missing 'inputs' or 'instances' key.");
}

function readInstances(instances: unknown, form: RequestForm): readonly Tensor[] {
  if (!Array.isArray(instances)) {
    throw badRequest(`Expecting 'instances' to be a list, got ${given(instances)}.`);
  }
  if (instances.length === 0) throw badRequest("No values in 'instances' list.");
  const named = isNamed(instances[0]);
  const odd = instances.findIndex((instance) => isNamed(instance) !== named);
  if (odd !== -1) {
    throw badRequest(
      `Expecting ${named ? 'an object' : 'a value or list'} but got ${given(instances[odd])} at item ${odd} of 'instances'.`,
    );
  }
  if (isListOf(instances, isNamed)) return readNamedInstances(instances, form);
  const [only] = form.inputs;
  if (form.inputs.length !== 1 || !only) {
    throw badRequest(
      `'instances' is a plain list, but a list of objects is expected because the model has several inputs: ${inputNames(form)}.`,
    );
  }
  return readTensorsByName(
    { [only.name]: decoded(only.name, widened(instances, only.shape, form), form) },
    form,
  );
}

/** Whether a value is an object of tensors or columns. */
function isNamed(value: unknown): value is JsonObject {
  return isJsonObject(value) && !isBase64Object(value);
}

/** A list of bare values for a model of one column, `[1, 2]`, stands for its rows `[[1], [2]]`. */
function widened(instances: readonly unknown[], shape: readonly number[] | null, { layout }: RequestForm) {
  const oneColumn = layout?.places.length === 1 && shape?.length === 2;
  const isBare = (value: unknown) => !Array.isArray(value);
  return oneColumn && instances.every(isBare) ? instances.map((value) => [value]) : instances;
}

function readNamedInstances(instances: readonly JsonObject[], form: RequestForm): readonly Tensor[] {
  const known = new Set(form.inputs.map(({ name }) => name));
  const asTensors = Object.keys(instances[0] ?? {}).every((key) => known.has(key));
  const columns = form.layout && columnNames(form.layout);
  const expected = asTensors || !columns ? [...known] : columns;
  for (const [index, instance] of instances.entries()) {
    const keys = Object.keys(instance);
    if (keys.length !== expected.length || expected.some((key) => !Object.hasOwn(instance, key))) {
      throw badRequest(
        `Failed to process element: ${index} of 'instances' list. Its keys must be equal to: ${expected.join(', ')}; got ${keys.slice(0, 50).join(', ') || 'none'}.`,
      );
    }
  }
  const isTable =
    columns !== null &&
    expected.every((key) => instances.every((instance) => isOneElement(instance[key]))) &&
    columns.every((name) => expected.includes(name));
  if (isTable) {
    const rows = instances.map((instance) =>
      columns.map((name) => decodeBase64(onlyElement(instance[name]), `Column "${name}"`)),
    );
    return readTableFeeds({ columns, rows }, form);
  }
  if (!asTensors) throw badRequest('A column of an instance must be one value, not a list.');
  const members = expected.map((name) => [
    name,
    decoded(
      name,
      instances.map((instance) => instance[name]),
      form,
    ),
  ]);
  return readTensorsByName(Object.fromEntries(members), form);
}

function isOneElement(value: unknown): boolean {
  return !Array.isArray(value) || (value.length === 1 && !Array.isArray(value[0]));
}

function readInputs(inputs: unknown, form: RequestForm): readonly Tensor[] {
  if (!isNamed(inputs)) {
    const [only] = form.inputs;
    if (form.inputs.length !== 1 || !only) {
      throw badRequest(
        `'inputs' is a plain value or list, but an object is expected because the model has several inputs: ${inputNames(form)}.`,
      );
    }
    return readTensorsByName({ [only.name]: decoded(only.name, inputs, form) }, form);
  }
  const members = Object.keys(inputs).map((name) => [name, decoded(name, inputs[name], form)]);
  const content: JsonObject = Object.fromEntries(members);
  const known = new Set(form.inputs.map(({ name }) => name));
  const asTensors = Object.keys(content).some((name) => known.has(name));
  const columns = form.layout && columnNames(form.layout);
  // One input a column: its values may come bare.
  const bare = columns?.every((name) => isFlatList(content[name])) ?? false;
  if (columns && (!asTensors || bare)) return readColumnLists(content, form);
  const missing = form.inputs.find(({ name }) => !Object.hasOwn(content, name));
  if (missing) throw badRequest(`Missing named input: ${missing.name} in 'inputs' object.`);
  // Others than the model's are not looked at, as in TensorFlow Serving.
  return readTensorsByName(Object.fromEntries(members.filter(([name]) => known.has(String(name)))), form);
}

function isFlatList(value: unknown): boolean {
  return Array.isArray(value) && !value.some(Array.isArray);
}

function decoded(name: string, value: unknown, { inputs }: RequestForm): unknown {
  const input = inputs.find((candidate) => candidate.name === name);
  return input && input.datatype !== 'BYTES' ? value : decodeBase64(value, `Input "${name}"`);
}

function inputNames({ inputs }: RequestForm): string {
  return inputs.map(({ name }) => name).join(', ');
}

/**
 * The answer to a request. The name of an only output is left out.
 *
 * @throws RequestProblem 400 when rows were asked for and the outputs are none, or have different numbers of them.
 */
export function predictAnswer(
  format: PredictQuestion['format'],
  tensors: readonly Tensor[],
  { outputs: specifications }: Pick<Predictor, 'outputs'>,
): string {
  const outputs = tensors.map((tensor, index) => {
    const name = specifications[index]?.name ?? '';
    return { name, key: JSON.stringify(name), shape: tensor.shape, text: elementTexts(name, tensor) };
  });
  const [only, second] = outputs;
  if (format === 'column') {
    if (only && !second) return `{"outputs":${nestedText(only.shape, 0, only.text)}}`;
    const members = outputs.map(({ key, shape, text }) => `${key}:${nestedText(shape, 0, text)}`);
    return `{"outputs":{${members.join(',')}}}`;
  }
  const count = only?.shape[0];
  for (const { name, shape } of outputs) {
    if (shape[0] === undefined || shape[0] !== count) {
      throw badRequest(
        `The output "${name}" has the shape [${shape.join(', ')}] and so no row for each instance; ask with 'inputs'.`,
      );
    }
  }
  const rows: string[] = [];
  for (let row = 0; row < (count ?? 0); row++) {
    const members = outputs.map(({ key, shape: [, ...shape], text }) => {
      const size = shape.reduce((product, length) => product * length, 1);
      const value = nestedText(shape, row * size, text);
      return second ? `${key}:${value}` : value;
    });
    rows.push(second ? `{${members.join(',')}}` : (members[0] ?? 'null'));
  }
  return `{"predictions":[${rows.join(',')}]}`;
}
