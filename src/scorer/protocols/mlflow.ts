import { columnNames, outputsJson, readTable, scoreMaps, type Table } from '../columns.ts';
import { readCsv } from '../csv.ts';
import { type Datatype, given, type Tensor } from '../datatypes.ts';
import type { OutputSpecification } from '../model.ts';
import { checkShape, type Predictor } from '../predictor.ts';
import { badRequest, RequestProblem } from '../problem.ts';
import { isJsonObject, type JsonObject, readJsonObject, readUtf8 } from '../requestBody.ts';
import {
  addressOf,
  json,
  openRoute,
  type Protocol,
  type ScorerAnswer,
  type ScorerRequest,
} from '../routing.ts';
import { serverVersion } from '../serverIdentity.ts';
import { nestedJson, nestedShape, readTensor, rowsJson } from '../tensorJson.ts';

/**
 * MLflow's scoring protocol, as its own server speaks it (mlflow/pyfunc/scoring_server), which is SageMaker's too.
 *
 * A body is CSV with a header, or a JSON object with exactly one of `dataframe_split`, `dataframe_records`,
 * `instances` and `inputs`; other members, `params` among them, are ignored because an ONNX model has none. Answers
 * are `{"predictions": ...}`: a list of rows for a table, an object of outputs for tensors. Tables may hold columns
 * that the model does not know.
 */
export function mlflow(predictor: Predictor): Protocol {
  const ping = openRoute(() => json(200, '\n'));
  return {
    routes: new Map([
      [addressOf('ping'), ping],
      [addressOf('health'), ping],
      [addressOf('version'), openRoute(() => json(200, serverVersion))],
      [
        addressOf('invocations'),
        {
          POST: (request: ScorerRequest) => answerInvocations(request, predictor),
          open: false,
          predicts: true,
        },
      ],
    ]),
    owns: ([first]) => first === 'invocations',
    nothingAt: (path) => `There is nothing at /${path.join('/')}.`,
    problem: ({ status, message }) =>
      json(status, JSON.stringify({ error_code: errorCodes[status] ?? 'INTERNAL_ERROR', message })),
  };
}

/** MLflow's names (mlflow/protos/databricks.proto) of the statuses that the scorer gives. */
const errorCodes: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'ENDPOINT_NOT_FOUND',
  405: 'BAD_REQUEST',
  413: 'BAD_REQUEST',
  415: 'BAD_REQUEST',
  501: 'NOT_IMPLEMENTED',
  503: 'TEMPORARILY_UNAVAILABLE',
};

export const bodyFormats = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'] as const;

export interface Question {
  readonly feeds: readonly Tensor[];
  /** Whether rows were asked for, as of a table, and not tensors. */
  readonly byRow: boolean;
}

async function answerInvocations(
  { headers, body }: ScorerRequest,
  predictor: Predictor,
): Promise<ScorerAnswer> {
  const question = readQuestion(headers['content-type'] ?? '', body, predictor);
  const outputs = await predictor.predict(question.feeds);
  const predictions = question.byRow
    ? rowPredictions(outputs, predictor.outputs)
    : outputsJson(outputs, predictor.outputs, nestedJson);
  const requestId = headers['x-request-id'];
  return {
    ...json(200, `{"predictions":${predictions}}`),
    prediction: {
      requestId: typeof requestId === 'string' ? requestId : null,
      feeds: question.feeds,
      outputs,
    },
  };
}

function readQuestion(contentType: string, body: Buffer, predictor: Predictor): Question {
  const [type = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length);
  if (charset !== undefined && charset !== 'utf-8') {
    throw new RequestProblem(415, 'Only UTF-8 is understood here.');
  }
  if (type === 'text/csv') return tableQuestion(readCsvTable(readUtf8(body), predictor), predictor);
  if (type !== 'application/json') {
    throw new RequestProblem(
      415,
      `The content type must be application/json or text/csv, got ${type === '' ? 'none' : `"${type}"`}.`,
    );
  }
  return readJsonQuestion(readJsonObject(body), predictor);
}

/** What the reading of a request needs to know of a model. */
export type RequestForm = Pick<Predictor, 'inputs' | 'layout' | 'hasColumnSignature'>;

/** @throws RequestProblem 400 when it has none of the forms, or does not fit the model. */
export function readJsonQuestion(object: JsonObject, predictor: RequestForm): Question {
  const formats = bodyFormats.filter((format) => format in object);
  const [format] = formats;
  if (!format || formats.length > 1) {
    throw badRequest(
      `The body must have exactly one of ${bodyFormats.join(', ')}; it has ${formats.join(', ') || 'none'}.`,
    );
  }
  const content = object[format];
  switch (format) {
    case 'dataframe_split':
      return tableQuestion(readSplit(content), predictor);
    case 'dataframe_records':
      return tableQuestion(readRecords(format, content, predictor), predictor);
    case 'instances':
      return readInstances(content, predictor);
    case 'inputs':
      return readTensors(content, predictor);
  }
}

function tableQuestion(table: Table, { layout, inputs }: RequestForm): Question {
  if (!layout) throw badRequest('The inputs of this model are no columns of a table; send "inputs".');
  return { feeds: readTable(table, layout, inputs), byRow: true };
}

function readSplit(split: unknown): Table {
  if (!isJsonObject(split)) throw badRequest(`"dataframe_split" must be an object, got ${given(split)}.`);
  const { columns, data } = split;
  if (columns !== undefined && !isListOf(columns, isColumnName)) {
    throw badRequest('"dataframe_split.columns" must be a list of names.');
  }
  if (!isListOf(data, Array.isArray)) throw badRequest('"dataframe_split.data" must be a list of rows.');
  return { columns: columns?.map(String) ?? null, rows: data };
}

function isColumnName(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

function isListOf<Element>(
  value: unknown,
  is: (element: unknown) => element is Element,
): value is readonly Element[] {
  return Array.isArray(value) && value.every(is);
}

function readRecords(format: string, records: unknown, { layout }: RequestForm): Table {
  if (!isListOf(records, isJsonObject)) throw badRequest(`"${format}" must be a list of objects, one a row.`);
  const named = layout && columnNames(layout);
  const columns = Object.keys(records[0] ?? Object.fromEntries((named ?? []).map((name) => [name, null])));
  const known = new Set(columns);
  const rows = records.map((record, row) => {
    const values = columns.map((column) => record[column]);
    const missing = columns.find((column) => !Object.hasOwn(record, column));
    const extra = Object.keys(record).find((column) => !known.has(column));
    if (missing !== undefined)
      throw badRequest(`Column "${missing}" is missing in row ${row} of "${format}".`);
    if (extra !== undefined)
      throw badRequest(`Row ${row} of "${format}" has a column "${extra}" that row 0 has not.`);
    return values;
  });
  return { columns, rows };
}

/** Rows of a table as objects, or rows of the only input. */
function readInstances(instances: unknown, predictor: RequestForm): Question {
  if (!Array.isArray(instances))
    throw badRequest(`"instances" must be a list of rows, got ${given(instances)}.`);
  if (!isJsonObject(instances[0])) return readTensors(instances, predictor);
  if (predictor.layout) {
    const question = tableQuestion(readRecords('instances', instances, predictor), predictor);
    return { ...question, byRow: predictor.hasColumnSignature };
  }
  const records = readRecords('instances', instances, predictor);
  const members = (records.columns ?? []).map((name, column) => [
    name,
    records.rows.map((row) => row[column]),
  ]);
  return readTensors(Object.fromEntries(members), predictor);
}

/** Tensors by name, columns by name, or the only tensor of the model. */
function readTensors(content: unknown, predictor: RequestForm): Question {
  const { inputs, layout, hasColumnSignature } = predictor;
  const names = layout?.named ? columnNames(layout) : null;
  if (
    isJsonObject(content) &&
    names &&
    (inputs.length > 1 || names.some((name) => Object.hasOwn(content, name)))
  ) {
    return readColumns(content, predictor);
  }
  const [only] = inputs;
  if (!isJsonObject(content) && (inputs.length !== 1 || !only)) {
    throw badRequest(
      `The model has ${inputs.length} inputs, so they must be sent by name: ${inputs.map(({ name }) => name).join(', ')}.`,
    );
  }
  const byName: JsonObject = isJsonObject(content) ? content : { [only?.name ?? '']: content };
  const unknown = Object.keys(byName).find((name) => !inputs.some((input) => input.name === name));
  if (unknown !== undefined) {
    throw badRequest(
      `The model has no input "${unknown}". Its inputs: ${inputs.map(({ name }) => name).join(', ')}.`,
    );
  }
  const feeds = inputs.map((input) => {
    if (!Object.hasOwn(byName, input.name)) throw badRequest(`Input "${input.name}" is missing.`);
    const value = byName[input.name];
    const shape = nestedShape(value);
    checkShape(input, shape);
    return readTensor(`Input "${input.name}"`, input.datatype, shape, value);
  });
  return { feeds, byRow: hasColumnSignature };
}

function readColumns(content: JsonObject, predictor: RequestForm): Question {
  const columns = Object.keys(content);
  const lists = columns.map((name) => {
    const values = content[name];
    const list = Array.isArray(values) ? values : [values];
    // A column may come as a tensor of one element a row.
    return list.map((value) => (Array.isArray(value) && value.length === 1 ? value[0] : value));
  });
  const length = lists[0]?.length ?? 0;
  const uneven = lists.findIndex((list) => list.length !== length);
  if (uneven !== -1) {
    throw badRequest(
      `Column "${columns[uneven]}" has ${lists[uneven]?.length} values, but column "${columns[0]}" has ${length}.`,
    );
  }
  const rows = Array.from({ length }, (_, row) => lists.map((list) => list[row]));
  const question = tableQuestion({ columns, rows }, predictor);
  return { ...question, byRow: predictor.hasColumnSignature };
}

function readCsvTable(text: string, { layout, inputs }: Predictor): Table {
  const [columns, ...lines] = readCsv(text);
  if (!columns) throw badRequest('The CSV is empty; it must begin with a line of column names.');
  const datatypes = new Map<number, Datatype>();
  for (const [index, { name, input }] of (layout?.places ?? []).entries()) {
    const column = layout?.named ? columns.indexOf(name ?? '') : index;
    const datatype = inputs[input]?.datatype;
    if (datatype) datatypes.set(column, datatype);
  }
  return {
    columns,
    rows: lines.map((line) => line.map((field, column) => csvValue(field, datatypes.get(column)))),
  };
}

/** A field of CSV as the JSON value that it stands for. What stands for none stays text and is refused later. */
function csvValue(field: string, datatype: Datatype | undefined): unknown {
  if (datatype === undefined || datatype === 'BYTES' || datatype === 'INT64' || datatype === 'UINT64')
    return field;
  const text = field.trim();
  if (datatype === 'BOOL') return /^true$/i.test(text) ? true : /^false$/i.test(text) ? false : field;
  if (text === '' || /^nan$/i.test(text)) return null;
  const infinity = /^([+-]?)inf(?:inity)?$/i.exec(text);
  if (infinity) return infinity[1] === '-' ? '-Infinity' : 'Infinity';
  const number = Number(text);
  return Number.isNaN(number) || /^[+-]?0[xob]/i.test(text) ? field : number;
}

function rowPredictions(outputs: readonly Tensor[], specifications: readonly OutputSpecification[]): string {
  const columns = outputs.map((output, index) => {
    const specification = specifications[index];
    const name = JSON.stringify(specification?.name);
    return outputRows(output, specification).map((row) => `${name}:${row}`);
  });
  const rows = Array.from({ length: Math.max(0, ...columns.map(({ length }) => length)) }, (_, row) => {
    const members = columns.flatMap((column) => column[row] ?? []);
    return `{${members.join(',')}}`;
  });
  return `[${rows.join(',')}]`;
}

/** Each row of an output; a row of one element is that element, as in a column of a table. */
function outputRows(output: Tensor, specification: OutputSpecification | undefined): readonly string[] {
  if (specification?.labels) return scoreMaps(output, specification.labels);
  const [rows = 1, width = 1, ...rest] = output.shape;
  return rowsJson(width === 1 && rest.length === 0 ? { ...output, shape: [rows] } : output);
}
