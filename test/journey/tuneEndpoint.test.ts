import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from '../toolchain/cacheFolder.ts';
import type { Workbench } from '../workbench/workbench.ts';
import { promoteServed, startEndpoint } from './endpointActions.ts';
import { inSampleProject } from './inSampleProject.ts';
import { answerNotification, notification } from './notifications.ts';
import { row, unfold } from './sideBar.ts';

describe('an endpoint that is measured, in a real VS Code', function () {
  this.timeout(300_000);
  before(function () {
    if (process.platform === 'win32') this.skip();
  });

  it('is tested under load while it is measured, keeps its version when another one is promoted, and is tuned', async () => {
    await inSampleProject({}, async (workbench, folder) => {
      const { page } = workbench;
      const picture = (name: string) =>
        workbench.screenshot(join(repository, 'out', 'journey', `tune-${name}.png`));
      const endpoint = await startEndpoint(workbench);
      const measuring = /Measuring how "flight-delays" runs best: .*1 thread/;
      await tune(workbench, 'Thorough');
      await notification(workbench, measuring);

      // Measuring thoroughly takes longer than a load test.
      await loadTest(workbench);
      await picture('load-test');
      await answerNotification(workbench, /Measuring how "flight-delays" runs best/, 'Cancel');
      await promoteServed(workbench, 'until you start it with version 3');
      await row(workbench, 'v3', 'Models').filter({ hasText: 'Production' }).waitFor();
      await notification(workbench, 'Version 3 of "flight-delays" is now in stage Production. Archived: v2.');
      await endpoint.filter({ hasText: 'v2 · ready' }).waitFor();
      await unfold(endpoint);
      await row(workbench, 'v2', 'Endpoints').filter({ hasText: '100%' }).waitFor();

      await tune(workbench, 'Quick');
      await notification(workbench, measuring);
      const best = /"flight-delays" runs best with/;
      await notification(workbench, best, 200_000);
      const report = workbench.webview();
      await report.getByRole('heading', { name: 'How "flight-delays" runs best on this machine' }).waitFor();
      await report.getByText('Each way was measured once').waitFor();
      await picture('report');
      const advised = (await report.locator('pre').textContent()) ?? '';
      await answerNotification(workbench, best, 'Write Into slipway.yaml');
      await page.locator('.tab.active', { hasText: 'slipway.yaml' }).waitFor();
      await picture('written');
      const written = await readFile(join(folder, 'slipway.yaml'), 'utf8');
      assert.match(written, /^ {4}runtime:\n {6}threads: \d+\n {6}processes: \d+\n {6}batchRows: \d+$/m);
      for (const line of advised.trim().split('\n').slice(2)) assert.ok(written.includes(line), written);
      await endpoint.filter({ hasText: 'v2 · ready' }).waitFor();
    });
  });

  it('lets a version in that is promoted to the stage that slipway.yaml has it follow', async () => {
    await inSampleProject({}, async (workbench, folder) => {
      await row(workbench, 'boosting-shallow').waitFor();
      await writeFile(join(folder, 'slipway.yaml'), 'endpoints:\n  flight-delays: {}\n');
      const endpoint = await startEndpoint(workbench);
      await unfold(row(workbench, 'flight-delays', 'Models'));
      await promoteServed(workbench, 'follows this stage: version 3 comes in for version 2');
      await endpoint.filter({ hasText: 'v3' }).waitFor();
      await answerNotification(workbench, 'Version 3 of "flight-delays" is now in stage', 'Open Endpoint');
      await workbench.webview().getByRole('heading', { name: 'flight-delays' }).first().waitFor();
    });
  });
});

async function tune(workbench: Workbench, effort: 'Thorough' | 'Quick'): Promise<void> {
  const { page } = workbench;
  await workbench.runCommand('Slipway: Tune Endpoint');
  const asked = page.locator('.quick-input-widget');
  await workbench.answer('How many rows have most requests');
  await asked.getByText('How thoroughly is "flight-delays" measured?').waitFor();
  await asked.locator('.monaco-list-row', { hasText: effort }).click();
}

async function loadTest(workbench: Workbench): Promise<void> {
  await workbench.runCommand('Slipway: Load Test');
  const endpointPage = workbench.webview();
  const start = endpointPage.getByText('Start Load Test');
  await start.waitFor();
  await field(workbench, 'Highest rate (requests a second)', '20');
  await field(workbench, 'Seconds at each rate', '0.5');
  await start.click();
  const result = endpointPage.locator('.load-result');
  await result.getByRole('heading', { name: /within 50 ms at p99/ }).waitFor();
  await result.locator('tbody tr').first().waitFor();
  await result.locator('canvas').waitFor();
  await result.scrollIntoViewIfNeeded();
}

async function field(workbench: Workbench, label: string, value: string): Promise<void> {
  await workbench.webview().getByRole('spinbutton', { name: label }).fill(value);
}
