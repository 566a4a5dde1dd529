import { missingText, type Tensor } from './datatypes.ts';
import type { Model, TensorSpecification } from './model.ts';
import { badRequest, type RequestProblem } from './problem.ts';
import { elementCount } from './tensorJson.ts';

/** More axes than any model has; the runtime would take any number of them. */
const mostAxes = 32;

/**
 * How much a request may ask for without data: the sizes beside one of 0 multiply to at most this much. A model may
 * make a result of that size, which no body of a request gives reason for.
 */
const largestEmpty = 65_536;

/**
 * Checks what the runtime would not, or would with words that say nothing to a client.
 *
 * @throws RequestProblem 400 that names the input, what it expects and what was given.
 */
export function checkFeeds(inputs: readonly TensorSpecification[], feeds: readonly Tensor[]): void {
  for (let index = 0; index < inputs.length; index++) {
    const input = inputs[index];
    const feed = feeds[index];
    if (!input) continue;
    if (!feed) throw badRequest(`Input "${input.name}" is missing.`);
    if (feed.absent && input.optional) continue;
    const { datatype, shape, data } = feed;
    if (datatype !== input.datatype) {
      throw badRequest(`Input "${input.name}": expected datatype ${input.datatype}, got ${datatype}.`);
    }
    checkShape(input, shape);
    const count = elementCount(shape);
    if (data.length !== count) {
      throw badRequest(
        `Input "${input.name}": shape [${shape.join(', ')}] takes ${count} elements, but data has ${data.length}.`,
      );
    }
    if (Array.isArray(data)) checkTexts(input, data);
  }
}

/** @throws RequestProblem 400 when the model cannot take a tensor of this shape. */
export function checkShape({ name, shape: expected }: TensorSpecification, shape: readonly number[]): void {
  let fits = expected === null ? shape.length <= mostAxes : expected.length === shape.length;
  let isEmpty = false;
  let others = 1;
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis] ?? 0;
    const wanted = expected === null ? -1 : expected[axis];
    if (wanted === -1) {
      if (size === 0) isEmpty = true;
      else others *= size;
    } else if (wanted !== size) fits = false;
  }
  if (!fits)
    throw badRequest(`Input "${name}": expected ${shapeTitle(expected)}, got [${shape.join(', ')}].`);
  if (isEmpty && others > largestEmpty) {
    throw badRequest(
      `Input "${name}": expected a shape whose other sizes multiply to at most ${largestEmpty} where one is 0, got [${shape.join(', ')}].`,
    );
  }
}

function shapeTitle(shape: readonly number[] | null): string {
  if (shape === null) return `a shape of at most ${mostAxes} sizes`;
  return `shape [${shape.map((size) => (size === -1 ? 'any' : size)).join(', ')}]`;
}

/** The runtime cuts a string off at a NUL, and puts something else in place of half a surrogate pair. */
function checkTexts({ name, nullable }: TensorSpecification, texts: readonly string[]): void {
  for (let index = 0; index < texts.length; index++) {
    const text = texts[index] ?? '';
    if (!text.includes('\0') && text.isWellFormed()) continue;
    if (nullable && text === missingText) continue;
    throw badRequest(
      `Input "${name}", element ${index}: expected a string without NUL characters (BYTES), in well-formed Unicode, got ${JSON.stringify(text.slice(0, 60))}.`,
    );
  }
}

/**
 * Inputs whose first size may vary must agree on it where that size counts rows.
 *
 * @throws RequestProblem 400 when they do not.
 */
export function checkRows(inputs: readonly TensorSpecification[], feeds: readonly Tensor[]): void {
  if (inputs.length < 2) return;
  let known: { readonly name: string; readonly rows: number } | null = null;
  for (let index = 0; index < inputs.length; index++) {
    const input = inputs[index];
    const rows = feeds[index]?.shape[0];
    if (input?.shape?.[0] !== -1 || rows === undefined) continue;
    if (known && known.rows !== rows) {
      throw badRequest(
        `Input "${input.name}" has ${rows} rows, but input "${known.name}" has ${known.rows}.`,
      );
    }
    known ??= { name: input.name, rows };
  }
}

/** The problem of a request that names an input which the model does not take: the runtime would just ignore it. */
export function unknownInput(
  { inputs, fixedInputs }: Pick<Model, 'inputs' | 'fixedInputs'>,
  name: string,
): RequestProblem {
  const names = inputs.map((input) => input.name).join(', ');
  if (fixedInputs?.includes(name)) {
    return badRequest(
      `Input "${name}" has a value in the model's file, which a request cannot replace. Inputs to send: ${names}.`,
    );
  }
  return badRequest(`The model has no input "${name}". Its inputs: ${names}.`);
}
