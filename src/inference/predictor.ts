import { type Detail, detail } from '../protocol/errorDetails.ts';
import { createBatcher, type ModelRun } from './batching.ts';
import { type ColumnLayout, columnLayout } from './columns.ts';
import type { Tensor } from './datatypes.ts';
import { checkFeeds, checkRows } from './feedChecks.ts';
import type { Model, OutputSpecification, TensorSpecification } from './model.ts';
import { lackOf, plainRuntimeMessage } from './onnx/refusal.ts';
import { badRequest, RequestProblem } from './problem.ts';
import { exampleRequest, warmUp, whileWanted } from './warmUp.ts';

export { checkShape, unknownInput } from './feedChecks.ts';

/** A warm model behind its checks: what the protocols ask for predictions. */
export interface Predictor {
  readonly inputs: readonly TensorSpecification[];
  readonly outputs: readonly OutputSpecification[];
  /** Inputs that the file names but that have a value in it, which a client cannot replace. */
  readonly fixedInputs?: readonly string[];
  /** Null when the model takes no table. */
  readonly layout: ColumnLayout | null;
  /** The columns have names of the model's signature, so that it is served as a function of a table. */
  readonly hasColumnSignature: boolean;
  readonly exampleRequest: string;
  readonly warnings: readonly (string | Detail)[];
  /**
   * Outputs for the feeds of a request, both in the order of the specifications.
   *
   * @throws RequestProblem 400 when a feed does not fit or the model cannot take the values.
   */
  predict(feeds: readonly Tensor[]): Promise<readonly Tensor[]>;
}

/** Gives the feeds of the example that was logged with a model. It may throw when that is of no use. */
export type ExampleReader = (
  form: Pick<Predictor, 'inputs' | 'layout' | 'hasColumnSignature'>,
) => readonly Tensor[];

/**
 * Warms a model up and decides how its requests may share runs.
 *
 * @param columns names of the columns that the model was trained on, in order; null when unknown.
 * @param batchRows a run that requests share takes no further one once it has so many rows.
 * @param observe told of each run after the warm-up.
 * @param signal says that nobody wants it any more: it is not warmed further then, and of no use.
 */
export async function createPredictor(
  model: Model,
  columns: readonly string[] | null,
  readExample: ExampleReader | null = null,
  batchRows = 1024,
  observe: (run: ModelRun) => void = () => {},
  signal?: AbortSignal,
): Promise<Predictor> {
  const layout = columnLayout(model.inputs, columns);
  const hasColumnSignature = columns !== null && layout?.named === true;
  const warnings: (string | Detail)[] = [...model.warnings];
  let logged: readonly Tensor[] | null = null;
  try {
    logged = readExample?.({ inputs: model.inputs, layout, hasColumnSignature }) ?? null;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    warnings.push(detail('exampleUnusable', { why }));
  }
  const { joinable, refusal, example } = await warmUp(
    signal ? whileWanted(model, signal) : model,
    layout,
    logged,
  );
  const batcher = createBatcher(model, joinable, batchRows, runtimeProblem, observe);
  if (refusal !== null) warnings.push(detail('exampleRefused', { why: plainRuntimeMessage(refusal) }));
  if (columns && columns.length !== layout?.places.length) {
    const values = { columns: columns.length };
    warnings.push(
      layout
        ? detail('signatureColumns', { ...values, taken: layout.places.length })
        : detail('signatureNeedsTable', values),
    );
  }
  return {
    inputs: model.inputs,
    outputs: model.outputs,
    fixedInputs: model.fixedInputs ?? [],
    layout,
    hasColumnSignature,
    exampleRequest: exampleRequest(model.inputs, example),
    warnings,
    predict(feeds) {
      // No function that awaits in between: it would cost each request a promise and three turns.
      try {
        checkFeeds(model.inputs, feeds);
        if (joinable) checkRows(model.inputs, feeds);
      } catch (error) {
        return Promise.reject(error);
      }
      return batcher.run(feeds);
    },
  };
}

/** A node that fails on checked inputs has been given values that it does not know, such as a new category. */
function runtimeProblem(error: unknown): RequestProblem {
  if (error instanceof RequestProblem) return error;
  const message = error instanceof Error ? error.message : String(error);
  const lack = lackOf(error);
  if (lack !== null) return new RequestProblem(501, `Not supported by this runtime: ${lack}`);
  if (/Non-zero status code returned while running/.test(message)) {
    return badRequest(`The model cannot take these values: ${plainRuntimeMessage(message)}`);
  }
  return new RequestProblem(500, `The model failed: ${plainRuntimeMessage(message)}`);
}
