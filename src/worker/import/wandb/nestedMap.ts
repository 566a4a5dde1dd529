import { isObject } from '../tracker/nestedValues.ts';

type Node = Map<string, Node | { readonly value: unknown }>;

/** Values in nested maps, each at a path of keys. Keys come from files: none of them means anything special. */
export interface NestedMap {
  /** Objects are taken apart; what stood at the path, or on the way to it, is replaced. */
  set(path: readonly string[], value: unknown): void;
  remove(path: readonly string[]): void;
  leaves(): Iterable<{ readonly path: readonly string[]; readonly value: unknown }>;
}

export function createNestedMap(): NestedMap {
  const root: Node = new Map();

  const set = (path: readonly string[], value: unknown) => {
    const last = path.at(-1);
    if (last === undefined) return;
    let node = root;
    for (const key of path.slice(0, -1)) {
      const below = node.get(key);
      const next: Node = below instanceof Map ? below : new Map();
      node.set(key, next);
      node = next;
    }
    if (isObject(value) && Object.keys(value).length > 0) {
      node.set(last, new Map());
      for (const [key, part] of Object.entries(value)) set([...path, key], part);
    } else {
      node.set(last, { value });
    }
  };

  function* leaves(node: Node, above: readonly string[]): ReturnType<NestedMap['leaves']> {
    for (const [key, below] of node) {
      const path = [...above, key];
      if (below instanceof Map) yield* leaves(below, path);
      else yield { path, value: below.value };
    }
  }

  return {
    set,
    remove(path) {
      const last = path.at(-1);
      let node = root;
      for (const key of path.slice(0, -1)) {
        const below = node.get(key);
        if (!(below instanceof Map)) return;
        node = below;
      }
      if (last !== undefined) node.delete(last);
    },
    leaves: () => leaves(root, []),
  };
}
