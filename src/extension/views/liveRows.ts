import { type TreeChange, top, treeChange } from './treeChange.ts';
import type { TreeNode } from './treeNode.ts';

/** The rows of a tree that are unfolded, read once and then again and again. */
export interface LiveRows {
  /** The rows below a row, or the topmost ones: those that are known, else they are read now. */
  below(node: TreeNode | undefined): Promise<readonly TreeNode[]>;
  /**
   * Reads all that is unfolded again.
   *
   * @returns what has to be drawn again.
   */
  readAgain(): Promise<TreeChange['changed']>;
  /** What is below this row is not read again as long as it is folded. */
  fold(node: TreeNode): void;
  /** Whether what is known from before this row was folded has to be read again. */
  unfold(node: TreeNode): boolean;
  /** Forgets all rows, as VS Code does when it is told that everything changed. */
  forget(): void;
  /** Why something of what is unfolded could not be read when it was last tried; undefined when all could. */
  readonly failure: unknown;
}

/** @param onFailure told of every failure; the rows that could not be read count as none. */
export function createLiveRows(
  readTop: () => Promise<readonly TreeNode[]>,
  onFailure: (error: unknown) => void,
): LiveRows {
  /** Rows as VS Code was given them, by the ID of the row above them. */
  let shown = new Map<string, readonly TreeNode[]>();
  /** VS Code keeps what is below a row that is folded, and does not ask for it when it is unfolded again. */
  const folded = new Set<string>();
  const failures = new Map<string, unknown>();

  const read = async (node: TreeNode | undefined): Promise<readonly TreeNode[]> => {
    const id = idOf(node);
    try {
      const rows = await (node ? node.children?.() : readTop());
      failures.delete(id);
      return rows ?? [];
    } catch (error) {
      failures.set(id, error);
      onFailure(error);
      return [];
    }
  };

  return {
    async below(node) {
      const id = idOf(node);
      // Asked for although it was folded: VS Code forgot what was below, which may have changed meanwhile.
      if (folded.delete(id)) shown.delete(id);
      // Whoever asks while it is read gets the same rows, because VS Code knows rows by their identity.
      const rows = shown.get(id) ?? (await read(node));
      const first = shown.get(id) ?? rows;
      shown.set(id, first);
      return first;
    },
    async readAgain() {
      const before = [...shown.keys()];
      const now = new Map<string, readonly TreeNode[]>();
      const readBelow = async (node: TreeNode | undefined): Promise<void> => {
        const id = idOf(node);
        if (!shown.has(id) || folded.has(id)) return;
        const rows = await read(node);
        now.set(id, rows);
        await Promise.all(rows.map(readBelow));
      };
      await readBelow(undefined);
      const change = treeChange(shown, now);
      shown = change.shown;
      for (const id of before) if (!now.has(id)) failures.delete(id);
      return change.changed;
    },
    fold: ({ id }) => void folded.add(id),
    unfold: ({ id }) => folded.delete(id),
    forget() {
      shown = new Map();
      folded.clear();
      failures.clear();
    },
    get failure() {
      const [first] = failures.values();
      return first;
    },
  };
}

function idOf(node: TreeNode | undefined): string {
  return node?.id ?? top;
}
