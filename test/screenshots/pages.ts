import type { Scene } from './scene.ts';
import { treeRow } from './sideBar.ts';

/** A finished run with its curves. */
export const runPage: Scene = {
  name: 'run-page',
  async show({ page, webview }) {
    const run = treeRow(page, 'boosting-shallow');
    await run.click();
    await webview().locator('canvas').first().waitFor();
  },
};

/** The same in half of a narrow window. */
export const narrowRunPage: Scene = {
  name: 'run-page-narrow',
  async show(workbench) {
    await workbench.runCommand('View: Close All Editors');
    await runPage.show(workbench);
    await workbench.page.setViewportSize({ width: 760, height: 900 });
    await workbench.webview().locator('canvas').first().waitFor();
  },
};

/** The drift between the training data and the logged requests of the recorded endpoint. */
export const driftPage: Scene = {
  name: 'drift-page',
  async show({ runCommand, webview }) {
    await runCommand('View: Close All Editors');
    await runCommand('Slipway: Show Drift');
    await webview().locator('canvas').first().waitFor();
  },
};

/** The journey's steps. */
export const walkthrough: Scene = {
  name: 'walkthrough',
  async show({ page, runCommand }) {
    await runCommand('Welcome: Open Walkthrough...');
    await page.locator('.quick-input-widget input').first().fill('Get started with Slipway');
    await page
      .locator('.quick-input-widget .monaco-list-row', { hasText: 'Get started with Slipway' })
      .waitFor();
    await page.keyboard.press('Enter');
    await page.locator('.getting-started-step').first().waitFor();
  },
};
