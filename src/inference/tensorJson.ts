import { worded } from '../protocol/errorDetails.ts';
import {
  allocate,
  type Datatype,
  elementJson,
  expectation,
  given,
  isPlainJson,
  sliceData,
  type Tensor,
  writeElements,
} from './datatypes.ts';
import { badRequest } from './problem.ts';

/**
 * Reads a tensor of a known shape from JSON. The elements come flat, row by row, or nested as the shape is.
 *
 * @param field what to call it in an error, such as `Input "x"`.
 * @param nullable see `TensorSpecification`.
 * @throws RequestProblem 400 when the number of elements, the nesting or an element does not fit.
 */
export function readTensor(
  field: string,
  datatype: Datatype,
  shape: readonly number[],
  json: unknown,
  nullable = false,
): Tensor {
  const count = elementCount(shape);
  const elements = Array.isArray(json) ? json : [json];
  const nested = Array.isArray(elements[0]) && shape.length > 0;
  if (!nested && elements.length !== count) {
    throw badRequest(
      `${field}: shape [${shape.join(', ')}] takes ${count} elements, but data has ${elements.length}.`,
    );
  }
  // Ahead of the allocation, so that a shape cannot ask for more memory than the body gives reason for.
  if (nested) checkNesting(field, shape, 0, elements, '');
  const tensor = { datatype, shape, data: allocate(datatype, count) };
  fill(field, tensor, 0, elements, nested ? shape.length - 1 : 0, nullable);
  return tensor;
}

/**
 * Writes the elements of a list into a tensor.
 *
 * @param at where the first belongs.
 * @param depth how many lists lie in each other below this one.
 * @returns where the next belongs.
 */
function fill(
  field: string,
  tensor: Tensor,
  at: number,
  values: readonly unknown[],
  depth: number,
  nullable: boolean,
): number {
  if (depth > 0) {
    let next = at;
    for (const value of values) {
      if (Array.isArray(value)) next = fill(field, tensor, next, value, depth - 1, nullable);
    }
    return next;
  }
  const { datatype, shape, data } = tensor;
  const written = writeElements(datatype, data, at, values, nullable);
  if (written < values.length) {
    throw wrongElement(field, datatype, placeOf(at + written, shape), values[written]);
  }
  return at + written;
}

/** The error for an element that its datatype cannot hold. */
export function wrongElement(field: string, datatype: Datatype, place: string, value: unknown): Error {
  return badRequest(
    `${field}, element ${place}: expected ${worded(expectation(datatype))}, got ${given(value)}.`,
  );
}

function checkNesting(
  field: string,
  shape: readonly number[],
  depth: number,
  values: readonly unknown[],
  place: string,
): void {
  const expected = shape[depth];
  if (values.length !== expected) {
    throw badRequest(
      `${field}: data${place} has ${values.length} elements, but shape [${shape.join(', ')}] says ${expected}.`,
    );
  }
  if (depth === shape.length - 1) return;
  for (const [index, value] of values.entries()) {
    const here = `${place}[${index}]`;
    if (!Array.isArray(value)) {
      throw badRequest(`${field}: data${here} must be a list of ${shape[depth + 1]}, got ${given(value)}.`);
    }
    checkNesting(field, shape, depth + 1, value, here);
  }
}

/**
 * The shape of nested JSON lists, read along their first elements. `readTensor` finds the ragged ones.
 */
export function nestedShape(json: unknown): readonly number[] {
  const shape: number[] = [];
  let value = json;
  while (Array.isArray(value) && shape.length < 16) {
    shape.push(value.length);
    value = value[0];
  }
  return shape;
}

/** How many elements a shape has. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function placeOf(index: number, shape: readonly number[]): string {
  const place: number[] = [];
  let rest = index;
  for (const size of [...shape].reverse()) {
    place.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return `[${place.join(', ')}]`;
}

const shortLength = 1024;

/** The elements of a tensor as one flat JSON list. */
export function flatJson(tensor: Tensor): string {
  const { datatype, data } = tensor;
  // Short lists are put together sooner than they are looked through for what the language would write in another way.
  if (data.length > shortLength && isPlainJson(tensor)) {
    return Array.isArray(data) ? JSON.stringify(data) : `[${data.join(',')}]`;
  }
  let text = '[';
  for (let index = 0; index < data.length; index++) {
    if (index > 0) text += ',';
    text += elementJson(datatype, data[index] ?? 0);
  }
  return `${text}]`;
}

/** A tensor as nested JSON lists; a scalar as itself. */
export function nestedJson(tensor: Tensor): string {
  const { datatype, data } = tensor;
  if (isPlainJson(tensor)) return JSON.stringify(nested(tensor, (index) => data[index]));
  // The texts of the elements stand in the lists as they are, which JSON.stringify would quote.
  const write = (value: Nested<string>): string =>
    typeof value === 'string' ? value : `[${value.map(write).join(',')}]`;
  return write(nested(tensor, (index) => elementJson(datatype, data[index] ?? 0)));
}

type Nested<Element> = Element | readonly Nested<Element>[];

/** The elements in lists of lists, as deep as the shape; a scalar as itself. */
function nested<Element>({ shape }: Tensor, element: (index: number) => Element): Nested<Element> {
  const list = (depth: number, from: number, count: number): Nested<Element> => {
    if (depth === shape.length) return element(from);
    const size = shape[depth] ?? 0;
    const each = size === 0 ? 0 : count / size;
    const values: Nested<Element>[] = [];
    for (let index = 0; index < size; index++) values.push(list(depth + 1, from + index * each, each));
    return values;
  };
  return list(0, 0, elementCount(shape));
}

/** Each row of a tensor as JSON: what lies under one index of its first dimension. A scalar is one row. */
export function rowsJson(tensor: Tensor): readonly string[] {
  const [rows = 1, ...shape] = tensor.shape;
  const { datatype, data } = tensor;
  if (shape.length === 0) {
    return Array.from<number | bigint | string, string>(data, (value) => elementJson(datatype, value));
  }
  const size = elementCount(shape);
  return Array.from({ length: rows }, (_, row) =>
    nestedJson({ ...tensor, shape, data: sliceData(data, row * size, (row + 1) * size) }),
  );
}
