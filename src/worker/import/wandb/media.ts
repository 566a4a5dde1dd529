import { leavesOf } from '../tracker/nestedValues.ts';
import type { Item } from './record.ts';

/** Values of one step, taken apart. */
export interface StepValues {
  /** By their keys joined with dots. */
  readonly scalars: readonly { readonly key: string; readonly value: unknown }[];
  /** Things that are more than a value, such as an image, a table or a histogram. */
  readonly media: readonly { readonly key: string; readonly type: string; readonly hasFile: boolean }[];
}

/**
 * Takes the items of a history or summary record apart. Something that is more than a value is written as an object with
 * a `_type`, whose parts may come as items of their own.
 */
export function takeApart(items: Iterable<Item>): StepValues {
  const leaves = [...items].flatMap(({ path, value }) =>
    leavesOf(value).map((leaf) => ({
      key: leaf.key === '' ? path.join('.') : `${path.join('.')}.${leaf.key}`,
      value: leaf.value,
    })),
  );
  const types = new Map<string, string>();
  for (const { key, value } of leaves) {
    if (key.endsWith('._type') && typeof value === 'string') types.set(key.slice(0, -'._type'.length), value);
  }
  if (types.size === 0) return { scalars: leaves, media: [] };
  const mediaOf = (key: string) => ancestors(key).find((above) => types.has(above));
  const withFile = new Set(
    leaves.filter(({ key }) => /\.(path|filenames)$/.test(key)).map(({ key }) => mediaOf(key)),
  );
  return {
    scalars: leaves.filter(({ key }) => mediaOf(key) === undefined),
    media: [...types]
      .filter(([key]) => mediaOf(key) === undefined)
      .map(([key, type]) => ({ key, type, hasFile: withFile.has(key) })),
  };
}

/** `a.b.c` has `a.b` and `a`; the outermost first. */
function ancestors(key: string): readonly string[] {
  const parts = key.split('.');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('.'));
}
