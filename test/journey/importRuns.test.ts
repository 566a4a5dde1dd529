import assert from 'node:assert/strict';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { repository } from '../toolchain/cacheFolder.ts';
import type { Workbench } from '../workbench/workbench.ts';
import { chooseInContextMenu } from './contextMenu.ts';
import { inSampleProject } from './inSampleProject.ts';
import { type MlrunsRun, metricLines, writeMlruns } from './mlrunsFolder.ts';
import { row, unfold } from './sideBar.ts';

const losses = [0.5, 0.25, 0.125];
const steady: MlrunsRun = {
  name: 'steady',
  runId: '0123456789abcdef0123456789abcdef',
  parameters: { rate: '0.1' },
  metrics: { loss: losses },
};
const jumpy: MlrunsRun = {
  name: 'jumpy',
  runId: 'fedcba9876543210fedcba9876543210',
  parameters: { rate: '0.9' },
  metrics: { loss: [0.5, 2, 0.25] },
};

describe('runs that another tool recorded', function () {
  this.timeout(180_000);

  it('are imported, exported again, and deleted permanently, with the mouse', async function () {
    if (process.platform === 'win32') this.skip();
    await inSampleProject({}, async (workbench, folder) => {
      const picture = (name: string) =>
        workbench.screenshot(join(repository, 'out', 'journey', `import-${name}.png`));
      const source = join(dirname(folder), 'elsewhere', 'mlruns');
      const exported = join(dirname(folder), 'exported');
      await writeMlruns(source, 'elsewhere', [steady, jumpy]);
      await mkdir(exported);
      await row(workbench, 'boosting-shallow').waitFor();
      await importFolder(workbench, source);
      await unfold(row(workbench, 'elsewhere'));
      await row(workbench, 'steady').waitFor();
      await notified(workbench, 'Imported from mlruns: 2 runs, points of metrics: 6.');
      await picture('done');

      await chooseInContextMenu(row(workbench, 'steady'), 'Export Run as mlruns');
      await chooseFolder(workbench, exported, 'Export Here');
      await notified(workbench, `Exported to ${join(exported, 'mlruns')}: 1 run, points of metrics: 3.`);
      assert.equal(await readFile(await metricFile(exported), 'utf8'), metricLines(losses));

      await chooseInContextMenu(row(workbench, 'jumpy'), 'Delete Run');
      await row(workbench, 'jumpy').waitFor({ state: 'detached' });
      await workbench.runCommand('Slipway: Delete Permanently');
      await workbench.pick('What shall be deleted permanently?', 'jumpy');
      const dialog = workbench.page.locator('.monaco-dialog-box');
      await dialog.filter({ hasText: 'It cannot be undone' }).filter({ hasText: 'Runs: jumpy' }).waitFor();
      await picture('delete');
      await dialog.getByRole('button', { name: 'Delete Permanently' }).click();
      await notified(workbench, 'Deleted permanently: runs: 1.');
      await workbench.runCommand('Slipway: Restore Deleted');
      await notified(workbench, 'Nothing is deleted.');
      await row(workbench, 'steady').waitFor();
    });
  });
});

async function importFolder(workbench: Workbench, folder: string): Promise<void> {
  await workbench.runCommand('Slipway: Import Runs');
  await workbench.pick('Import runs', 'Choose a Folder…');
  await chooseFolder(workbench, folder, 'Look What Is There');
  await workbench.pick('Import runs', '2 runs');
}

/** Types a folder's path into the server's folder chooser, which takes it once it shows it among its neighbours. */
async function chooseFolder({ page }: Workbench, path: string, button: string): Promise<void> {
  const chooser = page.locator('.quick-input-widget');
  const accept = chooser.getByRole('button', { name: button });
  await accept.waitFor();
  // What is typed before it shows where it stands is overwritten.
  await chooser.locator('.monaco-list-row[aria-label^=".."]').waitFor();
  await chooser.locator('input').first().fill(path);
  await chooser.locator(`.monaco-list-row[aria-label^="${basename(path)}"]`).waitFor();
  await page.keyboard.press('Enter');
  await accept.waitFor({ state: 'hidden' });
}

/** Waits for a notification, which shows in their list only: a window without a head shows no toasts. */
async function notified(workbench: Workbench, text: string): Promise<void> {
  await workbench.runCommand('Notifications: Show Notifications');
  await workbench.page.locator('.notifications-center', { hasText: text }).waitFor();
  await workbench.runCommand('Notifications: Hide Notifications');
}

async function metricFile(exported: string): Promise<string> {
  const names = await readdir(exported, { recursive: true });
  const found = names.find((name) => name.endsWith(join(steady.runId, 'metrics', 'loss')));
  assert.ok(found, names.join('\n'));
  return join(exported, found);
}
