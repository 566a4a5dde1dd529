import { elementBytes, readBinaryTensor, readString } from '../../inference/binaryTensors.ts';
import { given } from '../../inference/datatypes.ts';
import type { TensorSpecification } from '../../inference/model.ts';
import { badRequest } from '../../inference/problem.ts';
import { elementCount } from '../../inference/tensorJson.ts';
import type { SentInput } from './openInferenceQuestion.ts';

/**
 * How binary tensors lie in a request
 * (https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md): behind the JSON,
 * in the order of the inputs. The header `Inference-Header-Content-Length` tells the length of the JSON; 0 is a raw
 * request, the bytes of the model's only input.
 */

/** The header that tells how long the JSON is. */
export const headLengthHeader = 'inference-header-content-length';

/** What stands behind the JSON, taken piece by piece. */
export interface BinaryTail {
  readonly bytes: Buffer;
  taken: number;
  /** The request said where it begins. */
  readonly announced: boolean;
}

export interface SplitBody {
  /** The JSON; null in a raw request. */
  readonly head: Buffer | null;
  readonly tail: BinaryTail;
}

/** Of all requests that have nothing there: a view of each body would be 400 bytes of garbage for each of them. */
const noBytes = Buffer.alloc(0);

/** @throws RequestProblem 400 when the header is no length, or a longer one than the body's. */
export function splitBody(header: string | string[] | undefined, body: Buffer): SplitBody {
  if (header === undefined) {
    return { head: body, tail: { bytes: noBytes, taken: 0, announced: false } };
  }
  if (typeof header !== 'string' || !/^\d{1,15}$/.test(header)) {
    throw badRequest(`The header ${headLengthHeader} must be a number of bytes, got ${given(header)}.`);
  }
  const length = Number(header);
  if (length > body.length) {
    throw badRequest(`The header ${headLengthHeader} says ${length} bytes, but the body has ${body.length}.`);
  }
  const tail = { bytes: body.subarray(length), taken: 0, announced: true };
  return { head: length === 0 ? null : body.subarray(0, length), tail };
}

/**
 * The next bytes behind the JSON; null when the input does not lie there.
 *
 * @param size the parameter `binary_data_size`, as it was sent.
 * @throws RequestProblem 400 when there are not so many.
 */
export function readBinaryTail(field: string, size: unknown, tail: BinaryTail): Uint8Array | null {
  if (size === undefined || size === null) return null;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw badRequest(`${field}: "binary_data_size" must be a number of bytes, got ${given(size)}.`);
  }
  if (!tail.announced) {
    throw badRequest(
      `${field} has a "binary_data_size", but the header ${headLengthHeader} does not say where the JSON ends.`,
    );
  }
  const left = tail.bytes.length - tail.taken;
  if (size > left) {
    throw badRequest(`${field}: "binary_data_size" is ${size}, but only ${left} bytes are left in the body.`);
  }
  const bytes = tail.bytes.subarray(tail.taken, tail.taken + size);
  tail.taken += size;
  return bytes;
}

/**
 * The only input of a model from the body of a raw request. Its shape follows from the number of bytes, where at most
 * one size may vary beside the number of rows, which is 1 then. An input of BYTES is one text without its length.
 *
 * @throws RequestProblem 400 when the model has more inputs, or the shape cannot be known.
 */
export function readRawInput(expected: readonly TensorSpecification[], bytes: Uint8Array): SentInput {
  const [input] = expected;
  if (!input || expected.length !== 1) {
    const names = expected.map(({ name }) => name).join(', ');
    throw badRequest(
      `A raw request is for a model with one input, but this one has ${expected.length}: ${names}.`,
    );
  }
  const { name, datatype } = input;
  const size = elementBytes(datatype);
  if (size === null) {
    const shape = (input.shape ?? [1]).map(() => 1);
    const read: SentInput['read'] = (field) => ({ datatype, shape, data: [readString(field, 0, bytes)] });
    return { name, datatype, shape, read };
  }
  const shape = rawShape(input, bytes.length, size);
  return { name, datatype, shape, read: (field, type, sizes) => readBinaryTensor(field, type, sizes, bytes) };
}

function rawShape({ name, shape }: TensorSpecification, length: number, size: number): readonly number[] {
  const elements = Math.floor(length / size);
  if (shape === null) return [elements];
  const varying = shape.filter((axis) => axis === -1).length;
  if (varying === 1) {
    const each = elementCount(shape.filter((axis) => axis !== -1));
    return shape.map((axis) => (axis === -1 ? Math.floor(elements / each) : axis));
  }
  if (varying === 2 && shape[0] === -1) {
    const each = elementCount(shape.filter((axis) => axis !== -1));
    return shape.map((axis, place) => (place === 0 ? 1 : axis === -1 ? Math.floor(elements / each) : axis));
  }
  if (varying === 0) return shape;
  throw badRequest(
    `Input "${name}": more than one size of its shape may vary, so a raw request cannot tell it.`,
  );
}
