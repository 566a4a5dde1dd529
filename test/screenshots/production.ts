import { copyCall, sendTraffic, startCanary } from '../journey/endpointActions.ts';
import type { Scene } from './scene.ts';
import { treeRow } from './sideBar.ts';

/** The modal that names the version that goes to production and the one that leaves it. */
export const promoteConfirmation: Scene = {
  name: 'promote',
  async show({ page, runCommand, pick }) {
    await runCommand('Slipway: Promote Version…');
    await pick('Choose the version to promote', 'Staging');
    await pick('to which stage?', 'Production');
    const why = page.locator('.quick-input-widget input[placeholder^="Such as"]');
    await why.fill('Better on the newest data');
    await why.press('Enter');
    await page.locator('.monaco-dialog-box').waitFor();
  },
};

/** An endpoint that answers. */
export const endpoints: Scene = {
  name: 'endpoints',
  async show({ page, runCommand, pick }) {
    await page.locator('.monaco-dialog-box').getByRole('button', { name: 'Cancel' }).click();
    await runCommand('Slipway: Start Endpoint');
    await pick('Choose the version to serve', 'Production');
    await treeRow(page, 'ready').waitFor();
  },
};

/** Its page, while it is asked and a new version comes in. */
export const endpointPage: Scene = {
  name: 'endpoint-page',
  async show(workbench) {
    const { page, runCommand, webview } = workbench;
    const call = await copyCall(workbench);
    await sendTraffic(call, 40, 20);
    await startCanary(workbench);
    await treeRow(page, 'v3 at 5%').waitFor();
    await runCommand('Notifications: Clear All Notifications');
    const traffic = sendTraffic(call, 40, 30);
    await runCommand('Slipway: Open Endpoint');
    await webview().locator('canvas').first().waitFor();
    await webview().getByRole('button', { name: '1 min' }).click();
    await traffic;
    await webview().getByText('/v2/models/').waitFor();
  },
};
