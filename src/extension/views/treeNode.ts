import { type MarkdownString, TreeItem, TreeItemCollapsibleState } from 'vscode';
import type { ViewItem } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';

/** A row of a tree. Nodes bear the members of a command's target too, so that context menus pass them. */
export interface TreeNode {
  /** Stable over refreshes, so that what is unfolded stays unfolded. */
  readonly id: string;
  /** The URI of the workspace folder as text. */
  readonly folder: string;
  readonly item: TreeItem;
  /** Null when there is nothing below. */
  readonly children: (() => Promise<readonly TreeNode[]>) | null;
  /** Reads a tooltip that takes asking for; the item has none then. */
  readonly readTooltip?: () => Promise<MarkdownString>;
}

/** What a node is made of: `TreeItem` with its optional members in one literal. */
export interface NodeLook
  extends Partial<
    Pick<TreeItem, 'description' | 'tooltip' | 'iconPath' | 'command' | 'accessibilityInformation'>
  > {
  readonly label: string;
  readonly kind: ViewItem;
  /** In place of `tooltip`: called once the pointer rests on the row. */
  readonly readTooltip?: () => Promise<MarkdownString>;
}

/** A node at `folder` with the given look and target members. */
export function createNode(
  client: EngineClient,
  path: string,
  look: NodeLook,
  target: object,
  children: TreeNode['children'] = null,
  expanded = false,
): TreeNode {
  const id = `${client.id}/${path}`;
  const state = expanded ? TreeItemCollapsibleState.Expanded : TreeItemCollapsibleState.Collapsed;
  const item = new TreeItem(look.label, children === null ? TreeItemCollapsibleState.None : state);
  const { kind, label: _, readTooltip, ...rest } = look;
  Object.assign(item, rest, { id, contextValue: kind });
  return { ...target, id, folder: client.id, item, children, ...(readTooltip && { readTooltip }) };
}
