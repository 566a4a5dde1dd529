import { readBinaryTensor, readString } from '../../inference/binaryTensors.ts';
import { allocate, type Datatype, type Tensor } from '../../inference/datatypes.ts';
import { badRequest } from '../../inference/problem.ts';
import { elementCount, readTensor } from '../../inference/tensorJson.ts';
import { readClasses } from '../protocols/openInferenceJson.ts';
import type { InferenceQuestion, SentInput } from '../protocols/openInferenceQuestion.ts';
import type { JsonObject } from '../requestBody.ts';
import type { InferParameter, ModelInferRequest, TensorContents } from './inferenceMessages.ts';

/** A question that came over gRPC. */
export interface GrpcQuestion extends InferenceQuestion {
  /** The client wants outputs as typed lists; else they are bytes, as Triton gives them. */
  readonly typedOutput: boolean;
}

/** @throws RequestProblem 400 when the parts of the request do not fit each other. */
export function readGrpcQuestion(request: ModelInferRequest): GrpcQuestion {
  const parameters = readParameters(request.parameters);
  const inputs = readInputs(request);
  return {
    id: request.id === '' ? null : request.id,
    parameters,
    inputs: () => inputs,
    outputs: request.outputs.map(({ name, parameters: own }) => {
      const { classification, shared_memory_region } = readParameters(own);
      const field = `Output "${name}"`;
      if (shared_memory_region !== undefined) throw noSharedMemory(field);
      return { name, binary: null, classes: readClasses(field, classification) };
    }),
    typedOutput: parameters.binary_data_output === false,
  };
}

type ParameterEntries = ModelInferRequest['parameters'];

function readParameters(sent: ParameterEntries): JsonObject {
  return Object.fromEntries(sent.map(({ key, value }) => [key, parameterValue(value)]));
}

function parameterValue(parameter: InferParameter | null): string | number | boolean | undefined {
  const integer = parameter?.int64_param ?? parameter?.uint64_param;
  if (integer !== undefined) return Number(integer);
  return parameter?.bool_param ?? parameter?.string_param ?? parameter?.double_param;
}

function readInputs({ inputs, raw_input_contents: raw }: ModelInferRequest): readonly SentInput[] {
  if (raw.length > 0 && raw.length !== inputs.length) {
    throw badRequest(
      `"raw_input_contents" has ${raw.length} elements for ${inputs.length} inputs; it must have one for each or none.`,
    );
  }
  return inputs.map(({ name, datatype, shape, contents, parameters }, index): SentInput => {
    const field = `Input "${name}"`;
    if (readParameters(parameters).shared_memory_region !== undefined) throw noSharedMemory(field);
    const bytes = raw[index];
    if (bytes === undefined) {
      return { name, datatype, shape, read: (own, type, sizes) => readContents(own, type, sizes, contents) };
    }
    if (contents)
      throw badRequest(`${field} has "contents" beside "raw_input_contents"; it must have one of them.`);
    return { name, datatype, shape, read: (own, type, sizes) => readBinaryTensor(own, type, sizes, bytes) };
  });
}

function noSharedMemory(field: string): Error {
  return badRequest(`${field}: shared memory is not offered here; send the data with the request.`);
}

/** The member that holds the elements of a datatype; null where only raw contents can. */
export function contentsMember(datatype: Datatype): keyof TensorContents | null {
  switch (datatype) {
    case 'BOOL':
      return 'bool_contents';
    case 'INT8':
    case 'INT16':
    case 'INT32':
      return 'int_contents';
    case 'INT64':
      return 'int64_contents';
    case 'UINT8':
    case 'UINT16':
    case 'UINT32':
      return 'uint_contents';
    case 'UINT64':
      return 'uint64_contents';
    case 'FP32':
      return 'fp32_contents';
    case 'FP64':
      return 'fp64_contents';
    case 'BYTES':
      return 'bytes_contents';
    case 'FP16':
      return null;
  }
}

function readContents(
  field: string,
  datatype: Datatype,
  shape: readonly number[],
  contents: TensorContents | null,
): Tensor {
  const member = contentsMember(datatype);
  if (!member)
    throw badRequest(`${field}: ${datatype} has no typed contents; send it in "raw_input_contents".`);
  const values = contents?.[member] ?? [];
  const count = elementCount(shape);
  if (values.length !== count) {
    throw badRequest(
      `${field}: shape [${shape.join(', ')}] takes ${count} elements, but "${member}" has ${values.length}.`,
    );
  }
  if (datatype === 'BYTES' || datatype === 'INT64' || datatype === 'UINT64') {
    const data = allocate(datatype, count);
    for (const [index, value] of values.entries()) {
      if (typeof value === 'bigint') data[index] = value;
      else if (value instanceof Uint8Array) data[index] = readString(field, index, value);
    }
    return { datatype, shape, data };
  }
  return readTensor(field, datatype, shape, values);
}
