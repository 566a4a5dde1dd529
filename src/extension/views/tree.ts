import {
  EventEmitter,
  MarkdownString,
  type TreeDataProvider,
  TreeItem,
  TreeItemCollapsibleState,
  type TreeView,
  type ViewBadge,
  window,
} from 'vscode';
import type { ViewId, ViewItem } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { createDisposables } from './disposables.ts';
import { type ErrorReporter, sentenceOf } from './errors.ts';

/** A row of a tree. Nodes bear the members of a command's target too, so that context menus pass them. */
export interface TreeNode {
  /** Stable over refreshes, so that what is unfolded stays unfolded. */
  readonly id: string;
  /** The URI of the workspace folder as text. */
  readonly folder: string;
  readonly item: TreeItem;
  /** Null when there is nothing below. */
  readonly children: (() => Promise<readonly TreeNode[]>) | null;
}

/** What a node is made of: `TreeItem` with its optional members in one literal. */
export interface NodeLook
  extends Partial<
    Pick<TreeItem, 'description' | 'tooltip' | 'iconPath' | 'command' | 'accessibilityInformation'>
  > {
  readonly label: string;
  readonly kind: ViewItem;
}

/** A node at `folder` with the given look and target members. */
export function createNode<Target extends object>(
  client: EngineClient,
  path: string,
  look: NodeLook,
  target: Target,
  children: TreeNode['children'] = null,
  expanded = false,
): TreeNode & Target {
  const id = `${client.id}/${path}`;
  const state = expanded ? TreeItemCollapsibleState.Expanded : TreeItemCollapsibleState.Collapsed;
  const item = new TreeItem(look.label, children === null ? TreeItemCollapsibleState.None : state);
  const { kind, label: _, ...rest } = look;
  Object.assign(item, rest, { id, contextValue: kind });
  return { ...target, id, folder: client.id, item, children };
}

export interface LiveTreeOptions {
  readonly view: ViewId;
  readonly folders: EngineFolders;
  readonly errors: ErrorReporter;
  /** The rows of one folder. */
  roots(client: EngineClient): Promise<readonly TreeNode[]>;
  /** Called after the rows of all folders were read. */
  loaded?(nodes: readonly TreeNode[]): void;
}

export interface LiveTree {
  readonly view: TreeView<TreeNode>;
  /** Reads what is shown again; many calls in short time become one. */
  refresh(): void;
  badge(badge: ViewBadge | undefined): void;
  dispose(): void;
}

/** Stands for the row above the topmost ones. */
const top = '';
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
  const changed = disposables.add(new EventEmitter<undefined>());
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

  /**
   * Reads what is unfolded again, and only then has VS Code ask for it. While VS Code waits for rows it knows none, and
   * a button that is pressed on one would run its command without saying for which.
   */
  const readShown = async (): Promise<void> => {
    const next = new Map<string, readonly TreeNode[]>();
    const readBelow = async (node: TreeNode | undefined): Promise<void> => {
      const id = node?.id ?? top;
      if (!shown.has(id)) return;
      const rows = await read(node);
      next.set(id, rows);
      await Promise.all(rows.map(readBelow));
    };
    if (view.visible) await readBelow(undefined);
    const differs = !view.visible || appearanceOf(next) !== appearanceOf(shown);
    shown = next;
    if (differs) changed.fire(undefined);
  };

  const readRoots = async (): Promise<readonly TreeNode[]> => {
    const clients = await folders.readable();
    const [only] = clients;
    if (only === undefined) return [];
    const nodes =
      clients.length === 1
        ? await options.roots(only)
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
    options.loaded?.(nodes);
    return nodes;
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

/** All that a person sees of these rows, to tell whether it changed. */
function appearanceOf(rows: ReadonlyMap<string, readonly TreeNode[]>): string {
  const seen = ({ item }: TreeNode) => [
    item,
    item.tooltip instanceof MarkdownString ? item.tooltip.value : null,
  ];
  return JSON.stringify([...rows].map(([above, nodes]) => [above, nodes.map(seen)]));
}
