import { EventEmitter, type TreeDataProvider, type TreeView, type ViewBadge, window } from 'vscode';
import type { ViewId } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { createDisposables } from './disposables.ts';
import { type ErrorReporter, sentenceOf } from './errors.ts';
import { top, treeChange } from './treeChange.ts';
import { createNode, type TreeNode } from './treeNode.ts';

export interface LiveTreeOptions {
  readonly view: ViewId;
  readonly folders: EngineFolders;
  readonly errors: ErrorReporter;
  /** The rows of one folder. */
  roots(client: EngineClient): Promise<readonly TreeNode[]>;
}

export interface LiveTree {
  readonly view: TreeView<TreeNode>;
  /** Reads what is shown again; many calls in short time become one. */
  refresh(): void;
  badge(badge: ViewBadge | undefined): void;
  dispose(): void;
}

/** A training loop changes things many times a second; a person reads twice a second at most. */
const refreshMilliseconds = 500;
/** Ages such as "3 min ago" grow while nothing happens. */
const ageMilliseconds = 60_000;

/**
 * A tree view over the engines of all folders. Folders are a level of their own only when there are several. It is
 * read when it is first shown, and again whenever `refresh` is called.
 */
export function createLiveTree(options: LiveTreeOptions): LiveTree {
  const { folders, errors } = options;
  const disposables = createDisposables();
  const changed = disposables.add(new EventEmitter<TreeNode[] | undefined>());
  /** Rows as they were last read, by the ID of the row above them, of all rows that are unfolded. */
  let shown = new Map<string, readonly TreeNode[]>();
  let pause: NodeJS.Timeout | undefined;
  let refreshing = false;
  let again = false;

  const refresh = () => {
    if (refreshing) {
      again = true;
      return;
    }
    refreshing = true;
    const paused = new Promise<void>((resolve) => {
      pause = setTimeout(resolve, refreshMilliseconds);
    });
    void Promise.all([readShown(), paused]).then(() => {
      refreshing = false;
      if (again) {
        again = false;
        refresh();
      }
    });
  };

  /** Reads what is unfolded again, and only then has VS Code ask for what changed. */
  const readShown = async (): Promise<void> => {
    if (!view.visible) {
      shown = new Map();
      changed.fire(undefined);
      return;
    }
    const now = new Map<string, readonly TreeNode[]>();
    const readBelow = async (node: TreeNode | undefined): Promise<void> => {
      const id = node?.id ?? top;
      if (!shown.has(id)) return;
      const rows = await read(node);
      now.set(id, rows);
      await Promise.all(rows.map(readBelow));
    };
    await readBelow(undefined);
    const change = treeChange(shown, now);
    shown = change.shown;
    if (change.changed === 'all') changed.fire(undefined);
    else if (change.changed.length > 0) changed.fire([...change.changed]);
  };

  const readRoots = async (): Promise<readonly TreeNode[]> => {
    const clients = await folders.readable();
    const [only] = clients;
    if (only === undefined) return [];
    return clients.length === 1
      ? options.roots(only)
      : clients.map((client) =>
          createNode(
            client,
            'folder',
            { label: client.folder.name, kind: 'folder' },
            {},
            () => options.roots(client),
            true,
          ),
        );
  };

  const guarded = async (rows: () => Promise<readonly TreeNode[]>): Promise<readonly TreeNode[]> => {
    try {
      const nodes = await rows();
      view.message = '';
      return nodes;
    } catch (error) {
      errors.record(error);
      view.message = sentenceOf(error);
      return [];
    }
  };

  const read = (node: TreeNode | undefined): Promise<readonly TreeNode[]> =>
    guarded(node ? async () => (await node.children?.()) ?? [] : readRoots);

  const provider: TreeDataProvider<TreeNode> = {
    onDidChangeTreeData: changed.event,
    getTreeItem: (node) => node.item,
    async getChildren(node) {
      const id = node?.id ?? top;
      const rows = shown.get(id) ?? (await read(node));
      shown.set(id, rows);
      return [...rows];
    },
  };
  const view = disposables.add(
    window.createTreeView(options.view, { treeDataProvider: provider, showCollapseAll: true }),
  );

  let ages: NodeJS.Timeout | undefined;
  const watchAges = (visible: boolean) => {
    clearInterval(ages);
    ages = visible ? setInterval(refresh, ageMilliseconds) : undefined;
  };
  disposables.add(
    view.onDidChangeVisibility(({ visible }) => {
      watchAges(visible);
      if (visible) refresh();
    }),
  );
  watchAges(view.visible);
  disposables.add(view.onDidCollapseElement(({ element }) => shown.delete(element.id)));
  disposables.add(folders.onDidChange(refresh));
  disposables.add({
    dispose() {
      clearTimeout(pause);
      clearInterval(ages);
    },
  });

  return {
    view,
    refresh,
    badge(badge) {
      if (badge === undefined && view.badge === undefined) return;
      view.badge = badge;
    },
    dispose: () => disposables.dispose(),
  };
}
