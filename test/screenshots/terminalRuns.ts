import type { Scene } from './scene.ts';
import { treeRow } from './sideBar.ts';
import { logTerminalRun } from './terminalRun.ts';

const name = 'with-holidays';

/** The machine's own figures of a run, in their group. */
export const systemMetrics: Scene = {
  name: 'run-system-metrics',
  async show(workbench) {
    const { page, webview } = workbench;
    await treeRow(page, 'boosting-shallow').waitFor();
    await logTerminalRun(workbench, name);
    const experiment = treeRow(page, 'holidays');
    await experiment.waitFor();
    if ((await experiment.getAttribute('aria-expanded')) === 'false') {
      await experiment.locator('.monaco-tl-twistie').click();
    }
    await treeRow(page, name).click();
    const title = webview().getByRole('button', { name: 'System metrics' });
    await title.click();
    await title.evaluate((element) => element.scrollIntoView());
    await webview().locator('canvas').nth(6).waitFor();
  },
};

/** What that run was made of. */
export const madeFrom: Scene = {
  name: 'run-made-from',
  async show({ webview }) {
    await webview().getByRole('button', { name: 'System metrics' }).click();
    const section = webview().getByRole('region', { name: 'Made from' });
    await section.getByText('1 changed file').waitFor();
    await section.getByText('2 files').waitFor();
    await webview().getByRole('button', { name: 'Packages' }).click();
    await webview().getByText('scikit-learn').waitFor();
    await section.evaluate((element) => element.scrollIntoView());
  },
};

/** The side bar's short account of it. */
export const runTooltip: Scene = {
  name: 'run-tooltip',
  async show({ page }) {
    await treeRow(page, name).hover();
    await page.locator('.workbench-hover', { hasText: 'with changes' }).waitFor();
  },
};
