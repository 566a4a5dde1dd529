import { joinRows, sliceRows } from './batching.ts';
import type { ColumnLayout } from './columns.ts';
import { allocate, type Tensor, type TensorData } from './datatypes.ts';
import type { Model, TensorSpecification } from './model.ts';
import { shortestFloats } from './shortestFloat.ts';
import { elementCount, flatJson } from './tensorJson.ts';

export interface WarmUp {
  /** Whether rows are independent, so that requests may share a run. */
  readonly joinable: boolean;
  /** What the runtime said when it did not accept the example request; null when it did. */
  readonly refusal: string | null;
}

/**
 * Runs the model before the first request, because the first run is many times slower than the others, and looks
 * whether rows are independent: two rows together must give what they give one by one.
 */
export async function warmUp(
  model: Model,
  layout: ColumnLayout | null,
  logged: readonly Tensor[] | null,
): Promise<WarmUp> {
  const [first, second] = twoRows(model.inputs, layout, logged);
  let accepted = false;
  try {
    const apart = [await model.run(first)];
    accepted = logged !== null;
    apart.push(await model.run(second));
    if (!haveVariableRows([...model.inputs, ...model.outputs])) return { joinable: false, refusal: null };
    const together = await model.run(
      first.map((feed, index) => joinRows([feed, ...second.slice(index, index + 1)])),
    );
    const joinable = together.every((output, index) =>
      apart.every((outputs, row) => {
        const alone = outputs[index];
        if (output.shape[0] !== 2 || alone?.shape[0] !== 1) return false;
        return nearlyEqual(sliceRows(output, row, row + 1).data, alone.data);
      }),
    );
    return { joinable, refusal: null };
  } catch (error) {
    if (accepted) return { joinable: false, refusal: null };
    return { joinable: false, refusal: error instanceof Error ? error.message : String(error) };
  }
}

/** The first two rows of the logged example; what it does not have is made up. */
function twoRows(
  inputs: readonly TensorSpecification[],
  layout: ColumnLayout | null,
  logged: readonly Tensor[] | null,
): readonly [readonly Tensor[], readonly Tensor[]] {
  if (!logged) return [exampleFeeds(inputs, layout, 1), exampleFeeds(inputs, layout, 2)];
  const hasTwo = inputs.every(({ shape }, index) => shape?.[0] !== -1 || (logged[index]?.shape[0] ?? 0) > 1);
  return [rowOf(inputs, logged, 0), hasTwo ? rowOf(inputs, logged, 1) : exampleFeeds(inputs, layout, 2)];
}

/** One row of feeds; an input whose first size is fixed has no rows and stays whole. */
function rowOf(
  inputs: readonly TensorSpecification[],
  feeds: readonly Tensor[],
  row: number,
): readonly Tensor[] {
  return feeds.map((feed, index) =>
    inputs[index]?.shape?.[0] === -1 ? sliceRows(feed, row, row + 1) : feed,
  );
}

/** A request body of the Open Inference Protocol with one row: the first of the logged example, else a made-up one. */
export function exampleRequest(
  inputs: readonly TensorSpecification[],
  layout: ColumnLayout | null,
  logged: readonly Tensor[] | null,
): string {
  const feeds = logged ? rowOf(inputs, logged, 0) : exampleFeeds(inputs, layout, 0);
  const tensors = feeds.map((feed, index) => {
    const name = JSON.stringify(inputs[index]?.name);
    const shape = feed.shape.join(', ');
    return `    {"name": ${name}, "shape": [${shape}], "datatype": "${feed.datatype}", "data": ${flatJson(shortestFloats(feed))}}`;
  });
  return `{\n  "inputs": [\n${tensors.join(',\n')}\n  ]\n}`;
}

/** One row of made-up values: numbers that are all `value`, empty strings. Sizes that may vary are 1. */
function exampleFeeds(
  inputs: readonly TensorSpecification[],
  layout: ColumnLayout | null,
  value: number,
): readonly Tensor[] {
  return inputs.map(({ datatype, shape }, input) => {
    const columns = layout?.places.filter((place) => place.input === input).length ?? 1;
    const sizes = (shape ?? [-1]).map((size, axis) => (size > 0 ? size : axis === 1 ? columns : 1));
    const data = allocate(datatype, elementCount(sizes));
    if (!Array.isArray(data))
      fillNumbers(data, datatype === 'FP16' && value ? 0x3800 + value * 0x400 : value);
    if (datatype === 'BOOL') fillNumbers(data, value % 2);
    return { datatype, shape: sizes, data };
  });
}

function fillNumbers(data: TensorData, value: number): void {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.fill(BigInt(value));
  else if (!Array.isArray(data)) data.fill(value);
}

function haveVariableRows(specifications: readonly TensorSpecification[]): boolean {
  return specifications.every(({ shape }) => shape === null || shape[0] === -1);
}

const tolerance = 1e-4;

function nearlyEqual(left: TensorData, right: TensorData): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) {
    const [one, other] = [left[index], right[index]];
    if (Object.is(one, other) || one === other) continue;
    if (typeof one !== 'number' || typeof other !== 'number') return false;
    if (!(Math.abs(one - other) <= tolerance * Math.max(1, Math.abs(one), Math.abs(other)))) return false;
  }
  return true;
}
