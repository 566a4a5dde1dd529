import { absentTensor } from './absentTensor.ts';
import { allocate, elementJson, elementWriter, type Tensor } from './datatypes.ts';
import type { OutputSpecification, TensorSpecification } from './model.ts';
import { badRequest } from './problem.ts';
import { elementCount, flatJson, nestedJson, wrongElement } from './tensorJson.ts';

/**
 * How the columns of a table map to the inputs of a model. Columns lie in the inputs one after the other: pipelines
 * of scikit-learn take one input for each column, other models one input for all of them.
 */
export interface ColumnLayout {
  /** Of every column the input that it belongs to and its place in a row of that input. */
  readonly places: readonly ColumnPlace[];
  /** Whether columns are found by their names; otherwise by their order. */
  readonly named: boolean;
}

export interface ColumnPlace {
  /** Null when nobody named it. */
  readonly name: string | null;
  readonly input: number;
  readonly offset: number;
}

/** A table as a client sent it: rows of JSON values. */
export interface Table {
  /** Null when the client did not name them. */
  readonly columns: readonly string[] | null;
  readonly rows: readonly (readonly unknown[])[];
}

/**
 * Finds how columns map to the inputs; null when an input is no table (a scalar, an image, ...).
 *
 * @param columns names from the model's signature, in order; null when there is none.
 */
export function columnLayout(
  inputs: readonly TensorSpecification[],
  columns: readonly string[] | null,
): ColumnLayout | null {
  const widths = inputs.map((input) => widthOf(input, inputs.length === 1 ? columns : null));
  const places = widths.flatMap((width, input) =>
    Array.from({ length: width ?? 0 }, (_, offset) => ({ input, offset })),
  );
  if (places.length === 0 || widths.includes(null)) return null;
  const inputNames = inputs.map(({ name }) => name);
  const oneEach = places.length === inputs.length;
  const signatureNamesInputs =
    oneEach && columns?.length === inputs.length && inputNames.every((name) => columns.includes(name));
  const names =
    !signatureNamesInputs && columns?.length === places.length ? columns : oneEach ? inputNames : null;
  const named = names !== null && (columns?.length === places.length || inputs.length > 1);
  return {
    places: places.map((place, index) => ({ ...place, name: names?.[index] ?? null })),
    named,
  };
}

function widthOf({ shape }: TensorSpecification, columns: readonly string[] | null): number | null {
  if (shape?.length === 1) return 1;
  if (shape?.length !== 2) return null;
  const width = shape[1] ?? -1;
  return width > 0 ? width : (columns?.length ?? null);
}

/** The names of the columns; null when they have none. */
export function columnNames(layout: ColumnLayout): readonly string[] | null {
  const names = layout.places.flatMap(({ name }) => name ?? []);
  return names.length === layout.places.length ? names : null;
}

/**
 * Makes the model's inputs from a table. Columns that the model does not know are left out, as MLflow does.
 *
 * @throws RequestProblem 400 when a column is missing, a row has another length, or a value does not fit.
 */
export function readTable(
  table: Table,
  layout: ColumnLayout,
  inputs: readonly TensorSpecification[],
): readonly Tensor[] {
  const sources = sourceColumns(table, layout, inputs);
  const width = table.columns?.length ?? layout.places.length;
  for (const [row, values] of table.rows.entries()) {
    if (values.length !== width) {
      throw badRequest(`Row ${row} has ${values.length} values, but there are ${width} columns.`);
    }
  }
  const feeds = inputs.map((input, index) => {
    const columns = layout.places.filter((place) => place.input === index).length;
    const shape = input.shape?.length === 1 ? [table.rows.length] : [table.rows.length, columns];
    return { datatype: input.datatype, shape, data: allocate(input.datatype, elementCount(shape)), columns };
  });
  for (const [index, place] of layout.places.entries()) {
    const feed = feeds[place.input];
    const source = sources[index];
    if (!feed || source === undefined || source === null) continue;
    const write = elementWriter(feed.datatype, inputs[place.input]?.nullable);
    for (const [row, values] of table.rows.entries()) {
      const value = values[source];
      if (!write(feed.data, row * feed.columns + place.offset, value)) {
        throw wrongElement(columnTitle(place, source, table), feed.datatype, `of row ${row}`, value);
      }
    }
  }
  return feeds.map(({ columns: _, ...feed }, index) => {
    const input = inputs[index];
    const place = layout.places.findIndex((candidate) => candidate.input === index);
    return input && sources[place] === null ? absentTensor(input, table.rows.length) : feed;
  });
}

/** Where in a row of the table the value of each place lies; null: its optional column was left out. */
function sourceColumns(
  { columns, rows }: Table,
  layout: ColumnLayout,
  inputs: readonly TensorSpecification[],
): readonly (number | null)[] {
  const expected = layout.places.length;
  if (!layout.named || !columns) {
    const width = columns?.length ?? rows[0]?.length ?? expected;
    if (width !== expected) {
      throw badRequest(
        `The model takes ${expected} columns, but the request has ${width}.${expectedNames(layout)}`,
      );
    }
    return layout.places.map((_, index) => index);
  }
  const found = new Map(columns.map((name, index) => [name, index]));
  if (found.size !== columns.length) {
    const twice = columns.find((name, index) => columns.indexOf(name) !== index);
    throw badRequest(`The column "${twice}" appears twice.`);
  }
  return layout.places.map(({ name, input }) => {
    const index = found.get(name ?? '');
    if (index === undefined && inputs[input]?.optional) return null;
    if (index === undefined) throw badRequest(`The column "${name}" is missing.${expectedNames(layout)}`);
    return index;
  });
}

function expectedNames(layout: ColumnLayout): string {
  const names = columnNames(layout);
  return names ? ` Expected columns: ${names.join(', ')}.` : '';
}

function columnTitle(place: ColumnPlace, source: number, table: Table): string {
  return `Column "${place.name ?? table.columns?.[source] ?? source}"`;
}

/** A tensor as a JSON list, as the inference log tells it: one element a row; a row of one element is that element. */
export function columnJson(tensor: Tensor): string {
  const { shape } = tensor;
  const isColumn = shape.length === 0 || (shape.length === 2 && shape[1] === 1);
  return isColumn ? flatJson(tensor) : nestedJson(tensor);
}

/** Outputs as a JSON object by name. Scores by class are lists of maps; `tensorJson` writes the others. */
export function outputsJson(
  outputs: readonly Tensor[],
  specifications: readonly OutputSpecification[],
  tensorJson: (tensor: Tensor) => string,
): string {
  const members = outputs.map((output, index) => {
    const specification = specifications[index];
    const values = specification?.labels
      ? `[${scoreMaps(output, specification.labels).join(',')}]`
      : tensorJson(output);
    return `${JSON.stringify(specification?.name)}:${values}`;
  });
  return `{${members.join(',')}}`;
}

/** Each row of a tensor of scores as a JSON object from class label to score, as a ZipMap gives it. */
export function scoreMaps(
  { datatype, shape, data }: Tensor,
  labels: readonly (string | bigint)[],
): readonly string[] {
  const keys = labels.map((label) => JSON.stringify(String(label)));
  return Array.from({ length: shape[0] ?? 0 }, (_, row) => {
    const members = keys.map(
      (key, column) => `${key}:${elementJson(datatype, data[row * keys.length + column] ?? 0)}`,
    );
    return `{${members.join(',')}}`;
  });
}
