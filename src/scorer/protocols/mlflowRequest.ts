import type { Table } from '../../inference/columns.ts';
import { type Datatype, given, type Tensor } from '../../inference/datatypes.ts';
import { badRequest, RequestProblem } from '../../inference/problem.ts';
import { readCsv } from '../csv.ts';
import { parsePythonJson, readPythonJson } from '../pythonJson.ts';
import { isJsonObject, type JsonObject, readUtf8 } from '../requestBody.ts';
import {
  isListOf,
  namesColumns,
  type RequestForm,
  readColumnLists,
  readRecords,
  readTableFeeds,
  readTensorsByName,
} from './namedTensors.ts';

/** The members of which a JSON body has exactly one. */
export const bodyFormats = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'] as const;

export interface Question {
  readonly feeds: readonly Tensor[];
  /** Whether rows were asked for, as of a table, and not tensors. */
  readonly byRow: boolean;
}

export const contentTypes = ['text/csv', 'application/json', 'application/jsonlines'] as const;
export type ContentType = (typeof contentTypes)[number];

/**
 * The content type of a body without its parameters.
 *
 * @throws RequestProblem 415 with MLflow's sentences when it is another one, or has parameters that MLflow does not
 * know.
 */
export function readContentType(header: string): ContentType {
  const [type = '', ...parameters] = header.split(';').map((part) => part.trim());
  const entries = parameters.map((parameter) => {
    const [key = '', ...value] = parameter.split('=');
    return [key, value.join('=')] as const;
  });
  const charset = entries.find(([key]) => key === 'charset')?.[1] ?? 'utf-8';
  if (charset.toLowerCase() !== 'utf-8') {
    throw new RequestProblem(415, 'The scoring server only supports UTF-8');
  }
  const unknown = entries.filter(([key]) => key !== 'charset' && key !== '').map(([key]) => key);
  if (unknown.length > 0) {
    throw new RequestProblem(415, `Unrecognized content type parameters: ${unknown.join(', ')}.`);
  }
  const known = contentTypes.find((candidate) => candidate === type.toLowerCase());
  if (known) return known;
  throw new RequestProblem(
    415,
    `This predictor only supports the following content types: ${contentTypes.join(', ')}. Got '${header}'.`,
  );
}

/** @throws RequestProblem 400 when the body has none of the forms, or does not fit the model. */
export function readQuestion(type: ContentType, body: Buffer, form: RequestForm): Question {
  switch (type) {
    case 'text/csv':
      return tableQuestion(readCsvTable(readUtf8(body), form), form);
    case 'application/jsonlines':
      return tableQuestion(readJsonLines(readUtf8(body), form), form);
    case 'application/json':
      return readJsonQuestion(readDictionary(body), form);
  }
}

const requiredFormat = `The input must be a JSON dictionary with exactly one of the input fields {${bodyFormats
  .map((name) => `'${name}'`)
  .join(', ')}}.`;

function readDictionary(body: Buffer): JsonObject {
  const parsed = readPythonJson(body);
  if (isJsonObject(parsed)) return parsed;
  throw badRequest(
    `Invalid input. ${requiredFormat} Received ${Array.isArray(parsed) ? 'a list' : given(parsed)}.`,
  );
}

/**
 * What a JSON object of one of the forms asks. Other members, `params` among them, are ignored: an ONNX model has no
 * parameters.
 *
 * @throws RequestProblem 400 when it has none of the forms, or does not fit the model.
 */
export function readJsonQuestion(object: JsonObject, form: RequestForm): Question {
  const formats = bodyFormats.filter((format) => Object.hasOwn(object, format));
  const [format] = formats;
  if (!format || formats.length > 1) {
    const received = formats.join(', ') || Object.keys(object).slice(0, 20).join(', ') || 'none';
    throw badRequest(`${requiredFormat} Received dictionary with input fields: ${received}.`);
  }
  const content = object[format];
  switch (format) {
    case 'dataframe_split':
      return tableQuestion(readSplit(content), form);
    case 'dataframe_records':
      return tableQuestion(readRowsOrRecords(format, content, form), form);
    case 'instances':
      return readInstances(content, form);
    case 'inputs':
      return readTensors(content, form);
  }
}

function tableQuestion(table: Table, form: RequestForm): Question {
  return { feeds: readTableFeeds(table, form), byRow: true };
}

function readSplit(split: unknown): Table {
  if (!isJsonObject(split)) {
    throw badRequest(`Dataframe split format must be a dictionary. Got ${given(split)}.`);
  }
  const { columns, data, index } = split;
  const extra = Object.keys(split).find((key) => !['columns', 'data', 'index'].includes(key));
  if (data === undefined || extra !== undefined) {
    throw badRequest(
      `Dataframe split format must have 'data' field and optionally 'columns' and 'index' fields. Got ${Object.keys(split).slice(0, 20).join(', ')}.`,
    );
  }
  if (columns !== undefined && columns !== null && !isListOf(columns, isColumnName)) {
    throw badRequest('"dataframe_split.columns" must be a list of names.');
  }
  const rows = readRows('dataframe_split.data', data);
  if (Array.isArray(index) && index.length !== rows.length) {
    throw badRequest(
      `"dataframe_split.index" has ${index.length} entries, but there are ${rows.length} rows.`,
    );
  }
  return { columns: columns?.map(String) ?? null, rows };
}

function isColumnName(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

/** Rows of values; those of a table with one column may be its bare values. */
function readRows(field: string, data: unknown): readonly (readonly unknown[])[] {
  if (isListOf(data, Array.isArray)) return data;
  if (Array.isArray(data) && !data.some((row) => typeof row === 'object'))
    return data.map((value) => [value]);
  throw badRequest(`"${field}" must be a list of rows, got ${given(data)}.`);
}

function readRowsOrRecords(field: string, records: unknown, form: RequestForm): Table {
  if (!Array.isArray(records)) {
    const received = isJsonObject(records) ? 'dictionary' : given(records);
    throw badRequest(`Dataframe records format must be a list of records. Got ${received}.`);
  }
  if (Array.isArray(records[0])) return { columns: null, rows: readRows(field, records) };
  return readRecords(field, records, form);
}

/** Rows of a table as objects, or rows of the only input. */
function readInstances(instances: unknown, form: RequestForm): Question {
  if (!Array.isArray(instances)) {
    throw badRequest(`"instances" must be a list of rows, got ${given(instances)}.`);
  }
  if (!isJsonObject(instances[0])) return readTensors(instances, form);
  const records = readRecords('instances', instances, form);
  if (form.layout && !isRecordOfTensors(instances[0], form)) {
    const table = { columns: records.columns, rows: records.rows };
    return { feeds: readTableFeeds(table, form), byRow: form.hasColumnSignature };
  }
  const members = (records.columns ?? []).map((name, column) => [
    name,
    records.rows.map((row) => row[column]),
  ]);
  return readTensors(Object.fromEntries(members), form);
}

/** Whether a row holds the rows of tensors: `{"x": [1, 2]}` where x is a model's input and no column. */
function isRecordOfTensors(record: JsonObject, { inputs, layout }: RequestForm): boolean {
  const isColumn = (name: string) => layout?.places.some((place) => place.name === name) ?? false;
  return Object.keys(record).every(
    (key) => !isColumn(key) && inputs.some(({ name }) => name === key) && Array.isArray(record[key]),
  );
}

/** Tensors by name, columns by name, or the only tensor of the model. */
function readTensors(content: unknown, form: RequestForm): Question {
  const byRow = form.hasColumnSignature;
  if (isJsonObject(content) && namesColumns(content, form)) {
    return { feeds: readColumnLists(content, form), byRow };
  }
  return { feeds: readTensorsByName(content, form), byRow };
}

function readCsvTable(text: string, { layout, inputs }: RequestForm): Table {
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
  if (datatype === undefined || datatype === 'BYTES' || datatype === 'INT64' || datatype === 'UINT64') {
    return field;
  }
  const text = field.trim();
  if (datatype === 'BOOL') return /^true$/i.test(text) ? true : /^false$/i.test(text) ? false : field;
  if (text === '' || /^nan$/i.test(text)) return null;
  const infinity = /^([+-]?)inf(?:inity)?$/i.exec(text);
  if (infinity) return infinity[1] === '-' ? '-Infinity' : 'Infinity';
  const number = Number(text);
  return Number.isNaN(number) || /^[+-]?0[xob]/i.test(text) ? field : number;
}

/**
 * SageMaker's JSON lines: each an object of columns, a list of a row's values, or an object whose `features` is that
 * list (https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html).
 */
function readJsonLines(text: string, form: RequestForm): Table {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const values = lines.map((line) => {
    const value = parsePythonJson(line);
    const isFeatures = isJsonObject(value) && Array.isArray(value.features) && !knowsColumn('features', form);
    return isFeatures ? value.features : value;
  });
  if (values.length > 0 && isListOf(values, Array.isArray)) return { columns: null, rows: values };
  return readRecords('lines', values, form);
}

function knowsColumn(name: string, { layout }: RequestForm): boolean {
  return layout?.places.some((place) => place.name === name) ?? false;
}
