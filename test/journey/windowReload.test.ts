import assert from 'node:assert/strict';
import { sampleWorkspace } from '../workbench/sampleWorkspace.ts';
import { openWorkbench } from '../workbench/workbench.ts';

describe('after a reload of the window', function () {
  this.timeout(180_000);

  it('an open run page shows its run again', async () => {
    const sample = await sampleWorkspace();
    const workbench = await openWorkbench({ workspace: sample.folder });
    try {
      await workbench.openContainer('Slipway');
      await workbench.page.locator('.monaco-list-row[aria-label*="boosting-shallow"]').first().click();
      const heading = () => workbench.webview().getByRole('heading', { name: 'boosting-shallow' });
      const curve = () => workbench.webview().locator('canvas').first();
      await heading().waitFor();
      await curve().waitFor();
      const before = await curve().getAttribute('aria-label');

      await workbench.reload();

      await heading().waitFor({ timeout: 60_000 });
      await curve().waitFor();
      assert.equal(await curve().getAttribute('aria-label'), before);
    } finally {
      await workbench.dispose();
      await sample.remove();
    }
  });
});
