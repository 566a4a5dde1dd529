import { absentTensor } from '../../inference/absentTensor.ts';
import { columnNames, readTable, type Table } from '../../inference/columns.ts';
import { given, type Tensor } from '../../inference/datatypes.ts';
import { checkShape, type Predictor, unknownInput } from '../../inference/predictor.ts';
import { badRequest } from '../../inference/problem.ts';
import { nestedShape, readTensor } from '../../inference/tensorJson.ts';
import { isJsonObject, type JsonObject } from '../requestBody.ts';

/** What the reading of a request needs to know of a model. */
export type RequestForm = Pick<Predictor, 'inputs' | 'fixedInputs' | 'layout' | 'hasColumnSignature'>;

/** @throws RequestProblem 400 when the model takes no table, or not this one. */
export function readTableFeeds(table: Table, { layout, inputs }: RequestForm): readonly Tensor[] {
  if (!layout) throw badRequest('The inputs of this model are no columns of a table; send "inputs".');
  return readTable(table, layout, inputs);
}

export function isListOf<Element>(
  value: unknown,
  is: (element: unknown) => element is Element,
): value is readonly Element[] {
  return Array.isArray(value) && value.every(is);
}

/**
 * A table of which each row comes as an object of its columns. Rows must have the same columns: what one forgot would
 * else become NaN without a word.
 *
 * @param field what the client calls the list.
 * @throws RequestProblem 400.
 */
export function readRecords(field: string, records: unknown, { layout }: RequestForm): Table {
  if (!isListOf(records, isJsonObject)) throw badRequest(`"${field}" must be a list of objects, one a row.`);
  const columns = records[0] ? Object.keys(records[0]) : ((layout && columnNames(layout)) ?? []);
  const known = new Set(columns);
  const rows = records.map((record, row) => {
    const missing = columns.find((column) => !Object.hasOwn(record, column));
    const extra = Object.keys(record).find((column) => !known.has(column));
    if (missing !== undefined) {
      throw badRequest(`Column "${missing}" is missing in row ${row} of "${field}".`);
    }
    if (extra !== undefined) {
      throw badRequest(`Row ${row} of "${field}" has a column "${extra}" that row 0 has not.`);
    }
    return columns.map((column) => record[column]);
  });
  return { columns, rows };
}

/** Whether an object's members are columns of the model's table, and not its tensors. */
export function namesColumns(content: JsonObject, { inputs, layout }: RequestForm): boolean {
  const names = layout?.named ? columnNames(layout) : null;
  if (!names) return false;
  return inputs.length > 1 || names.some((name) => Object.hasOwn(content, name));
}

/**
 * The feeds of a table whose columns come each as the list of its values.
 *
 * @throws RequestProblem 400 when columns have different lengths, one is missing, or a value does not fit.
 */
export function readColumnLists(content: JsonObject, form: RequestForm): readonly Tensor[] {
  const columns = Object.keys(content);
  const lists = columns.map((name) => {
    const values = content[name];
    const list = Array.isArray(values) ? values : [values];
    return list.map(onlyElement);
  });
  const length = lists[0]?.length ?? 0;
  const uneven = lists.findIndex((list) => list.length !== length);
  if (uneven !== -1) {
    throw badRequest(
      `Column "${columns[uneven]}" has ${lists[uneven]?.length} values, but column "${columns[0]}" has ${length}.`,
    );
  }
  const rows = Array.from({ length }, (_, row) => lists.map((list) => list[row]));
  return readTableFeeds({ columns, rows }, form);
}

/** A column may come as a tensor of one element a row. */
export function onlyElement(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}

/**
 * The feeds of tensors by name, or of the only tensor of the model.
 *
 * @throws RequestProblem 400 when one is missing or unknown, or a value does not fit.
 */
export function readTensorsByName(content: unknown, form: RequestForm): readonly Tensor[] {
  const { inputs } = form;
  const [only] = inputs;
  if (!isJsonObject(content) && (inputs.length !== 1 || !only)) {
    throw badRequest(
      `The model has ${inputs.length} inputs, so they must be sent by name: ${inputs.map(({ name }) => name).join(', ')}; got ${given(content)}.`,
    );
  }
  const byName: JsonObject = isJsonObject(content) ? content : { [only?.name ?? '']: content };
  const unknown = Object.keys(byName).find((name) => !inputs.some((input) => input.name === name));
  if (unknown !== undefined) throw unknownInput(form, unknown);
  const feeds = inputs.map((input) => {
    if (!Object.hasOwn(byName, input.name)) {
      if (input.optional) return null;
      throw badRequest(`Input "${input.name}" is missing.`);
    }
    const value = byName[input.name];
    const shape = nestedShape(value);
    checkShape(input, shape);
    return readTensor(`Input "${input.name}"`, input.datatype, shape, value);
  });
  const rows = feeds.find((feed) => feed !== null)?.shape[0] ?? 1;
  return inputs.map((input, index) => feeds[index] ?? absentTensor(input, rows));
}
