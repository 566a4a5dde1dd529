import { allocate, rowCount, sliceData, type Tensor } from './datatypes.ts';
import type { Model } from './model.ts';
import { elementCount } from './tensorJson.ts';

/** Runs a model for many requests at a time. */
export interface Batcher {
  /** Outputs for the feeds of one request, as if it ran alone. @throws Error what the runtime says. */
  run(feeds: readonly Tensor[]): Promise<readonly Tensor[]>;
}

interface Waiting {
  readonly feeds: readonly Tensor[];
  readonly resolve: (outputs: readonly Tensor[]) => void;
  readonly reject: (error: unknown) => void;
}

/** A batch takes no further request once it has so many rows. */
const fullBatchRows = 1024;

/**
 * Requests that are there at the same time run as one batch; none ever waits for another to come.
 *
 * @param joinable whether rows are independent of each other (`rowsAreIndependent`).
 */
export function createBatcher(model: Model, joinable: boolean): Batcher {
  if (!joinable) return { run: (feeds) => model.run(feeds) };
  let waiting: Waiting[] = [];
  let running = false;

  const work = async () => {
    while (waiting.length > 0) {
      const batch = takeBatch(waiting);
      const taken = new Set(batch);
      waiting = waiting.filter((request) => !taken.has(request));
      await runBatch(model, batch);
    }
    running = false;
  };
  return {
    run: (feeds) =>
      new Promise((resolve, reject) => {
        waiting.push({ feeds, resolve, reject });
        if (running) return;
        running = true;
        // Whatever else arrived in this turn of the event loop comes along.
        setImmediate(() => void work());
      }),
  };
}

/** The oldest request and those that fit to it, up to a full batch. */
function takeBatch(waiting: readonly Waiting[]): readonly Waiting[] {
  const [oldest] = waiting;
  if (!oldest) return [];
  if (!haveOneRowCount(oldest.feeds)) return [oldest];
  const batch: Waiting[] = [];
  let rows = 0;
  for (const request of waiting) {
    if (!haveOneRowCount(request.feeds) || !sameRowShapes(request.feeds, oldest.feeds)) continue;
    const added = rowCount(request.feeds);
    if (batch.length > 0 && rows + added > fullBatchRows) break;
    batch.push(request);
    rows += added;
  }
  return batch;
}

/** Inputs of unknown rank take scalars and different numbers of rows: such feeds cannot lie below those of others. */
function haveOneRowCount(feeds: readonly Tensor[]): boolean {
  return feeds.every(({ shape }) => shape.length > 0 && shape[0] === feeds[0]?.shape[0]);
}

async function runBatch(model: Model, batch: readonly Waiting[]): Promise<void> {
  if (batch.length > 1) {
    const answers = await runJoined(model, batch);
    if (answers) {
      for (const [index, { resolve }] of batch.entries()) resolve(answers[index] ?? []);
      return;
    }
  }
  for (const { feeds, resolve, reject } of batch) await model.run(feeds).then(resolve, reject);
}

/** Null when the batch failed as a whole: then each request must learn for itself whether it was the reason. */
async function runJoined(
  model: Model,
  batch: readonly Waiting[],
): Promise<readonly (readonly Tensor[])[] | null> {
  const counts = batch.map(({ feeds }) => rowCount(feeds));
  const joined = model.inputs.map((_, input) =>
    joinRows(batch.flatMap(({ feeds }) => feeds.slice(input, input + 1))),
  );
  let outputs: readonly Tensor[];
  try {
    outputs = await model.run(joined);
  } catch {
    return null;
  }
  const rows = counts.reduce((sum, count) => sum + count, 0);
  if (outputs.some(({ shape }) => shape[0] !== rows)) return null;
  let from = 0;
  return counts.map((count) => {
    const start = from;
    from += count;
    return outputs.map((output) => sliceRows(output, start, from));
  });
}

function sameRowShapes(left: readonly Tensor[], right: readonly Tensor[]): boolean {
  return left.every(({ shape }, input) => {
    const other = right[input]?.shape ?? [];
    return shape.length === other.length && shape.every((size, axis) => axis === 0 || size === other[axis]);
  });
}

/** Tensors of equal row shapes, one below the other. */
export function joinRows(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  if (!first) throw new Error('There is nothing to join.');
  const rows = tensors.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const shape = [rows, ...first.shape.slice(1)];
  const data = allocate(first.datatype, elementCount(shape));
  let at = 0;
  for (const tensor of tensors) {
    for (const value of tensor.data) data[at++] = value;
  }
  return { datatype: first.datatype, shape, data };
}

/** The rows from `from` up to, not including, `to`. */
export function sliceRows(tensor: Tensor, from: number, to: number): Tensor {
  const [, ...rest] = tensor.shape;
  const size = elementCount(rest);
  return { ...tensor, shape: [to - from, ...rest], data: sliceData(tensor.data, from * size, to * size) };
}
