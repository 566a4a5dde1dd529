import { EventEmitter, type TreeDataProvider, type ViewBadge, window } from 'vscode';
import type { ViewId } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { createDisposables } from './disposables.ts';
import { type ErrorReporter, sentenceOf } from './errors.ts';
import { createLiveRows } from './liveRows.ts';
import { createNode, type TreeNode } from './treeNode.ts';

export interface LiveTreeOptions {
  readonly view: ViewId;
  readonly folders: EngineFolders;
  readonly errors: ErrorReporter;
  /** The rows of one folder. */
  roots(client: EngineClient): Promise<readonly TreeNode[]>;
}

export interface LiveTree {
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
      rows.forget();
      changed.fire(undefined);
      return;
    }
    const change = await rows.readAgain();
    tellFailure();
    if (change === 'all') changed.fire(undefined);
    else if (change.length > 0) changed.fire([...change]);
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

  const rows = createLiveRows(readRoots, errors.record);

  const tellFailure = () => {
    view.message = rows.failure === undefined ? '' : sentenceOf(rows.failure);
  };

  const provider: TreeDataProvider<TreeNode> = {
    onDidChangeTreeData: changed.event,
    getTreeItem: (node) => node.item,
    async resolveTreeItem(item, node) {
      if (!node.readTooltip) return item;
      try {
        // The row's own item stays without, as it is compared with the one that is read next.
        return { ...item, tooltip: await node.readTooltip() };
      } catch (error) {
        errors.record(error);
        return item;
      }
    },
    async getChildren(node) {
      const below = await rows.below(node);
      tellFailure();
      return [...below];
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
  disposables.add(view.onDidCollapseElement(({ element }) => rows.fold(element)));
  disposables.add(
    view.onDidExpandElement(({ element }) => {
      if (rows.unfold(element)) refresh();
    }),
  );
  disposables.add(folders.onDidChange(refresh));
  disposables.add({
    dispose() {
      clearTimeout(pause);
      clearInterval(ages);
    },
  });

  return {
    refresh,
    badge(badge) {
      view.badge = badge;
    },
    dispose: () => disposables.dispose(),
  };
}
