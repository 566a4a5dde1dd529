import assert from 'node:assert/strict';
import { startEndpoint } from './endpointActions.ts';
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

  it('no view says for a moment that it is empty', async () => {
    await inSampleProject({}, async (workbench) => {
      await startEndpoint(workbench);
      await workbench.page.addInitScript(() => {
        const welcomes = new Set<string>();
        Object.assign(globalThis, { welcomes });
        new MutationObserver(() => {
          for (const welcome of document.querySelectorAll('.pane-body.welcome .welcome-view')) {
            if (welcome.checkVisibility() && welcome.textContent) welcomes.add(welcome.textContent);
          }
        }).observe(document, { subtree: true, childList: true, attributes: true });
      });

      await workbench.reload();

      await row(workbench, 'boosting-shallow').waitFor({ timeout: 60_000 });
      await row(workbench, 'flight-delays', 'Models').waitFor();
      await row(workbench, 'flight-delays', 'Endpoints').waitFor();
      assert.deepEqual(await workbench.page.evaluate('[...welcomes]'), []);
    });
  });
});
