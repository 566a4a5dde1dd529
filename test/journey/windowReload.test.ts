import assert from 'node:assert/strict';
import { inSampleProject } from './inSampleProject.ts';
import { row } from './sideBar.ts';

describe('after a reload of the window', function () {
  this.timeout(180_000);

  it('an open run page shows its run again', async () => {
    await inSampleProject({}, async (workbench) => {
      await row(workbench, 'boosting-shallow').click();
      const heading = () => workbench.webview().getByRole('heading', { name: 'boosting-shallow' });
      const curve = () => workbench.webview().locator('canvas').first();
      await heading().waitFor();
      await curve().waitFor();
      const before = await curve().getAttribute('aria-label');

      await workbench.reload();

      await heading().waitFor({ timeout: 60_000 });
      await curve().waitFor();
      assert.equal(await curve().getAttribute('aria-label'), before);
    });
  });
});
