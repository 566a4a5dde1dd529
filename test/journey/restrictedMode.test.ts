import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sampleWorkspace } from '../workbench/sampleWorkspace.ts';
import { openWorkbench } from '../workbench/workbench.ts';

describe('in a workspace that is not trusted', function () {
  this.timeout(180_000);

  it('runs and charts can be read, and what starts something is not offered', async () => {
    const sample = await sampleWorkspace();
    const workbench = await openWorkbench({ workspace: sample.folder, trusted: false });
    try {
      const { page } = workbench;
      await workbench.openContainer('Slipway');
      const run = page.locator('.monaco-list-row[aria-label*="boosting-shallow"]').first();
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
    } finally {
      await workbench.dispose();
      await sample.remove();
    }
  });

  it('no store appears where there was none', async () => {
    const sample = await sampleWorkspace(false);
    const workbench = await openWorkbench({ workspace: sample.folder, trusted: false });
    try {
      await workbench.openContainer('Slipway');
      await workbench.page.getByText('Manage Workspace Trust').first().waitFor();
      assert.equal(existsSync(join(sample.folder, '.slipway')), false);
    } finally {
      await workbench.dispose();
      await sample.remove();
    }
  });
});
