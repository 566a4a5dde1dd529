import type { TreeNode } from './treeNode.ts';

/** Stands for the row above the topmost ones. */
export const top = '';

/** Rows by the ID of the row above them, `top` for the topmost, of all rows that are unfolded. */
export type ShownRows = ReadonlyMap<string, readonly TreeNode[]>;

/** What became of a tree that was read again. */
export interface TreeChange {
  /** The rows as they are now. */
  readonly shown: Map<string, readonly TreeNode[]>;
  /** The rows that have to be drawn again, each with all that is below it; "all" where the topmost ones are others. */
  readonly changed: readonly TreeNode[] | 'all';
}

/**
 * Finds what has to be drawn again, as little as possible: VS Code forgets all rows below one that it draws again until
 * it has asked for them, and a button that is pressed on a forgotten row runs its command without saying for which.
 *
 * Rows that stay keep their identity, by which VS Code knows them, and take over the members of those read anew.
 *
 * @param before what is shown; rows that were unfolded or folded while the tree was read are, or are not, among them.
 * @param now what was read.
 */
export function treeChange(before: ShownRows, now: ShownRows): TreeChange {
  const nodes = new Map([...before.values()].flat().map((node) => [node.id, node]));
  const changed = new Set<TreeNode>();
  let all = false;
  const shown = new Map<string, readonly TreeNode[]>();
  const visit = (above: string): void => {
    const previous = before.get(above);
    const rows = now.get(above) ?? previous;
    if (previous === undefined || rows === undefined) return;
    const parent = nodes.get(above);
    const same = sameRows(previous, rows);
    if (!same && parent) changed.add(parent);
    if (!same && !parent) all = true;
    for (const row of rows) {
      const old = nodes.get(row.id);
      if (same && old && lookOf(old) !== lookOf(row)) changed.add(old);
    }
    const kept = rows.map((row) => Object.assign(nodes.get(row.id) ?? row, row));
    shown.set(above, kept);
    for (const { id } of kept) visit(id);
  };
  visit(top);
  return { shown, changed: all ? 'all' : [...changed] };
}

function sameRows(some: readonly TreeNode[], others: readonly TreeNode[]): boolean {
  return some.length === others.length && some.every(({ id }, index) => id === others[index]?.id);
}

/** All that a person sees of a row. */
function lookOf({ item }: TreeNode): string {
  const { tooltip } = item;
  return JSON.stringify([item, typeof tooltip === 'object' ? tooltip.value : tooltip]);
}
