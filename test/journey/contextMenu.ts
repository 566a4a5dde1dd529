import type { Locator } from 'playwright-core';

/** Chooses an entry of a row's context menu. A menu ignores a click that comes right after it opened. */
export async function chooseInContextMenu(item: Locator, entry: string): Promise<void> {
  await item.click({ button: 'right' });
  const opened = item.page().locator('.monaco-menu');
  const chosen = opened.locator('.action-item').filter({ hasText: entry }).first();
  do {
    await chosen.click();
  } while (!(await disappears(opened)));
}

async function disappears(shown: Locator): Promise<boolean> {
  return shown.waitFor({ state: 'detached', timeout: 1_000 }).then(
    () => true,
    () => false,
  );
}
