import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inSampleProject } from './inSampleProject.ts';
import { row } from './sideBar.ts';

describe('in a workspace that is not trusted', function () {
  this.timeout(180_000);

  it('runs and charts can be read, and what starts something is not offered', async () => {
    await inSampleProject({ trusted: false }, async (workbench) => {
      const { page } = workbench;
      const run = row(workbench, 'boosting-shallow');
      await run.hover();
      const buttons = run.locator('.action-item');
      assert.match((await buttons.nth(1).locator('.action-label').getAttribute('class')) ?? '', /disabled/);
      await run.click();
      await workbench.webview().locator('canvas').first().waitFor();

      await page.keyboard.press('F1');
      await page.locator('.quick-input-widget input').first().fill('>Slipway: ');
      const rows = page.locator('.quick-input-widget .monaco-list-row');
      await rows.filter({ hasText: 'Open Run' }).waitFor();
      assert.equal(await rows.filter({ hasText: 'Start Endpoint' }).count(), 0);
    });
  });

  it('no store appears where there was none', async () => {
    await inSampleProject({ trusted: false, recorded: false }, async (workbench, folder) => {
      await workbench.page.getByText('Manage Workspace Trust').first().waitFor();
      assert.equal(existsSync(join(folder, '.slipway')), false);
    });
  });
});
