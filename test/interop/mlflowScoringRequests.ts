/** A request that is sent to MLflow's scoring server and to a scorer of the same model. */
export interface ScoringRequest {
  readonly name: string;
  /** `signed` has a signature of three columns; `unsigned`, a classifier of four, has none. */
  readonly model: 'signed' | 'unsigned';
  readonly type?: string | null;
  readonly body: string;
  readonly path?: string;
  readonly method?: string;
}

const columns = ['sepal length (cm)', 'sepal width (cm)', 'petal length (cm)'];
const row = [5.1, 3.5, 1.4];
const other = [6.2, 2.2, 4.5];
const record = (values: readonly unknown[]) =>
  Object.fromEntries(columns.map((name, index) => [name, values[index]]));
const four = [...row, 0.2];

/** Bodies for the model with a signature, by name; an object is sent as JSON. */
const signed: Readonly<Record<string, unknown>> = {
  dataframe_split: { dataframe_split: { columns, data: [row, other] } },
  'dataframe_split with an index': { dataframe_split: { index: [7, 'b'], columns, data: [row, other] } },
  'dataframe_split in another order': {
    dataframe_split: { columns: columns.toReversed(), data: [row.toReversed()] },
  },
  'dataframe_split with a column too many': {
    dataframe_split: { columns: ['id', ...columns], data: [[9, ...row]] },
  },
  'dataframe_split with integers': { dataframe_split: { columns, data: [[5, 3, 1]] } },
  'dataframe_split of no rows': { dataframe_split: { columns, data: [] } },
  'dataframe_split with null': { dataframe_split: { columns, data: [[null, 3.5, 1.4]] } },
  'dataframe_split with params': { dataframe_split: { columns, data: [row] }, params: { a: 1 } },
  'dataframe_split with null params': { dataframe_split: { columns, data: [row] }, params: null },
  'dataframe_split with a member of another kind': { dataframe_split: { columns, data: [row] }, more: 1 },
  'dataframe_split without columns': { dataframe_split: { data: [row] } },
  'dataframe_split without data': { dataframe_split: { columns } },
  'dataframe_split with a member too many': { dataframe_split: { columns, data: [row], dtype: [] } },
  'dataframe_split that is a list': { dataframe_split: [row] },
  'dataframe_split that is a number': { dataframe_split: 3 },
  'dataframe_split with a missing column': {
    dataframe_split: { columns: columns.slice(1), data: [row.slice(1)] },
  },
  'dataframe_split with a ragged row': { dataframe_split: { columns, data: [row, [1]] } },
  'dataframe_split with text for a number': { dataframe_split: { columns, data: [['a lot', 1, 2]] } },
  'dataframe_split with digits for a number': { dataframe_split: { columns, data: [['5.1', 3.5, 1.4]] } },
  'dataframe_split with a truth for a number': { dataframe_split: { columns, data: [[true, 3.5, 1.4]] } },
  'dataframe_split with a long index': { dataframe_split: { index: [1, 2, 3], columns, data: [row] } },
  'dataframe_split with a column twice': {
    dataframe_split: { columns: [...columns, columns[0]], data: [[...row, 1]] },
  },
  dataframe_records: { dataframe_records: [record(row), record(other)] },
  'dataframe_records of no rows': { dataframe_records: [] },
  'dataframe_records that is an object': { dataframe_records: record(row) },
  'dataframe_records with text': { dataframe_records: [record(['x', 1, 2])] },
  'dataframe_records that forgets a value': { dataframe_records: [record(row), { [String(columns[0])]: 1 }] },
  'dataframe_records without a column': { dataframe_records: [{ [String(columns[0])]: 1 }] },
  'instances of records': { instances: [record(row), record(other)] },
  'instances of lists': { instances: [row, other] },
  'instances without a column': { instances: [{ [String(columns[0])]: 1 }] },
  'inputs of columns': {
    inputs: Object.fromEntries(columns.map((name, index) => [name, [row[index], other[index]]])),
  },
  'inputs of columns of different lengths': {
    inputs: { [String(columns[0])]: [1, 2], [String(columns[1])]: [1], [String(columns[2])]: [1] },
  },
  'inputs without a column': { inputs: { [String(columns[0])]: [1] } },
  'inputs of a list': { inputs: [row] },
  'two formats': { inputs: [row], instances: [row] },
  'no format': { data: [row] },
  'an empty object': {},
  'a bare list': [row],
  'a bare number': 3,
  'NaN as Python writes it': `{"dataframe_split": {"columns": ${JSON.stringify(columns)}, "data": [[NaN, 3.5, 1.4]]}}`,
  'Infinity as Python writes it': `{"dataframe_split": {"columns": ${JSON.stringify(columns)}, "data": [[-Infinity, 3.5, 1.4]]}}`,
  'no JSON': '{"dataframe_split": ',
  'no UTF-8': '\xff{}',
  'an empty body': '',
};

/** Bodies for the model without one. */
const unsigned: Readonly<Record<string, unknown>> = {
  instances: { instances: [four, four] },
  'instances by tensor': { instances: [{ X: four }, { X: four }] },
  inputs: { inputs: [four] },
  'inputs by tensor': { inputs: { X: [four] } },
  'inputs by an unknown tensor': { inputs: { Y: [four] } },
  'inputs of a wrong width': { inputs: [row] },
  'inputs of a wrong rank': { inputs: four },
  'ragged inputs': { inputs: [four, row] },
  'inputs of text': { inputs: [['a', 'b', 'c', 'd']] },
  dataframe_split: { dataframe_split: { columns: ['a', 'b', 'c', 'd'], data: [four, four] } },
  'dataframe_split without columns': { dataframe_split: { data: [four] } },
  'dataframe_split of a wrong width': { dataframe_split: { columns: ['a'], data: [[1]] } },
  dataframe_records: { dataframe_records: [{ a: 5.1, b: 3.5, c: 1.4, d: 0.2 }] },
  'dataframe_records of lists': { dataframe_records: [four] },
};

const quoted = `"${columns[0]}",${columns[1]},${columns[2]}\r\n"5.1",3.5,1.4\r\n6.2,"2.2",4.5\r\n`;
const plain = `${columns.join(',')}\n5.1,3.5,1.4\n`;

const csv: readonly ScoringRequest[] = [
  { name: 'CSV with quotes', model: 'signed', type: 'text/csv', body: quoted },
  { name: 'CSV with a charset', model: 'signed', type: 'text/csv; charset=utf-8', body: plain },
  { name: 'CSV with a charset in capitals', model: 'signed', type: 'text/csv;charset=UTF-8', body: plain },
  { name: 'CSV in another charset', model: 'signed', type: 'text/csv; charset=latin-1', body: plain },
  { name: 'CSV with another parameter', model: 'signed', type: 'text/csv; header=present', body: plain },
  {
    name: 'CSV with a missing value',
    model: 'signed',
    type: 'text/csv',
    body: `${columns.join(',')}\n,3.5,1.4\n`,
  },
  { name: 'CSV with NaN', model: 'signed', type: 'text/csv', body: `${columns.join(',')}\nNaN,3.5,1.4\n` },
  {
    name: 'CSV with text for a number',
    model: 'signed',
    type: 'text/csv',
    body: `${columns.join(',')}\nmuch,3.5,1.4\n`,
  },
  {
    name: 'CSV with another column',
    model: 'signed',
    type: 'text/csv',
    body: `id,${columns.join(',')}\nx,5.1,3.5,1.4\n`,
  },
  { name: 'CSV without a column', model: 'signed', type: 'text/csv', body: `${columns[0]}\n5.1\n` },
  { name: 'CSV of no rows', model: 'signed', type: 'text/csv', body: `${columns.join(',')}\n` },
  { name: 'CSV that is empty', model: 'signed', type: 'text/csv', body: '' },
  {
    name: 'CSV with a long row',
    model: 'signed',
    type: 'text/csv',
    body: `${columns.join(',')}\n1,2,3\n1,2,3,4,5\n`,
  },
  {
    name: 'CSV with a short row',
    model: 'signed',
    type: 'text/csv',
    body: `${columns.join(',')}\n1,2,3\n1,2\n`,
  },
  {
    name: 'CSV without a signature',
    model: 'unsigned',
    type: 'text/csv',
    body: 'a,b,c,d\n5.1,3.5,1.4,0.2\n',
  },
  { name: 'CSV with blank lines', model: 'signed', type: 'text/csv', body: `${plain}\n\n` },
];

const json = JSON.stringify({ dataframe_split: { columns, data: [row] } });
const others: readonly ScoringRequest[] = [
  { name: 'JSON with a charset', model: 'signed', type: 'application/json; charset=utf-8', body: json },
  {
    name: 'JSON with another parameter',
    model: 'signed',
    type: 'application/json; format=pandas-split',
    body: json,
  },
  { name: 'another content type', model: 'signed', type: 'application/xml', body: json },
  { name: 'plain text', model: 'signed', type: 'text/plain', body: json },
  { name: 'no content type', model: 'signed', type: null, body: json },
  { name: 'Parquet', model: 'signed', type: 'application/vnd.apache.parquet', body: 'PAR1' },
  { name: 'ping', model: 'signed', path: '/ping', method: 'GET', body: '' },
  { name: 'health', model: 'signed', path: '/health', method: 'GET', body: '' },
  { name: 'the version', model: 'signed', path: '/version', method: 'GET', body: '' },
  { name: 'GET /invocations', model: 'signed', method: 'GET', body: '' },
  { name: 'an address with nothing', model: 'signed', path: '/nothing', method: 'GET', body: '' },
];

function jsonRequests(
  model: ScoringRequest['model'],
  bodies: Readonly<Record<string, unknown>>,
): readonly ScoringRequest[] {
  return Object.entries(bodies).map(([name, body]) => ({
    name: model === 'signed' ? name : `${name}, without a signature`,
    model,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  }));
}

export const scoringRequests: readonly ScoringRequest[] = [
  ...jsonRequests('signed', signed),
  ...jsonRequests('unsigned', unsigned),
  ...csv,
  ...others,
];
