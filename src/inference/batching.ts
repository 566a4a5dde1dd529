import { copyNumbers } from '../protocol/numberData.ts';
import { allocate, rowCount, sliceData, type Tensor, type TensorData } from './datatypes.ts';
import type { Feeds, Model } from './model.ts';
import { elementCount } from './tensorJson.ts';
import { afterThisTurn, endOfTurn } from './turn.ts';

/** Runs a model for many requests at a time. */
export interface Batcher {
  /** Outputs for the feeds of one request, as if it ran alone. Rejects with what `explain` makes of an error. */
  run(feeds: readonly Tensor[]): Promise<readonly Tensor[]>;
}

/** One run of a model, for one request or for several that shared it. */
export interface ModelRun {
  readonly rows: number;
  readonly requests: number;
  /** How long the requests waited until the runtime was asked, added up. */
  readonly queueMicroseconds: number;
  readonly runMicroseconds: number;
  readonly succeeded: boolean;
}

interface Asked {
  /** As `performance.now()` tells it. */
  readonly since: number;
  readonly feeds: readonly Tensor[];
}

interface Waiting extends Asked {
  readonly resolve: (outputs: readonly Tensor[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A batch of several requests with fewer rows grows until it is computed, as a run costs more than so few rows do. Where it
 * begins with more, larger batches were measured to cost more for each row; and a request that is alone costs least alone.
 */
const growingRows = 64;

/** What a request is told of an error of the runtime. */
type Explain = (error: unknown) => Error;

/**
 * Requests that are there at the same time run as one batch; none ever waits for another to come. The runtime computes a
 * turn of the event loop after it was asked to; what arrives until then joins several that have few rows.
 *
 * @param joinable whether rows are independent of each other, as the warm-up found.
 * @param batchRows a batch takes no further request once it has so many rows.
 * @param observe told of each run.
 */
export function createBatcher(
  model: Model,
  joinable: boolean,
  batchRows: number,
  explain: Explain,
  observe: (run: ModelRun) => void,
): Batcher {
  const runner = createRunner(model, observe);
  if (!joinable || batchRows === 1) {
    return {
      run: (feeds) => {
        const requests = [{ since: performance.now(), feeds }];
        return runner
          .run(feeds, () => requests)
          .catch((error: unknown) => {
            throw explain(error);
          });
      },
    };
  }
  let waiting: Waiting[] = [];
  let running = false;

  const take = (begun: readonly Waiting[]): readonly Waiting[] => {
    const { batch, rest } = takeBatch(begun.length > 0 ? [...begun, ...waiting] : waiting, batchRows);
    waiting = rest;
    return batch;
  };
  const work = async () => {
    while (waiting.length > 0) {
      const batch = take([]);
      if (batch.length === 1) await runApart(runner, batch, explain);
      else await runTogether(runner, batch, (begun) => (waiting.length > 0 ? take(begun) : begun), explain);
    }
    running = false;
  };
  const begin = () => void work();
  return {
    run: (feeds) =>
      new Promise((resolve, reject) => {
        waiting.push({ since: performance.now(), feeds, resolve, reject });
        if (running) return;
        running = true;
        // Whatever else arrived in this turn of the event loop comes along.
        afterThisTurn(begin);
      }),
  };
}

/** A model whose runs are told of. */
interface Runner {
  readonly inputs: Model['inputs'];
  /** @param requests gives those that share the run; it may change until the feeds were asked for the last time. */
  run(feeds: Feeds, requests: () => readonly Asked[]): Promise<readonly Tensor[]>;
}

function createRunner(model: Model, observe: (run: ModelRun) => void): Runner {
  return {
    inputs: model.inputs,
    async run(feeds, requests) {
      const began = performance.now();
      let succeeded = false;
      try {
        const outputs = await model.run(feeds);
        succeeded = true;
        return outputs;
      } finally {
        let waited = 0;
        // Those that joined it since did not wait.
        for (const { since } of requests()) waited += Math.max(0, began - since);
        observe({
          rows: rowsOf(requests()),
          requests: requests().length,
          queueMicroseconds: waited * 1000,
          runMicroseconds: (performance.now() - began) * 1000,
          succeeded,
        });
      }
    },
  };
}

/** The oldest request and those that fit to it, up to a full batch; and those that are left. */
function takeBatch(
  waiting: readonly Waiting[],
  batchRows: number,
): { readonly batch: readonly Waiting[]; readonly rest: Waiting[] } {
  const batch: Waiting[] = [];
  const rest: Waiting[] = [];
  let rows = 0;
  let full = false;
  for (const request of waiting) {
    const first = batch[0];
    const added = rowCount(request.feeds);
    if (!first) full = !haveOneRowCount(request.feeds);
    else if (full || !haveOneRowCount(request.feeds) || !sameRowShapes(request.feeds, first.feeds)) {
      rest.push(request);
      continue;
    } else if (rows + added > batchRows) {
      // Those behind it would overtake it again and again.
      full = true;
      rest.push(request);
      continue;
    }
    batch.push(request);
    rows += added;
  }
  return { batch, rest };
}

/** Inputs of unknown rank take scalars and different numbers of rows: such feeds cannot lie below those of others. */
function haveOneRowCount(feeds: readonly Tensor[]): boolean {
  const rows = feeds[0]?.shape[0];
  for (const { shape } of feeds) if (shape.length === 0 || shape[0] !== rows) return false;
  return true;
}

async function runApart(model: Runner, batch: readonly Waiting[], explain: Explain): Promise<void> {
  for (const request of batch) {
    const { feeds, resolve, reject } = request;
    try {
      resolve(await model.run(feeds, () => [request]));
    } catch (error) {
      reject(explain(error));
    }
  }
}

/** @param grow gives a batch with those that came since it was put together, as far as they fit to it. */
async function runTogether(
  model: Runner,
  first: readonly Waiting[],
  grow: (batch: readonly Waiting[]) => readonly Waiting[],
  explain: Explain,
): Promise<void> {
  let batch = first;
  let answers: readonly (readonly Tensor[])[] | null = null;
  try {
    let joined = joinFeeds(model, batch);
    const latest = () => {
      const grown = grow(batch);
      if (grown.length > batch.length) {
        batch = grown;
        joined = joinFeeds(model, batch);
      }
      return joined;
    };
    const grows = rowsOf(batch) < growingRows;
    // What arrives in the coming turn then goes on before the runtime, which is asked after this, computes.
    if (grows) void endOfTurn();
    const outputs = await model.run(grows ? latest : joined, () => batch);
    answers = takeApart(outputs, batch);
  } catch {
    // It failed as a whole: each request must learn for itself whether it was the reason.
  }
  if (!answers) return runApart(model, batch, explain);
  for (const [index, { resolve }] of batch.entries()) resolve(answers[index] ?? []);
}

function joinFeeds(model: Runner, batch: readonly Waiting[]): readonly Tensor[] {
  return model.inputs.map((_, input) => joinRows(feedsOf(batch, input)));
}

function rowsOf(batch: readonly Asked[]): number {
  let rows = 0;
  for (const { feeds } of batch) rows += rowCount(feeds);
  return rows;
}

/** What each request of a batch gets of the outputs; null when they do not have a row for each of its rows. */
function takeApart(
  outputs: readonly Tensor[],
  batch: readonly Waiting[],
): readonly (readonly Tensor[])[] | null {
  const rows = rowsOf(batch);
  if (outputs.some(({ shape }) => shape[0] !== rows)) return null;
  const slices = outputs.map(rowSlicer);
  let from = 0;
  return batch.map(({ feeds }) => {
    const start = from;
    from += rowCount(feeds);
    return slices.map((slice) => slice(start, from));
  });
}

/** What each request gives for one input. */
function feedsOf(batch: readonly Waiting[], input: number): readonly Tensor[] {
  const tensors: Tensor[] = [];
  for (const { feeds } of batch) {
    const feed = feeds[input];
    if (feed) tensors.push(feed);
  }
  return tensors;
}

function sameRowShapes(left: readonly Tensor[], right: readonly Tensor[]): boolean {
  for (let input = 0; input < left.length; input++) {
    const shape = left[input]?.shape ?? [];
    const other = right[input]?.shape ?? [];
    if (shape.length !== other.length || left[input]?.absent !== right[input]?.absent) return false;
    for (let axis = 1; axis < shape.length; axis++) if (shape[axis] !== other[axis]) return false;
  }
  return true;
}

/** Tensors of equal row shapes, one below the other. */
export function joinRows(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  if (!first) throw new Error('There is nothing to join.');
  let rows = 0;
  for (const { shape } of tensors) rows += shape[0] ?? 0;
  const shape = [rows, ...first.shape.slice(1)];
  const data = allocate(first.datatype, elementCount(shape));
  let at = 0;
  for (const tensor of tensors) {
    copyElements(tensor.data, data, at);
    at += tensor.data.length;
  }
  return { ...first, shape, data };
}

/** Copies all elements of `from` to `to`, which has the same type, from the place `at` on. */
function copyElements(from: TensorData, to: TensorData, at: number): void {
  if (!Array.isArray(from) && !Array.isArray(to)) copyNumbers(from, to, at);
  else for (let index = 0; index < from.length; index++) to[at + index] = from[index] ?? '';
}

/** The rows from `from` up to, not including, `to`; they share the memory of the tensor where they can. */
export function sliceRows(tensor: Tensor, from: number, to: number): Tensor {
  return rowSlicer(tensor)(from, to);
}

/** `sliceRows` of one tensor, again and again. */
function rowSlicer(tensor: Tensor): (from: number, to: number) => Tensor {
  const row = tensor.shape.slice(1);
  const size = elementCount(row);
  let shape: readonly number[] = [];
  return (from, to) => {
    // Requests of a batch have mostly as many rows as the one before.
    if (shape[0] !== to - from) shape = [to - from, ...row];
    return { ...tensor, shape, data: sliceData(tensor.data, from * size, to * size) };
  };
}
