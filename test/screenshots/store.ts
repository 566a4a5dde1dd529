import { join } from 'node:path';
import { writeMlruns } from '../journey/mlrunsFolder.ts';
import type { Scene } from './scene.ts';
import { lookAround } from './terminalRun.ts';

/** Where the disk space goes. */
export const diskUsage: Scene = {
  name: 'disk-usage',
  async show({ page, runCommand, webview }) {
    await page.mouse.move(1, 1);
    await runCommand('View: Close All Editors');
    await runCommand('Slipway: Show Disk Usage');
    await webview().getByRole('heading', { name: 'Disk usage' }).waitFor();
  },
};

/** What of other tools lies in the workspace. */
export const importChoices: Scene = {
  name: 'import',
  async show(workbench) {
    const { folder } = await lookAround(workbench);
    const run = { runId: '0123456789abcdef0123456789abcdef', parameters: { rate: '0.1' } };
    await writeMlruns(join(folder, 'mlruns'), 'spring', [
      { ...run, name: 'steady', metrics: { loss: [0.5, 0.25, 0.125] } },
    ]);
    await workbench.runCommand('Slipway: Import Runs…');
    await workbench.page
      .locator('.quick-input-widget .monaco-list-row', { hasText: 'Import mlruns and keep in sync' })
      .waitFor();
  },
};

/** What came of it. */
export const imported: Scene = {
  name: 'import-done',
  async show({ page, pick, runCommand }) {
    await pick('Import runs', 'Import mlruns');
    await page.locator('.part.sidebar .monaco-list-row[aria-label^="spring"]').first().waitFor();
    await runCommand('Notifications: Show Notifications');
    await page.locator('.notifications-center', { hasText: 'Imported from mlruns' }).waitFor();
  },
};
