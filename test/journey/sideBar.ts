import type { Locator } from 'playwright-core';
import type { Workbench } from '../workbench/workbench.ts';

export type ViewName = 'Experiments' | 'Models' | 'Endpoints';

/** One of Slipway's views. */
export function view({ page }: Pick<Workbench, 'page'>, name: ViewName): Locator {
  return page.locator('.pane').filter({ has: page.locator(`.pane-header[aria-label^="${name}"]`) });
}

/** The first row of a view whose words begin so. */
export function row(
  workbench: Pick<Workbench, 'page'>,
  start: string,
  name: ViewName = 'Experiments',
): Locator {
  return view(workbench, name).locator(`.monaco-list-row[aria-label^="${start}"]`).first();
}

/** Unfolds a row, unless it is unfolded already. Waits for it as long as `waiting` says. */
export async function unfold(item: Locator, waiting: { readonly timeout?: number } = {}): Promise<void> {
  await item.waitFor(waiting);
  if ((await item.getAttribute('aria-expanded')) === 'true') return;
  await item.locator('.monaco-tl-twistie').click();
}

/** The names of the rows of a view, from top to bottom, each with its level. */
export async function rowsOf(
  workbench: Workbench,
  name: ViewName = 'Experiments',
): Promise<readonly { readonly level: number; readonly label: string }[]> {
  const rows = await view(workbench, name).locator('.monaco-list-row').all();
  const found = await Promise.all(
    rows.map(async (item) => ({
      index: Number(await item.getAttribute('data-index')),
      level: Number(await item.getAttribute('aria-level')),
      label: ((await item.locator('.label-name').first().textContent()) ?? '').trim(),
    })),
  );
  return found.sort((one, other) => one.index - other.index).map(({ level, label }) => ({ level, label }));
}

/** All that the rows of a view say, descriptions too, each in one line. */
export async function textsOf(workbench: Workbench, name: ViewName): Promise<readonly string[]> {
  const texts = await view(workbench, name).locator('.monaco-list-row').allInnerTexts();
  return texts.map((text) => text.replace(/\s+/g, ' ').trim());
}
