import type { Locator } from 'playwright-core';
import { disappears } from '../workbench/disappears.ts';

/** Chooses an entry of a row's context menu. A menu ignores a click that comes right after it opened. */
export async function chooseInContextMenu(item: Locator, entry: string): Promise<void> {
  await item.click({ button: 'right' });
  const opened = item.page().locator('.monaco-menu');
  const chosen = opened.locator('.action-item').filter({ hasText: entry }).first();
  do {
    await chosen.click();
  } while (!(await disappears(opened)));
}
