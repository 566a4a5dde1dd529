import { columnNames } from '../../inference/columns.ts';
import type { Predictor } from '../../inference/predictor.ts';
import { isJsonObject, type JsonObject } from '../requestBody.ts';
import { isListOf } from './namedTensors.ts';
import { classOutputs, valueOutput } from './tensorflowResults.ts';

/** Request bodies that a model accepts, in each protocol: its example request in their words. */
export interface ExampleRequests {
  /** Of the Open Inference Protocol. */
  readonly infer: JsonObject;
  /** Of `:predict`, by a word that says what they show. */
  readonly predict: Readonly<Record<string, JsonObject>>;
  /** Null when the model does not answer `:classify`. */
  readonly classify: JsonObject | null;
  /** Null when the model does not answer `:regress`. */
  readonly regress: JsonObject | null;
  /** Of `/invocations`, by a word that says what they show. */
  readonly invocations: Readonly<Record<string, JsonObject>>;
  /** Null when the model takes no table. */
  readonly csv: string | null;
  readonly jsonLines: string | null;
}

interface ExampleTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: readonly unknown[];
}

export function exampleRequests(predictor: Predictor): ExampleRequests {
  const infer: unknown = JSON.parse(predictor.exampleRequest);
  const tensors = tensorsOf(infer);
  const inputs = Object.fromEntries(tensors.map(({ name, shape, data }) => [name, nest(data, shape)]));
  const table = tableOf(tensors, predictor);
  const record = table && Object.fromEntries(table.columns.map((name, index) => [name, table.row[index]]));
  const isNamed = predictor.layout !== null && columnNames(predictor.layout) !== null;
  const example = isNamed && record ? record : featuresOf(tensors);
  return {
    infer: isJsonObject(infer) ? infer : {},
    predict: {
      ...(answersRows(predictor, tensors) ? { instances: { instances: instancesOf(tensors) } } : {}),
      inputs: { inputs },
    },
    classify: classOutputs(predictor.outputs) && example && { examples: [example] },
    regress: valueOutput(predictor.outputs) === null || !example ? null : { examples: [example] },
    invocations: {
      ...(table && record
        ? {
            dataframe_split: { dataframe_split: { columns: table.columns, data: [table.row] } },
            dataframe_records: { dataframe_records: [record] },
          }
        : {}),
      inputs: { inputs },
    },
    csv: table && `${csvLine(table.columns)}${csvLine(table.row)}`,
    jsonLines: table && `${JSON.stringify(table.row)}\n`,
  };
}

function tensorsOf(infer: unknown): readonly ExampleTensor[] {
  const inputs = isJsonObject(infer) && isListOf(infer.inputs, isJsonObject) ? infer.inputs : [];
  return inputs.flatMap(({ name, shape, data }) =>
    typeof name === 'string' && isListOf(shape, isNumber) && Array.isArray(data)
      ? [{ name, shape, data }]
      : [],
  );
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

/** Flat elements in nested lists; a scalar as itself. */
function nest(data: readonly unknown[], shape: readonly number[]): unknown {
  const [size, ...rest] = shape;
  if (size === undefined) return data[0];
  const each = rest.reduce((product, length) => product * length, 1);
  return Array.from({ length: size }, (_, index) => nest(data.slice(index * each, (index + 1) * each), rest));
}

/** The first row of the example as a row of the model's table; null when it takes none or it has no row. */
function tableOf(tensors: readonly ExampleTensor[], { inputs, layout }: Predictor) {
  if (!layout) return null;
  const cells = layout.places.map(({ input, offset, name }, index) => {
    const tensor = tensors.find((candidate) => candidate.name === inputs[input]?.name);
    return { name: name ?? String(index), isThere: tensor !== undefined, value: tensor?.data[offset] };
  });
  const there = cells.filter(({ isThere }) => isThere);
  const isWhole = there.length === cells.length || layout.named;
  if (there.length === 0 || !isWhole || tensors.some(({ shape }) => shape[0] === 0)) return null;
  const isNamed = columnNames(layout) !== null;
  const columns = there.map(({ name }, index) => (isNamed ? name : String(index)));
  return { columns, row: there.map(({ value }) => value ?? null) };
}

/** The first row of each tensor as a flat list: the features of an example. Null when one has deeper rows. */
function featuresOf(tensors: readonly ExampleTensor[]): JsonObject | null {
  if (tensors.some(({ shape }) => shape.length === 0 || shape.length > 2 || shape[0] === 0)) return null;
  return Object.fromEntries(
    tensors.map(({ name, shape: [, width = 1], data }) => [name, data.slice(0, width)]),
  );
}

/** Whether each row of a request has its row in the answer. */
function answersRows({ outputs }: Predictor, tensors: readonly ExampleTensor[]): boolean {
  const [first] = tensors;
  const rows = first?.shape[0];
  return (
    rows !== undefined &&
    rows > 0 &&
    tensors.every(({ shape }) => shape[0] === rows) &&
    outputs.every(({ shape }) => shape !== null && (shape[0] === -1 || shape[0] === rows))
  );
}

function instancesOf(tensors: readonly ExampleTensor[]): readonly unknown[] {
  const rows = tensors.map(({ data, shape }) => nest(data, shape));
  const [only, second] = rows;
  if (Array.isArray(only) && second === undefined) return only;
  const count = Array.isArray(only) ? only.length : 0;
  return Array.from({ length: count }, (_, row) =>
    Object.fromEntries(
      tensors.map(({ name }, index) => {
        const values = rows[index];
        return [name, Array.isArray(values) ? values[row] : null];
      }),
    ),
  );
}

function csvLine(values: readonly unknown[]): string {
  const fields = values.map((value) => {
    if (typeof value === 'string') return `"${value.replaceAll('"', '""')}"`;
    return value === null ? '' : String(value);
  });
  return `${fields.join(',')}\n`;
}
