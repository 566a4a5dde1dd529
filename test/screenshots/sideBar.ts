import type { Locator, Page } from 'playwright-core';
import type { Scene } from './scene.ts';

/** A row of a tree of the side bar, found by a part of what a screen reader says of it. */
export function treeRow(page: Page, text: string): Locator {
  return page.locator(`.part.sidebar .monaco-list-row[aria-label*="${text}"]`).first();
}

/** The three trees of the sample project. */
export const experiments: Scene = {
  name: 'views',
  async show({ page }) {
    await treeRow(page, 'boosting-shallow').waitFor();
    await treeRow(page, 'flight-delays').waitFor();
  },
};

/** The versions of a model, with one under the pointer so that its tooltip shows. */
export const models: Scene = {
  name: 'models',
  async show({ page, runCommand }) {
    await runCommand('View: Close All Editors');
    const model = page
      .locator('.part.sidebar .pane')
      .filter({ has: page.locator('.pane-header[aria-label*="Models"]') })
      .locator('.monaco-list-row')
      .first();
    if ((await model.getAttribute('aria-expanded')) === 'false') await model.click();
    await page.locator('.part.sidebar .monaco-list-row[aria-label*="Production"]').first().hover();
    await page.locator('.workbench-hover').first().waitFor();
  },
};

/** What each view says as long as it is empty. */
export const emptyViews: Scene = {
  name: 'empty-views',
  async show({ page }) {
    await page.getByRole('button', { name: 'Open Sample Project' }).first().waitFor();
  },
};

/** A run page in Restricted Mode: readable, and nothing can be started. */
export const untrusted: Scene = {
  name: 'restricted-mode',
  async show({ page, webview }) {
    await treeRow(page, 'boosting-shallow').click();
    await webview().locator('canvas').first().waitFor();
  },
};
