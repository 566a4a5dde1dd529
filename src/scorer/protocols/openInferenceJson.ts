import type { IncomingHttpHeaders } from 'node:http';
import { readBinaryTensor } from '../../inference/binaryTensors.ts';
import { given } from '../../inference/datatypes.ts';
import { badRequest } from '../../inference/problem.ts';
import { readTensor } from '../../inference/tensorJson.ts';
import { isJsonObject, type JsonObject, readJsonObject } from '../requestBody.ts';
import { type BinaryTail, readBinaryTail, readRawInput, splitBody } from './openInferenceBinary.ts';
import type { InferenceQuestion, OutputWish, SentInput } from './openInferenceQuestion.ts';

/** A question, and whether outputs that say nothing of it are wanted as bytes. */
export interface RestQuestion extends InferenceQuestion {
  readonly binaryOutput: boolean;
}

const noParameters: JsonObject = {};
const noWishes: readonly OutputWish[] = [];

/**
 * Reads the body of an inference request: JSON, JSON with binary tensors behind it, or the bytes of the one input.
 * A member that is null counts as left out, as some clients write it.
 *
 * @throws RequestProblem 400 that names the field.
 */
export function readRestQuestion(headers: IncomingHttpHeaders, body: Buffer): RestQuestion {
  const { head, tail } = splitBody(headers['inference-header-content-length'], body);
  if (head === null) {
    const inputs: RestQuestion['inputs'] = (expected) => [readRawInput(expected, tail.bytes)];
    return { id: null, parameters: noParameters, inputs, outputs: noWishes, binaryOutput: true };
  }
  const request = readJsonObject(head);
  const parameters = readParameters('"parameters"', request.parameters);
  const sent = readInputs(request.inputs, tail);
  return {
    id: readId(request.id),
    parameters,
    inputs: () => sent,
    outputs: readOutputs(request.outputs),
    binaryOutput: readFlag('"parameters.binary_data_output"', parameters.binary_data_output) ?? false,
  };
}

function readId(id: unknown): string | null {
  if (id === undefined || id === null) return null;
  if (typeof id !== 'string') throw badRequest(`"id" must be a string, got ${given(id)}.`);
  return id;
}

/** Values of parameters are strings, numbers or truths, says the protocol. */
function readParameters(field: string, json: unknown): JsonObject {
  if (json === undefined || json === null) return noParameters;
  if (!isJsonObject(json)) throw badRequest(`${field} must be an object, got ${given(json)}.`);
  for (const [name, value] of Object.entries(json)) {
    if (value !== null && !['string', 'number', 'boolean'].includes(typeof value)) {
      throw badRequest(`${field}: "${name}" must be a string, a number or a truth, got ${given(value)}.`);
    }
  }
  return json;
}

function readFlag(field: string, value: unknown): boolean | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'boolean') throw badRequest(`${field} must be true or false, got ${given(value)}.`);
  return value;
}

function readInputs(json: unknown, tail: BinaryTail): readonly SentInput[] {
  if (!Array.isArray(json)) throw badRequest(`"inputs" must be a list of tensors, got ${given(json)}.`);
  const inputs = json.map((tensor: unknown, index): SentInput => {
    if (!isJsonObject(tensor) || typeof tensor.name !== 'string') {
      throw badRequest(`"inputs[${index}]" must be an object with a "name".`);
    }
    const { name, datatype, shape, data } = tensor;
    const field = `Input "${name}"`;
    const parameters = readParameters(`${field}: "parameters"`, tensor.parameters);
    if (parameters.shared_memory_region !== undefined) {
      throw badRequest(`${field}: shared memory is not offered here; send the data with the request.`);
    }
    const bytes = readBinaryTail(field, parameters.binary_data_size, tail);
    if (bytes) {
      if (data !== undefined && data !== null) {
        throw badRequest(`${field} has "data" and "binary_data_size"; it must have one of them.`);
      }
      return { name, datatype, shape, read: (own, type, sizes) => readBinaryTensor(own, type, sizes, bytes) };
    }
    return {
      name,
      datatype,
      shape,
      read(own, type, sizes, nullable) {
        if (data === undefined || data === null) throw badRequest(`${own}: "data" is missing.`);
        return readTensor(own, type, sizes, data, nullable);
      },
    };
  });
  const left = tail.bytes.length - tail.taken;
  if (left > 0) {
    throw badRequest(
      `${left} bytes are left behind the binary data of the inputs; their "binary_data_size" must add up.`,
    );
  }
  return inputs;
}

function readOutputs(json: unknown): readonly OutputWish[] {
  if (json === undefined || json === null) return noWishes;
  if (!Array.isArray(json)) throw badRequest(`"outputs" must be a list, got ${given(json)}.`);
  return json.map((output: unknown, index) => {
    if (!isJsonObject(output) || typeof output.name !== 'string') {
      throw badRequest(`"outputs[${index}]" must be an object with a "name".`);
    }
    const field = `Output "${output.name}"`;
    const parameters = readParameters(`${field}: "parameters"`, output.parameters);
    if (parameters.shared_memory_region !== undefined) {
      throw badRequest(`${field}: shared memory is not offered here; leave out "shared_memory_region".`);
    }
    return {
      name: output.name,
      binary: readFlag(`${field}: "binary_data"`, parameters.binary_data),
      classes: readClasses(field, parameters.classification),
    };
  });
}

/** @throws RequestProblem 400 when it is no number of classes. */
export function readClasses(field: string, value: unknown): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw badRequest(`${field}: "classification" must be a number of classes, got ${given(value)}.`);
}
