interface Disposable {
  dispose(): unknown;
}

/** Things that end together. What is added after the end is disposed of at once. */
export interface Disposables extends Disposable {
  add<Item extends Disposable>(item: Item): Item;
}

/** An empty list. Items are disposed of in the reverse order of their coming. */
export function createDisposables(): Disposables {
  const items: Disposable[] = [];
  let disposed = false;
  return {
    add(item) {
      if (disposed) item.dispose();
      else items.push(item);
      return item;
    },
    dispose() {
      disposed = true;
      for (const item of items.splice(0).reverse()) item.dispose();
    },
  };
}
