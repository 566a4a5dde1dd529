import { absentTensor } from '../../inference/absentTensor.ts';
import { readTable } from '../../inference/columns.ts';
import type { Datatype, Tensor } from '../../inference/datatypes.ts';
import type { Predictor } from '../../inference/predictor.ts';
import { badRequest } from '../../inference/problem.ts';
import { nestedShape, readTensor } from '../../inference/tensorJson.ts';
import { parseLogged } from './loggedJson.ts';

/**
 * The inputs of a logged request as another version takes them: by column where that has a table, else by tensor.
 *
 * @throws RequestProblem when the version takes what the log does not hold, values that were redacted among it.
 */
export function loggedFeeds(
  { inputs, layout }: Pick<Predictor, 'inputs' | 'layout'>,
  json: string | null,
): readonly Tensor[] {
  const logged = json === null ? null : parseLogged(json);
  if (typeof logged !== 'object' || logged === null) throw badRequest('The log holds no inputs of it.');
  const columns = new Map(Object.entries(logged));
  const valuesOf = (name: string): unknown => {
    const values = columns.get(name);
    if (values === null) throw badRequest(`The values of "${name}" were redacted.`);
    return values;
  };
  const isTable = layout && [...columns.values()].every((values) => values === null || isFlat(values));
  if (isTable) {
    const names = [...columns.keys()];
    const lists = names.map((name) => {
      const place = layout.places.find((candidate) => candidate.name === name);
      const values = place ? valuesOf(name) : columns.get(name);
      const datatype = place && inputs[place.input]?.datatype;
      return Array.isArray(values) ? values.map((value) => asElement(value, datatype)) : [];
    });
    const length = Math.max(...lists.map((list) => list.length));
    const rows = Array.from({ length }, (_, row) => lists.map((list) => list[row] ?? null));
    return readTable({ columns: names, rows }, layout, inputs);
  }
  return inputs.map((input) => {
    const { name, datatype, shape, nullable, optional } = input;
    if (!columns.has(name) && optional) return absentTensor(input, rowsOf(columns));
    if (!columns.has(name)) throw badRequest(`The log holds no input "${name}".`);
    const values = valuesOf(name);
    const given = nestedShape(values);
    // A row of one element is logged as that element.
    const full = shape?.length === 2 && given.length === 1 ? [...given, 1] : shape?.length === 0 ? [] : given;
    return readTensor(`Input "${name}"`, datatype, full, asElement(values, datatype), nullable);
  });
}

function rowsOf(columns: ReadonlyMap<string, unknown>): number {
  for (const values of columns.values()) if (Array.isArray(values)) return values.length;
  return 1;
}

/** Long integers as clients send them: in texts where the datatype keeps all of their digits. */
function asElement(value: unknown, datatype: Datatype | undefined): unknown {
  if (Array.isArray(value)) return value.map((element) => asElement(element, datatype));
  if (typeof value !== 'bigint') return value;
  return datatype === 'INT64' || datatype === 'UINT64' ? String(value) : Number(value);
}

function isFlat(values: unknown): boolean {
  return Array.isArray(values) && !values.some(Array.isArray);
}
