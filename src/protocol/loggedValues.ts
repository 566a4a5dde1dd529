import { z } from 'zod';
import { type LoggedElement, type PackedTensor, readPackedTensors } from './packedTensors.ts';

/**
 * How the values of requests are found in their packed tensors: which column, or which whole tensor, goes by which name.
 * Each version that an endpoint has served has one in the table `models` of its log.
 */
export const valueLayout = z.object({
  inputs: z.array(
    z.object({
      name: z.string(),
      /** Its place among the tensors of a request: inputs come first, then outputs. */
      tensor: z.number().int().min(0),
      /** Of a column: its place in a row. Left out for a whole tensor. */
      offset: z.number().int().min(0).optional(),
      /** Its values are not kept: null stands in their place. */
      hidden: z.literal(true).optional(),
    }),
  ),
  outputs: z.array(
    z.object({
      name: z.string(),
      tensor: z.number().int().min(0),
      hidden: z.literal(true).optional(),
      /** Of scores by class: the label of each column. Each row is an object from label to score. */
      labels: z.array(z.string()).optional(),
    }),
  ),
});
export type ValueLayout = z.infer<typeof valueLayout>;
type Member = ValueLayout['inputs'][number] & Pick<ValueLayout['outputs'][number], 'labels'>;

export type LoggedValue = LoggedElement | readonly LoggedValue[] | { readonly [label: string]: LoggedValue };

export type Side = 'inputs' | 'outputs';

/** What a request asked or was answered, by name. Integers of 64 bits are bigints where a number may not hold them. */
export function namedValues(
  layout: ValueLayout,
  packed: Uint8Array,
  side: Side,
): ReadonlyMap<string, LoggedValue> {
  return new Map(readMembers(layout[side], readPackedTensors(packed)));
}

/** The same as the JSON text that `inferenceLogTables.ts` describes. */
export function namedValuesText(layout: ValueLayout, packed: Uint8Array, side: Side): string {
  const found = readMembers(layout[side], readPackedTensors(packed));
  return `{${found.map(([name, value]) => `${JSON.stringify(name)}:${jsonText(value)}`).join(',')}}`;
}

function readMembers(
  members: readonly Member[],
  tensors: readonly PackedTensor[],
): readonly (readonly [string, LoggedValue])[] {
  return members.flatMap((member) => {
    const tensor = tensors[member.tensor];
    if (!tensor || tensor.kind === 'ABSENT') return [];
    return [[member.name, member.hidden ? null : valuesOf(tensor, member)] as const];
  });
}

function valuesOf(tensor: PackedTensor, { offset, labels }: Member): LoggedValue {
  const { shape } = tensor;
  const [rows = 1, width = 1] = shape;
  if (offset !== undefined) return tensor.elements(offset, width, rows);
  if (labels) {
    return Array.from({ length: rows }, (_, row) => {
      const scores = tensor.elements(row * labels.length, 1, labels.length);
      return Object.fromEntries(labels.map((label, column) => [label, scores[column] ?? null]));
    });
  }
  // A row of one element is that element.
  const isColumn = shape.length < 2 || (shape.length === 2 && width === 1);
  const whole = tensor.elements(0, 1, Number.POSITIVE_INFINITY);
  return isColumn ? whole : nested(whole, shape, 0, 0);
}

function nested(
  whole: readonly LoggedElement[],
  shape: readonly number[],
  axis: number,
  from: number,
): LoggedValue {
  const inner = shape.slice(axis + 1).reduce((all, size) => all * size, 1);
  const size = shape[axis] ?? 0;
  if (axis === shape.length - 1) return whole.slice(from, from + size);
  return Array.from({ length: size }, (_, index) => nested(whole, shape, axis + 1, from + index * inner));
}

/** Integers of 64 bits with all digits, and a negative zero with its sign. */
function jsonText(value: LoggedValue): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return Object.is(value, -0) ? '-0.0' : String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(jsonText).join(',')}]`;
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}:${jsonText(member)}`,
  );
  return `{${members.join(',')}}`;
}

function isList(value: LoggedValue): value is readonly LoggedValue[] {
  return Array.isArray(value);
}
