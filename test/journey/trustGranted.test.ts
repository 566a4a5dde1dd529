import assert from 'node:assert/strict';
import { inSampleProject } from './inSampleProject.ts';
import { row } from './sideBar.ts';
import { environmentOf, openTerminal, outputOf } from './terminal.ts';
import { trackingClient } from './trackingClient.ts';

describe('in a workspace that becomes trusted', function () {
  this.timeout(240_000);
  before(function () {
    if (process.platform === 'win32') this.skip();
  });

  it('everything starts without a reload: terminals, endpoints, the command slipway', async () => {
    await inSampleProject({ trusted: false }, async (workbench) => {
      const { page } = workbench;
      await row(workbench, 'boosting-shallow').waitFor();

      await workbench.runCommand('Workspaces: Manage Workspace Trust');
      await page
        .locator('.workspace-trust-editor')
        .getByRole('button', { name: 'Trust', exact: true })
        .click();
      await page.getByText('You trust this folder').waitFor();
      await page.locator('.monaco-modal-editor-block .codicon-close').first().click();
      await page.locator('.workspace-trust-editor').waitFor({ state: 'detached' });
      const version = row(workbench, 'v2', 'Models');
      await version.hover();
      await version.locator('.codicon-play:not(.disabled)').click();
      await row(workbench, 'flight-delays', 'Endpoints').filter({ hasText: 'ready' }).waitFor();

      await openTerminal(workbench);
      const environment = await environmentOf(workbench);
      assert.equal(await trackingClient(environment).answers(), true);
      assert.equal(environment.MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT, 'true');
      assert.match(await outputOf(workbench, 'slipway --version'), /^\D*\d+\.\d+\.\d+\s*$/);
    });
  });
});
