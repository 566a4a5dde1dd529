import { sliceRows } from '../../inference/batching.ts';
import type { ColumnLayout } from '../../inference/columns.ts';
import { allocate, type Tensor } from '../../inference/datatypes.ts';
import {
  loadModel,
  type Model,
  type OutputSpecification,
  type TensorSpecification,
} from '../../inference/model.ts';
import { createPredictor } from '../../inference/predictor.ts';
import { RequestProblem } from '../../inference/problem.ts';
import { openPythonModel } from '../../inference/python/pythonModel.ts';
import { loadRuntime } from '../../inference/runtime.ts';
import { elementCount } from '../../inference/tensorJson.ts';
import type { Detail } from '../../protocol/errorDetails.ts';
import type { ScorerModel } from '../../protocol/scorer.ts';

/** A model that is asked for many rows at a time. */
export interface ScoringModel {
  readonly inputs: readonly TensorSpecification[];
  readonly outputs: readonly OutputSpecification[];
  /** Null when it takes no table. */
  readonly layout: ColumnLayout | null;
  readonly warnings: readonly (string | Detail)[];
  /** How many rows it is asked for at a time. */
  readonly batchRows: number;
  /**
   * Outputs for up to `batchRows` rows.
   *
   * @throws RowProblem when a row is at fault.
   */
  predict(feeds: readonly Tensor[], rows: number): Promise<readonly Tensor[]>;
  close(): Promise<void>;
}

/** Rows that the model cannot take. */
export class RowProblem extends Error {
  /** The first of them, among those that were asked for. */
  readonly row: number;

  constructor(row: number, message: string) {
    super(message);
    this.name = 'RowProblem';
    this.row = row;
  }
}

/** Enough rows to make the cost of a call small, few enough to stay in the processor's cache. */
const usualBatchRows = 4096;
/** What wide inputs hold at most at a time. */
const mostElements = 4 * 1024 * 1024;
/** Rows of a file may be slow, but not endless. */
const runMilliseconds = 3_600_000;

/** @throws SlipwayError `modelUnreadable` and what else hinders. */
export async function openScoringModel(scorerModel: ScorerModel): Promise<ScoringModel> {
  const { name, version, source, columns } = scorerModel;
  const model =
    source.type === 'onnx'
      ? await loadModel(await loadRuntime(), { name, version, file: source.file })
      : await openPythonModel({ name, version, ...source, runMilliseconds });
  try {
    return await overModel(model, columns ?? null);
  } catch (error) {
    await model.close();
    throw error;
  }
}

async function overModel(model: Model, columns: readonly string[] | null): Promise<ScoringModel> {
  const { inputs, outputs, layout, warnings, predict } = await createPredictor(model, columns);
  const fixedRows = Math.max(...inputs.map(({ shape }) => shape?.[0] ?? -1));
  const width = layout?.places.length ?? 1;
  const batchRows =
    fixedRows > 0 ? fixedRows : Math.max(1, Math.min(usualBatchRows, Math.floor(mostElements / width)));
  const predictFull = async (feeds: readonly Tensor[], rows: number): Promise<readonly Tensor[]> => {
    if (fixedRows <= 0 || rows === fixedRows) return predict(feeds);
    // The model takes no fewer rows: the last one stands in for those that are missing.
    const answers = await predict(feeds.map((feed) => filledUp(feed, rows, fixedRows)));
    return answers.map((answer) => (answer.shape[0] === fixedRows ? sliceRows(answer, 0, rows) : answer));
  };
  return {
    inputs,
    outputs,
    layout,
    warnings,
    batchRows,
    async predict(feeds, rows) {
      try {
        return await predictFull(feeds, rows);
      } catch (error) {
        if (!(error instanceof RequestProblem) || error.status >= 500) throw error;
        throw await firstProblem(predictFull, feeds, rows, error);
      }
    },
    close: () => model.close(),
  };
}

/** Halves a batch that the model refused until it is clear which row it is. */
async function firstProblem(
  predict: (feeds: readonly Tensor[], rows: number) => Promise<readonly Tensor[]>,
  feeds: readonly Tensor[],
  rows: number,
  refusal: RequestProblem,
): Promise<RowProblem> {
  let from = 0;
  let to = rows;
  let reason = refusal.message;
  while (to - from > 1) {
    const middle = (from + to) >> 1;
    const start = from;
    try {
      await predict(
        feeds.map((feed) => sliceRows(feed, start, middle)),
        middle - start,
      );
      from = middle;
    } catch (error) {
      if (!(error instanceof RequestProblem)) throw error;
      reason = error.message;
      to = middle;
    }
  }
  return new RowProblem(from, reason);
}

function filledUp(feed: Tensor, rows: number, wanted: number): Tensor {
  const shape = [wanted, ...feed.shape.slice(1)];
  const data = allocate(feed.datatype, elementCount(shape));
  const size = elementCount(shape.slice(1));
  for (let at = 0; at < data.length; at++) {
    const row = Math.min(rows - 1, Math.floor(at / size));
    data[at] = feed.data[row * size + (at % size)] ?? 0;
  }
  return { ...feed, shape, data };
}
