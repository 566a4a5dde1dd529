import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { launchBrowser } from '../browser.ts';
import { repository } from '../toolchain/cacheFolder.ts';
import { pageActions } from '../workbench/workbench.ts';
import { predictInBrowser, startEndpoint } from './endpointActions.ts';
import { row } from './sideBar.ts';

describe('npm start', function () {
  this.timeout(180_000);

  it('prints an address where Slipway shows the sample project and its endpoint is tried, and ends cleanly on Ctrl+C', async function () {
    if (process.platform === 'win32') this.skip();
    const browser = await launchBrowser();
    const start = spawn(process.execPath, [join(repository, 'test', 'workbench', 'start.ts'), '--server'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(start, 'exit');
    let tried = '';
    try {
      const page = await browser.newPage();
      await page.goto(await printedAddress(start.stdout));
      await page.locator('.tab', { hasText: 'README.md' }).waitFor({ timeout: 60_000 });
      const slipway = page.locator('.part.activitybar .action-label[aria-label^="Slipway"]').first();
      await slipway.click({ timeout: 60_000 });
      await row({ page }, 'boosting-shallow').waitFor();

      const workbench = { page, ...pageActions(page) };
      await startEndpoint(workbench);
      const opened = await predictInBrowser(workbench);
      tried = opened.url();
      assert.match(new URL(tried).pathname, /^\/\d+\/try$/);
    } finally {
      await browser.close();
      start.kill('SIGINT');
    }
    assert.deepEqual(await ended, [0, null]);
    await assert.rejects(fetch(tried), 'what hands the ports on ended, too');
  });
});

async function printedAddress(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface(output)) {
    const match = /^\s+(http:\/\/127\.0\.0\.1:\S+)$/.exec(line);
    if (match?.[1]) return match[1];
  }
  throw new Error('npm start ended without an address');
}
