import assert from 'node:assert/strict';
import { sampleWorkspace } from '../workbench/sampleWorkspace.ts';
import { openWorkbench } from '../workbench/workbench.ts';

describe('the packaged extension, installed into a clean VS Code', function () {
  this.timeout(240_000);

  it('starts its engine, shows the recorded runs, serves a model and computes drift', async () => {
    const sample = await sampleWorkspace();
    const workbench = await openWorkbench({ workspace: sample.folder, extension: 'vsix' });
    try {
      const { page } = workbench;
      const row = (text: string) =>
        page.locator(`.part.sidebar .monaco-list-row[aria-label*="${text}"]`).first();
      await workbench.openContainer('Slipway');

      const run = row('boosting-shallow');
      await run.click();
      await workbench.webview().locator('canvas').first().waitFor();

      await workbench.runCommand('Slipway: Start Endpoint');
      await workbench.pick('Choose the version to serve', 'Production');
      await row('ready').waitFor();

      await workbench.runCommand('View: Close All Editors');
      await workbench.runCommand('Slipway: Show Drift');
      await workbench.webview().locator('canvas').first().waitFor();
      assert.match((await workbench.webview().locator('body').textContent()) ?? '', /columns drifted/);
      assert.doesNotMatch(await page.title(), /Extension Development Host/);
    } finally {
      await workbench.dispose();
      await sample.remove();
    }
  });
});
