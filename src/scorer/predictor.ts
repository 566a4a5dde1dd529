import { createBatcher } from './batching.ts';
import { type ColumnLayout, columnLayout } from './columns.ts';
import type { Tensor } from './datatypes.ts';
import type { Model, OutputSpecification, TensorSpecification } from './model.ts';
import { badRequest, RequestProblem } from './problem.ts';
import { exampleRequest, warmUp } from './warmUp.ts';

/** A warm model behind its checks: what the protocols ask for predictions. */
export interface Predictor {
  readonly inputs: readonly TensorSpecification[];
  readonly outputs: readonly OutputSpecification[];
  /** Null when the model takes no table. */
  readonly layout: ColumnLayout | null;
  /** The columns have names of the model's signature, so that it is served as a function of a table. */
  readonly hasColumnSignature: boolean;
  readonly exampleRequest: string;
  readonly warnings: readonly string[];
  /**
   * Outputs for the feeds of a request, both in the order of the specifications.
   *
   * @throws RequestProblem 400 when a shape does not fit or the model cannot take the values.
   */
  predict(feeds: readonly Tensor[]): Promise<readonly Tensor[]>;
}

/** Gives the feeds of the example that was logged with a model. It may throw when that is of no use. */
export type ExampleReader = (
  form: Pick<Predictor, 'inputs' | 'layout' | 'hasColumnSignature'>,
) => readonly Tensor[];

/** Warms a model up and decides how its requests may share runs. */
export async function createPredictor(
  model: Model,
  columns: readonly string[] | null,
  readExample: ExampleReader | null = null,
): Promise<Predictor> {
  const layout = columnLayout(model.inputs, columns);
  const hasColumnSignature = columns !== null && layout?.named === true;
  const warnings = [...model.warnings];
  let logged: readonly Tensor[] | null = null;
  try {
    logged = readExample?.({ inputs: model.inputs, layout, hasColumnSignature }) ?? null;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    warnings.push(`The input example that was logged with the model cannot be used: ${detail}`);
  }
  const { joinable, refusal } = await warmUp(model, layout, logged);
  const batcher = createBatcher(model, joinable);
  if (refusal !== null)
    warnings.push(`The model refused the example request: ${plainRuntimeMessage(refusal)}`);
  if (columns && columns.length !== layout?.places.length) {
    warnings.push(
      `The model's signature names ${columns.length} columns, but its inputs take ${layout?.places.length ?? 'no table'}.`,
    );
  }
  return {
    inputs: model.inputs,
    outputs: model.outputs,
    layout,
    hasColumnSignature,
    exampleRequest: exampleRequest(model.inputs, layout, logged),
    warnings,
    async predict(feeds) {
      for (const [index, input] of model.inputs.entries()) checkShape(input, feeds[index]?.shape ?? []);
      if (joinable) checkRows(model.inputs, feeds);
      try {
        return await batcher.run(feeds);
      } catch (error) {
        throw runtimeProblem(error);
      }
    },
  };
}

/** @throws RequestProblem 400 when the model cannot take a tensor of this shape. */
export function checkShape({ name, shape: expected }: TensorSpecification, shape: readonly number[]): void {
  const fits =
    expected === null ||
    (expected.length === shape.length && expected.every((size, axis) => size === -1 || size === shape[axis]));
  if (!fits) {
    const sizes = expected?.map((size) => (size === -1 ? 'any' : size)).join(', ');
    throw badRequest(`Input "${name}": expected shape [${sizes}], got [${shape.join(', ')}].`);
  }
  // An empty tensor is an empty batch; any other size of zero could ask for results without sending data.
  if (shape.some((size, axis) => axis > 0 && size === 0)) {
    throw badRequest(`Input "${name}": only the first size of shape [${shape.join(', ')}] may be 0.`);
  }
}

/** Inputs whose first size may vary must agree on it where that size counts rows. */
function checkRows(inputs: readonly TensorSpecification[], feeds: readonly Tensor[]): void {
  let known: { readonly name: string; readonly rows: number } | null = null;
  for (const [index, { name, shape }] of inputs.entries()) {
    const rows = feeds[index]?.shape[0];
    if (shape?.[0] !== -1 || rows === undefined) continue;
    if (known && known.rows !== rows) {
      throw badRequest(`Input "${name}" has ${rows} rows, but input "${known.name}" has ${known.rows}.`);
    }
    known ??= { name, rows };
  }
}

/** A node that fails on checked inputs has been given values that it does not know, such as a new category. */
function runtimeProblem(error: unknown): RequestProblem {
  const message = error instanceof Error ? error.message : String(error);
  if (/Non-zero status code returned while running/.test(message)) {
    return badRequest(`The model cannot take these values: ${plainRuntimeMessage(message)}`);
  }
  return new RequestProblem(500, `The model failed: ${plainRuntimeMessage(message)}`);
}

/** The runtime's message without source places, which say nothing to a client. */
function plainRuntimeMessage(message: string): string {
  return message.replace(/\S*\/\S+\.(?:cc|h):\d+\s*/g, '').slice(0, 500);
}
