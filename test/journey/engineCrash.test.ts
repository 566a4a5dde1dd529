import assert from 'node:assert/strict';
import type { Workbench } from '../workbench/workbench.ts';
import { inSampleProject } from './inSampleProject.ts';
import { row, unfold } from './sideBar.ts';
import { enginePids, isAlive, slipwayProcesses } from './slipwayProcesses.ts';
import { environmentOf, openTerminal } from './terminal.ts';
import { trackingClient } from './trackingClient.ts';
import { until } from './until.ts';

describe('the processes of a window', function () {
  this.timeout(240_000);
  before(function () {
    if (process.platform === 'win32') this.skip();
  });

  it('come back at the same address when the engine is killed, and what is open comes alive again', async () => {
    await inSampleProject({}, async (workbench) => {
      await row(workbench, 'boosting-shallow').waitFor();
      const { page } = workbench;
      await openTerminal(workbench);
      const client = trackingClient(await environmentOf(workbench));
      await workbench.runCommand('View: Toggle Panel Visibility');
      await startEndpoint(workbench);
      const experiment = await client.createExperiment('crash');
      const run = await client.startRun(experiment, 'survivor');
      for (const step of [1, 2, 3]) await client.logMetric(run, 'loss', 1 / step, step);
      await unfold(row(workbench, 'crash'));
      await row(workbench, 'survivor').hover();
      await row(workbench, 'survivor').locator('.codicon-go-to-file').click();
      const curve = workbench.webview().locator('canvas').first();
      await workbench.webview().locator('canvas[aria-label*="3 points"]').waitFor();
      const killed = slipwayProcesses();
      const [engine] = enginePids();
      assert.ok(engine);

      process.kill(engine, 'SIGKILL');
      const told = page.getByText('The Slipway engine stopped unexpectedly and was restarted.');
      await told.first().waitFor();
      await until('the engine at the same address', () => client.answers());
      assert.equal(enginePids().length, 1);
      assert.ok(!enginePids().includes(engine));

      for (const step of [4, 5]) await client.logMetric(run, 'loss', 1 / step, step);
      await workbench.webview().locator('canvas[aria-label*="5 points"]').waitFor();
      assert.ok(await curve.isVisible());
      await row(workbench, 'survivor').waitFor();
      await row(workbench, 'flight-delays').waitFor();
      await row(workbench, 'flight-delays', 'Endpoints').filter({ hasText: 'ready' }).waitFor();
      await until('no process of the time before', () => !killed.some(({ pid }) => isAlive(pid)));
      await workbench.runCommand('Notifications: Show Notifications');
      const center = page.locator('.notifications-center.visible');
      await center.getByText('The Slipway engine stopped unexpectedly and was restarted.').waitFor();
    });
  });

  it('end with the window', async () => {
    await inSampleProject({}, async (workbench) => {
      await row(workbench, 'boosting-shallow').waitFor();
      await startEndpoint(workbench);
      const before = slipwayProcesses();
      assert.deepEqual([...new Set(before.map(({ script }) => script))].sort(), ['engine', 'scorer']);
      await workbench.page.close();
      await workbench.dispose();
      await until('the end of every process', () => !before.some(({ pid }) => isAlive(pid)));
      assert.deepEqual(slipwayProcesses(), []);
    });
  });
});

/** Serves the version in production. */
async function startEndpoint(workbench: Workbench): Promise<void> {
  await workbench.runCommand('Slipway: Start Endpoint');
  await workbench.pick('Choose the version', 'Production');
  await row(workbench, 'flight-delays', 'Endpoints').filter({ hasText: 'ready' }).waitFor();
}
