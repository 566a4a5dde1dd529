import { setImmediate } from 'node:timers/promises';
import { fromHalfBits } from '../protocol/halfPrecision.ts';
import { joinRows, sliceRows } from './batching.ts';
import type { ColumnLayout } from './columns.ts';
import { allocate, type Tensor, type TensorData } from './datatypes.ts';
import type { Model, TensorSpecification } from './model.ts';
import { shortestFloats } from './shortestFloats.ts';
import { elementCount, flatJson } from './tensorJson.ts';

export interface WarmUp {
  /** Whether rows are independent, so that requests may share a run. */
  readonly joinable: boolean;
  /** Feeds of one row, for a request that shows how: of the logged example, else made up. */
  readonly example: readonly Tensor[];
  /** What the runtime said when it did not accept the example; null when it did. */
  readonly refusal: string | null;
}

/**
 * Runs the model before the first request, because the first run is many times slower than the others, and looks
 * whether rows are independent: two rows together must give what they give one by one.
 *
 * @param logged the example that was logged with the model; null when there is none.
 */
export async function warmUp(
  model: Model,
  layout: ColumnLayout | null,
  logged: readonly Tensor[] | null,
): Promise<WarmUp> {
  const [first, second] = twoRows(model.inputs, layout, logged);
  try {
    const outputs = await model.run(first);
    return {
      example: first,
      refusal: null,
      joinable: await areRowsIndependent(model, first, outputs, second),
    };
  } catch (error) {
    const refusal = error instanceof Error ? error.message : String(error);
    // An axis, an index or a number of pieces is more often 0 than 1.
    const zeros = logged ? null : exampleFeeds(model.inputs, layout, 0);
    if (zeros && (await accepts(model, zeros))) return { example: zeros, refusal: null, joinable: false };
    return { example: first, refusal, joinable: false };
  }
}

/** A run may block this thread for long: first the timer that looks at how long loading takes has its turn. */
export function whileWanted(model: Model, signal: AbortSignal): Model {
  return {
    ...model,
    async run(feeds) {
      await setImmediate();
      signal.throwIfAborted();
      return model.run(feeds);
    },
  };
}

async function accepts(model: Model, feeds: readonly Tensor[]): Promise<boolean> {
  try {
    await model.run(feeds);
    return true;
  } catch {
    return false;
  }
}

async function areRowsIndependent(
  model: Model,
  first: readonly Tensor[],
  outputsOfFirst: readonly Tensor[],
  second: readonly Tensor[],
): Promise<boolean> {
  if (!haveVariableRows([...model.inputs, ...model.outputs])) return false;
  try {
    const apart = [outputsOfFirst, await model.run(second)];
    const together = await model.run(
      first.map((feed, index) => joinRows([feed, ...second.slice(index, index + 1)])),
    );
    return together.every((output, index) =>
      apart.every((outputs, row) => {
        const alone = outputs[index];
        if (output.shape[0] !== 2 || alone?.shape[0] !== 1) return false;
        return nearlyEqual(sliceRows(output, row, row + 1), alone);
      }),
    );
  } catch {
    // Whoever refuses these rows may take others, but nothing says that those are independent.
    return false;
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

/** A request body of the Open Inference Protocol with these feeds. */
export function exampleRequest(inputs: readonly TensorSpecification[], feeds: readonly Tensor[]): string {
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
    const sizes = (shape ?? [-1]).map((size, axis) => (size >= 0 ? size : axis === 1 ? columns : 1));
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

/** Sums are added up in another order when more rows are computed at a time. */
const tolerance = 1e-4;
/** Half precision has eleven binary digits. */
const halfTolerance = 2e-3;

function nearlyEqual({ datatype, data: left }: Tensor, { data: right }: Tensor): boolean {
  if (left.length !== right.length) return false;
  const allowed = datatype === 'FP16' ? halfTolerance : tolerance;
  for (let index = 0; index < left.length; index++) {
    const [one, other] = [left[index], right[index]];
    if (Object.is(one, other) || one === other) continue;
    if (typeof one !== 'number' || typeof other !== 'number') return false;
    const [a, b] = datatype === 'FP16' ? [fromHalfBits(one), fromHalfBits(other)] : [one, other];
    if (!(Math.abs(a - b) <= allowed * Math.max(1, Math.abs(a), Math.abs(b)))) return false;
  }
  return true;
}
