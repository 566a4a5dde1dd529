import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { writesOutputChannels } from '../workbench/vscodeServer.ts';
import type { Workbench } from '../workbench/workbench.ts';
import { chooseInContextMenu } from './contextMenu.ts';
import { predictInBrowser, startCanary, startEndpoint } from './endpointActions.ts';
import { endpointLog } from './endpointLog.ts';
import { inSampleProject } from './inSampleProject.ts';
import { said } from './notifications.ts';
import { row } from './sideBar.ts';
import { slipwayProcesses } from './slipwayProcesses.ts';
import { until } from './until.ts';

describe('an endpoint, in a real VS Code', function () {
  this.timeout(300_000);
  before(function () {
    if (process.platform === 'win32') this.skip();
  });

  it('is tried in the browser, its requests exported, a file scored, a rollout begun and taken back, and it is deleted', async () => {
    await inSampleProject({}, async (workbench, folder) => {
      const endpoint = await startEndpoint(workbench);
      await tryInBrowser(workbench);
      await workbench.runCommand('Slipway: Open Endpoint');
      await workbench.webview().getByRole('heading', { name: 'flight-delays' }).first().waitFor();
      await sendTestRequest(workbench);
      // The answer is before the endpoint's page, whose content VS Code discarded.
      await workbench.runCommand('Slipway: Load Test');
      await workbench.webview().getByRole('button', { name: 'Start Load Test' }).waitFor();
      await exportRequests(workbench, join(folder, 'requests.csv'));
      await scoreFile(workbench, join(folder, 'data', 'later.csv'), join(folder, 'scored.csv'));

      await startCanary(workbench);
      await endpoint.filter({ hasText: 'v3 at 5%' }).waitFor();
      await chooseInContextMenu(endpoint, 'Roll Back');
      await said(workbench, 'Rolled back: version 2 answers all requests');
      await endpoint.filter({ hasText: 'ready' }).waitFor();

      await workbench.runCommand('Slipway: Open Endpoint');
      await workbench.webview().getByRole('heading', { name: 'flight-delays' }).first().waitFor();
      await chooseInContextMenu(endpoint, 'Delete Endpoint');
      const dialog = workbench.page.locator('.monaco-dialog-box').filter({ hasText: 'Its model stays' });
      await dialog.getByRole('button', { name: 'Delete with Its Log' }).click();
      await endpoint.waitFor({ state: 'detached' });
      await workbench.webview().getByText('This endpoint is not there any more.').waitFor();
      assert.ok(!existsSync(join(folder, '.slipway', 'inference', 'flight-delays.db')));
    });
  });

  it('says in the output channel of endpoints that it crashed and came back', async function () {
    if (!(await writesOutputChannels())) this.skip();
    await inSampleProject({}, async (workbench) => {
      const endpoint = await startEndpoint(workbench);
      const [scorer] = slipwayProcesses().filter(({ script }) => script === 'scorer');
      assert.ok(scorer);
      process.kill(scorer.pid, 'SIGKILL');
      await until('the line of the crash, and that of the new process', () =>
        /\[warning\] \[flight-delays\] .*It is started again[\s\S]*\[info\] \[flight-delays\] serves version 2/.test(
          endpointLog(workbench),
        ),
      );
      await endpoint.filter({ hasText: 'ready' }).waitFor();
      await startCanary(workbench);
      await until('the line of the rollout', () =>
        /\[info\] \[flight-delays\] Version 3 comes in for version 2/.test(endpointLog(workbench)),
      );

      await workbench.runCommand('Slipway: Show Endpoint Log');
      const output = workbench.page.locator('.part.panel .view-lines');
      await output.filter({ hasText: 'It is started again' }).waitFor();
      assert.match((await output.textContent()) ?? '', /It\sanswers\swith\sversion\s2/);
    });
  });

  it('shows what is wrong in slipway.yaml where it is wrong, until it is right', async () => {
    await inSampleProject({}, async (workbench, folder) => {
      await row(workbench, 'boosting-shallow').waitFor();
      const { page } = workbench;
      const file = join(folder, 'slipway.yaml');
      await writeFile(file, 'endpoints:\n  flight-delays:\n    port: 80000\n');
      const center = page.locator('.notifications-center.visible');
      await until('the notification', async () => {
        if (!(await center.isVisible())) await workbench.runCommand('Notifications: Show Notifications');
        return center.getByText(/slipway\.yaml has an error in line 3/).isVisible();
      });
      await center.getByText('Open File').click();
      await page.locator('.editor-instance .squiggly-error').first().waitFor();
      await workbench.runCommand('Problems: Focus on Problems View');
      const problems = page.locator('.markers-panel .monaco-list-row');
      await problems.filter({ hasText: 'expected number to be <=65535, not 80000' }).waitFor();
      await problems.filter({ hasText: '[Ln 3, Col 11]' }).waitFor();

      await writeFile(file, 'endpoints: {}\n');
      await problems.first().waitFor({ state: 'detached' });
    });
  });
});

/** The page that is opened outside of the editor is there, below the path at which the server has its ports. */
async function tryInBrowser(workbench: Workbench): Promise<void> {
  const context = workbench.page.context();
  const below = /\/proxy\/(\d+)(\/.*)$/;
  // What the front of this VS Code server does, which the tests start without: it hands a request on as it is.
  await context.route(below, async (route) => {
    const asked = route.request();
    const [, port, path] = below.exec(asked.url()) ?? [];
    const headers = { ...(await asked.allHeaders()), host: new URL(asked.url()).host };
    const sent = request({ port, path, method: asked.method(), headers });
    sent.end(asked.postDataBuffer() ?? undefined);
    const [answer] = await once(sent, 'response');
    await route.fulfill({ status: answer.statusCode, headers: answer.headers, body: await buffer(answer) });
  });
  const opened = await predictInBrowser(workbench);
  assert.doesNotMatch(opened.url(), /token/);
  await opened.close();
}

async function sendTestRequest(workbench: Workbench): Promise<void> {
  await workbench.runCommand('Slipway: Send Test Request');
  await workbench.answer('Send a test request to');
  await workbench.page.getByText('The endpoint answered with status 200').first().waitFor();
}

async function exportRequests(workbench: Workbench, output: string): Promise<void> {
  await workbench.runCommand('Slipway: Export Requests');
  await typePath(workbench, 'Where to write the requests', output);
  await said(workbench, /rows written: requests\.csv/);
  const [header = '', ...rows] = (await readFile(output, 'utf8')).trimEnd().split('\n');
  assert.match(header, /^request_id,received_at,model,version,.*inputs\.origin/);
  assert.ok(rows.length > 2, `${rows.length} rows`);
}

async function scoreFile(workbench: Workbench, input: string, output: string): Promise<void> {
  await workbench.runCommand('Slipway: Score File');
  await workbench.pick('Choose the version that scores', 'Production');
  await typePath(workbench, 'Choose the file', input);
  await typePath(workbench, 'Where to write the predictions', output);
  await said(workbench, /rows scored in/);
  const lines = async (file: string) => (await readFile(file, 'utf8')).trimEnd().split('\n').length;
  assert.equal(await lines(output), await lines(input));
}

/** Answers the file dialog of the editor. */
async function typePath(workbench: Workbench, title: string, path: string): Promise<void> {
  const dialog = workbench.page.locator('.quick-input-widget').filter({ hasText: title });
  const input = dialog.locator('input').first();
  // It begins with a path of its own, which comes a moment later.
  await until('the path that it begins with', async () => (await input.inputValue()) !== '');
  await until('the path', async () => {
    if ((await input.inputValue()) === path) return true;
    await input.fill(path);
    await workbench.page.waitForTimeout(500);
    return false;
  });
  await dialog.locator('.quick-input-action .monaco-button').first().click();
}
