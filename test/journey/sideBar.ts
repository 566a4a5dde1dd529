import type { Locator } from 'playwright-core';
import type { Workbench } from '../workbench/workbench.ts';

/** One of Slipway's views. */
export function view({ page }: Workbench, name: 'Experiments' | 'Models' | 'Endpoints'): Locator {
  return page.locator('.pane').filter({ has: page.locator(`.pane-header[aria-label^="${name}"]`) });
}

/** The first row of a view whose words begin so. */
export function row(
  workbench: Workbench,
  start: string,
  name: 'Experiments' | 'Models' | 'Endpoints' = 'Experiments',
): Locator {
  return view(workbench, name).locator(`.monaco-list-row[aria-label^="${start}"]`).first();
}

/** What the rows of a view say, from top to bottom, each with its level. */
export async function rowsOf(
  workbench: Workbench,
  name: 'Experiments' | 'Models' | 'Endpoints' = 'Experiments',
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
