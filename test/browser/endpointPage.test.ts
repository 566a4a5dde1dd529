import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import {
  createEndpoint,
  createQuietEndpoint,
  type EndpointFixture,
  loadTestReport,
  loadTestSteps,
  shadowFindings,
} from './endpointData.ts';
import { FailedRequest } from './fakeHost.ts';
import type { OpenPage } from './openPage.ts';
import { pagesOfSuite } from './pagesOfSuite.ts';
import { pageWidths, sidewaysScroll } from './sidewaysScroll.ts';

describe('endpoint page', () => {
  const pages = pagesOfSuite();
  let churn: EndpointFixture;
  let open: OpenPage;

  beforeEach(() => {
    churn = createEndpoint();
  });

  const card = (name: string) => open.page.getByRole('article', { name, exact: true });
  const button = (name: string) => open.page.getByRole('button', { name, exact: true });
  const asked = (method: string) =>
    open.requests.filter((request) => request.method === method).map(({ params }) => params);
  const commands = () => open.actions.map((action) => ('command' in action ? action.command : action.action));
  const changed = (endpoints: readonly string[] = ['churn']) =>
    open.send({ type: 'event', event: 'serving/changed', data: { endpoints } });

  it('says how the endpoint stands, and draws requests, latencies, errors and shares by version', async () => {
    open = await pages.open('endpoint', churn, { height: 3000 });
    const { page } = open;
    await page.getByRole('heading', { name: 'churn', exact: true }).waitFor();
    await page.getByText('Follows stage Production').waitFor();
    for (const title of ['Requests a second', 'Latency', 'Errors a second', 'Share of the requests']) {
      await card(title)
        .getByRole('img', { name: new RegExp(`^${title}. Now: v6`) })
        .waitFor();
    }
    await card('Latency').getByText('v7 p95').waitFor();
    await page.getByRole('row', { name: /^v7 candidate 25% 10\.2\/s 2,202 3 1\.97 ms 7\.4 ms/ }).waitFor();
    assert.equal(await card('Share of the requests').getByText('25%').count(), 1);
  });

  it('draws the latency of a single request, to which no line leads', async () => {
    churn = createQuietEndpoint();
    const asked = Math.floor(Date.now() / 1000) * 1000 - 30_000;
    churn.traffic = (time) => ({ stable: time === asked ? 1 : 0, candidate: null });
    open = await pages.open('endpoint', churn);
    const canvas = card('Latency').getByRole('img', { name: /^Latency. Now: v6/ });
    await canvas.waitFor();
    await drawnIn(canvas, [0x37, 0x94, 0xff]);
  });

  it('asks only for what is new, and goes on by itself', async () => {
    open = await pages.open('endpoint', churn);
    await card('Latency').getByRole('img').waitFor();
    await open.until(() => asked('serving/live').length >= 3);
    const froms = asked('serving/live').map((params) => Number(Reflect.get(params, 'from')));
    const [first = 0, second = 0, third = 0] = froms;
    assert.ok(
      second - first > 14 * 60_000,
      'the first asks for a quarter of an hour, the second for what came since',
    );
    assert.ok(third >= second && third % 1000 === 0);
  });

  it('keeps the part that the person zoomed into while new points come', async () => {
    open = await pages.open('endpoint', churn, { height: 1600 });
    const chart = card('Requests a second').locator('canvas');
    await chart.waitFor();
    const box = await chart.boundingBox();
    assert.ok(box);
    const { mouse } = open.page;
    await mouse.move(box.x + box.width * 0.3, box.y + 80);
    await mouse.down();
    await mouse.move(box.x + box.width * 0.6, box.y + 80, { steps: 4 });
    await mouse.up();
    await card('Latency').hover();
    await card('Latency').getByRole('button', { name: 'Follow the Newest Again' }).waitFor();
    const before = asked('serving/live').length;
    await open.until(() => asked('serving/live').length >= before + 2);
    await card('Latency').getByRole('button', { name: 'Follow the Newest Again' }).click();
    await button('Follow the Newest Again').waitFor({ state: 'detached' });
  });

  it('shows the rollout with its step and what each check saw, in words and figures', async () => {
    open = await pages.open('endpoint', churn, { height: 2000 });
    const rollout = open.page.getByRole('region', { name: 'Rollout', exact: true });
    await rollout.getByRole('heading', { name: 'Version 7 beside version 6' }).waitFor();
    await rollout.getByText('step 2 of 3, 25% of the requests').waitFor();
    await rollout.getByRole('progressbar', { name: 'Step 2 of 3' }).waitFor();
    await rollout.getByRole('row', { name: 'Error Rate Passed 0.14% 0.01% 2,202 / 9,411 0.412' }).waitFor();
    await rollout.getByText('No sign that version 7 fails more often than version 6.').waitFor();
    await rollout
      .getByRole('row', { name: 'Quality (only told) Too few samples yet – – 32 / 140 of 100 each –' })
      .waitFor();
    await rollout.getByRole('button', { name: 'Copy Checks' }).click();
    await open.page.getByText('Copied').first().waitFor();
    const copied = await open.page.evaluate(() => navigator.clipboard.readText());
    assert.match(copied, /^Latency p99\tPassed\t7\.4 ms\t5\.9 ms\t.*at most 2 are allowed\.$/m);
  });

  it('shows a rollout as waiting while its endpoint is stopped, with nothing that turns', async () => {
    churn.endpoint = { ...churn.endpoint, state: 'stopped', url: null };
    open = await pages.open('endpoint', churn);
    const rollout = open.page.getByRole('region', { name: 'Rollout', exact: true });
    await rollout.getByText('The rollout is paused because the endpoint is stopped.').waitFor();
    assert.equal(await open.page.locator('.codicon-modifier-spin').count(), 0);
    churn.endpoint = { ...churn.endpoint, state: 'ready' };
    await changed();
    await rollout.getByText('The rollout is paused').waitFor({ state: 'detached' });
    assert.equal(await rollout.locator('.codicon-modifier-spin').count(), 1);
  });

  it('has a rollout rolled back, paused, and promoted by one button each', async () => {
    open = await pages.open('endpoint', churn);
    await button('Roll Back').click();
    await button('Pause').click();
    await button('Promote Now…').click();
    await open.until(() => open.actions.length === 3);
    assert.deepEqual(commands(), ['rollBackRollout', 'pauseRollout', 'promoteCandidate']);
    const { rollout } = churn.endpoint;
    assert.ok(rollout);
    const reason = 'The checks could not judge for 10 looks.';
    churn.endpoint = {
      ...churn.endpoint,
      rollout: { ...rollout, state: 'paused', reason: [{ text: reason }] },
    };
    await changed();
    await open.page.getByText(reason).waitFor();
    await button('Resume').click();
    await open.until(() => open.actions.length === 4);
    assert.equal(commands().at(-1), 'resumeRollout');
    churn.endpoint = { ...churn.endpoint, rollout: null };
    await changed([]);
    await button('Roll Back').waitFor({ state: 'detached' });
    await button('Start Rollout…').click();
    await open.until(() => commands().at(-1) === 'startRollout');
  });

  it('compares the predictions of a shadow', async () => {
    churn.shadows = shadowFindings;
    open = await pages.open('endpoint', churn, { height: 3000 });
    const shadow = open.page.getByRole('region', {
      name: 'Shadow: predictions of version 7 against version 6',
    });
    await shadow.getByText('They agree on 98.2% of 4,120 rows.').waitFor();
    await shadow.getByRole('row', { name: 'label 4,101 (99.5%) – –' }).waitFor();
    await shadow.getByRole('row', { name: 'probability – 0.002131 0.2184' }).waitFor();
    await shadow.getByText('2 that the shadow could not answer, 11 that it was too busy for').waitFor();
  });

  it('lists what happened and who did it', async () => {
    open = await pages.open('endpoint', churn, { height: 4000 });
    const events = open.page.getByRole('region', { name: /^Events/ });
    await events.getByRole('row', { name: /ada Version 7 comes in with 5% of the requests\.$/ }).waitFor();
    const rollouts = open.page.getByRole('region', { name: /^Earlier Rollouts/ });
    await rollouts.getByRole('row', { name: /v5 → v6 Canary promoted All checks passed/ }).waitFor();
  });

  it('says where it is called, and copies programs that do', async () => {
    open = await pages.open('endpoint', churn, { height: 4000 });
    const { page } = open;
    await page.getByText('http://127.0.0.1:49152/v2/models/churn/infer').waitFor();
    await page.getByText('127.0.0.1:49153').waitFor();
    await page.getByRole('row', { name: 'tenure FP32 [?, 1]' }).waitFor();
    await page.getByText('it is answered as a table of its values').waitFor();
    for (const name of ['Try in Browser', 'Copy as curl', 'Copy as Python', 'Copy as TypeScript']) {
      await button(name).click();
    }
    await open.until(() => open.actions.length === 4);
    assert.deepEqual(commands(), ['openTryPage', 'copyAsCurl', 'copyAsPython', 'copyAsTypeScript']);
    assert.ok(!(await page.content()).includes('secret'), 'the token is nowhere on the page');
  });

  describe('load test', () => {
    const start = async () => {
      await button('Load Test').click();
      await button('Start Load Test').click();
    };

    it('draws latency against rate while it runs, and says which rate holds', async () => {
      let answer: () => void = () => undefined;
      churn.loadTest = () =>
        new Promise((resolve) => {
          answer = () => resolve(loadTestReport());
        });
      open = await pages.open('endpoint', churn, { height: 4000 });
      const { page } = open;
      await start();
      await page.getByRole('progressbar', { name: 'Load Test' }).waitFor();
      for (const step of loadTestSteps.slice(0, 2)) {
        await open.send({ type: 'event', event: 'serving/loadTestStep', data: { endpoint: 'churn', step } });
      }
      const other = { ...loadTestSteps[2], rate: 41 } as (typeof loadTestSteps)[number];
      await open.send({
        type: 'event',
        event: 'serving/loadTestStep',
        data: { endpoint: 'another', step: other },
      });
      await page.getByRole('row', { name: /^20\/s yes 60 0 20\/s 1\.4 ms/ }).waitFor();
      assert.equal(await page.getByRole('row', { name: /^41\/s/ }).count(), 0);
      answer();
      await page.getByRole('heading', { name: 'Up to 320/s stay within 50 ms at p99' }).waitFor();
      await page.getByRole('row', { name: /^640\/s no 1,920 31/ }).waitFor();
      assert.deepEqual(asked('serving/loadTest'), [
        {
          endpoint: 'churn',
          body: null,
          plan: { firstRate: 10, lastRate: 5000, seconds: 3, latencyLimit: 50 },
        },
      ]);
      await button('Save as CSV').click();
      await open.until(() => open.actions.length === 1);
      const [saved] = open.actions;
      assert.ok(saved?.action === 'saveTable');
      assert.deepEqual(saved.text.split('\n').slice(0, 2), [
        'rate,sent,errors,answered_per_second,latency_p50_ms,latency_p95_ms,latency_p99_ms,latency_max_ms,sent_late_p99_ms,within_limit',
        '10,30,0,9.98,1.4,2.1,2.6,3.3800000000000003,0.4,true',
      ]);
    });

    it('keeps what it measured when it is stopped', async () => {
      churn.loadTest = () => new Promise(() => undefined);
      open = await pages.open('endpoint', churn, { height: 4000 });
      await start();
      const [step] = loadTestSteps;
      assert.ok(step);
      await open.send({ type: 'event', event: 'serving/loadTestStep', data: { endpoint: 'churn', step } });
      const section = open.page.getByRole('region', { name: 'Load Test' });
      await section.getByRole('button', { name: 'Stop' }).click();
      await section.getByRole('heading', { name: 'Stopped before its end' }).waitFor();
      await section.getByRole('row', { name: /^10\/s yes/ }).waitFor();
      await open.until(() => open.cancelled.length === 1);
    });

    it('sends a body that the person wrote, and nothing that is no JSON', async () => {
      open = await pages.open('endpoint', churn, { height: 4000 });
      await button('Load Test').click();
      await open.page.getByText('Sends the example request').click();
      const body = open.page.getByRole('textbox', { name: 'Body of the request' });
      assert.match(await body.inputValue(), /"tenure"/);
      await body.fill('{"inputs": [');
      await open.page.getByText('This is not JSON.').waitFor();
      await body.fill('{"inputs": []}');
      await open.page.getByRole('spinbutton', { name: 'Limit of p99 (ms)' }).fill('2.5');
      assert.equal(await open.page.locator('vscode-textfield:invalid').count(), 0);
      await button('Start Load Test').click();
      await open.until(() => asked('serving/loadTest').length === 1);
      assert.deepEqual(asked('serving/loadTest')[0], {
        endpoint: 'churn',
        body: '{"inputs": []}',
        plan: { firstRate: 10, lastRate: 5000, seconds: 3, latencyLimit: 2.5 },
      });
    });

    it('starts nothing with numbers that make no sense', async () => {
      open = await pages.open('endpoint', churn, { height: 4000 });
      await button('Load Test').click();
      await open.page.getByRole('spinbutton', { name: 'Seconds at each rate' }).fill('0');
      await open.page.getByRole('alert').getByText('seconds from 0.5 to 60').waitFor();
      assert.ok(await open.page.locator('vscode-button[disabled]', { hasText: 'Start Load Test' }).count());
    });

    it('says why it could not run', async () => {
      churn.loadTest = () => {
        throw new FailedRequest({
          kind: 'loadTestRefused',
          message: 'The endpoint "churn" refused the request of the load test with status 400: no input "x"',
          remedy: 'Choose a request that it answers.',
        });
      };
      open = await pages.open('endpoint', churn, { height: 4000 });
      await start();
      await open.page.getByRole('alert').getByText('refused the request of the load test').waitFor();
    });

    it('opens when a command asks for it, though the page has just begun', async () => {
      open = await pages.open('endpoint', churn);
      await open.send({ type: 'reveal', part: 'loadTest' });
      await button('Start Load Test').waitFor();
      await open.page.waitForFunction(
        () => document.activeElement?.textContent?.includes('Start Load Test') === true,
      );
    });
  });

  it('says what to do while there is no traffic', async () => {
    open = await pages.open('endpoint', createQuietEndpoint());
    await open.page.getByText('No requests in the last quarter of an hour.').waitFor();
    await button('Start Rollout…').waitFor();
  });

  it('offers to start one that stopped, and asks nothing that only a running one knows', async () => {
    churn = createQuietEndpoint();
    churn.endpoint = { ...churn.endpoint, state: 'stopped', url: null, variants: [] };
    open = await pages.open('endpoint', churn);
    await open.page.getByText('This endpoint does not answer now.').waitFor();
    await button('Start').click();
    await open.until(() => open.actions.length === 1);
    assert.deepEqual(open.actions, [{ type: 'action', action: 'startEndpoint', model: 'churn', version: 6 }]);
    assert.deepEqual(asked('serving/describe'), []);
  });

  it('says why one failed', async () => {
    churn = createQuietEndpoint();
    churn.endpoint = {
      ...churn.endpoint,
      state: 'failed',
      url: null,
      failure: { kind: 'portTaken', values: { port: 8080 } },
    };
    open = await pages.open('endpoint', churn);
    await open.page.getByRole('alert').getByText('port 8080 is taken by another program').waitFor();
  });

  it('starts and changes nothing in a workspace that is not trusted', async () => {
    open = await pages.open('endpoint', { ...churn, trusted: false, answer: churn.answer });
    await card('Latency').waitFor();
    for (const name of ['Roll Back', 'Pause', 'Promote Now…', 'Send Test Request…', 'Stop']) {
      assert.equal(await open.page.locator('vscode-button[disabled]', { hasText: name }).count(), 1, name);
    }
  });

  it('says what went wrong, and tries again', async () => {
    const { answer } = churn;
    let failing = true;
    churn.answer = (request) => {
      if (failing) {
        throw new FailedRequest({ kind: 'engineStopped', message: 'The engine is not running.', remedy: '' });
      }
      return answer(request);
    };
    open = await pages.open('endpoint', churn);
    await open.page.getByText('The engine is not running.').waitFor();
    failing = false;
    await button('Try Again').click();
    await card('Latency').waitFor();
  });

  it('can be read by keyboard', async () => {
    open = await pages.open('endpoint', churn);
    const chart = card('Requests a second').getByRole('img');
    await chart.focus();
    await open.page.keyboard.press('End');
    await open.page.keyboard.press('ArrowLeft');
    await button('p95').focus();
    await open.page.keyboard.press('Space');
    await card('Latency').getByText('v7 p95').waitFor({ state: 'detached' });
    await open.page.reload();
    await card('Latency').getByText('v7 p99').waitFor();
    assert.equal(await card('Latency').getByText('v7 p95').count(), 0, 'the choice survives a reload');
  });

  for (const [width, theme] of pageWidths) {
    it(`fits a width of ${width} pixels without scrolling sideways`, async () => {
      churn.shadows = shadowFindings;
      open = await pages.open('endpoint', churn, { width, theme });
      await button('Load Test').click();
      await button('Start Load Test').click();
      await open.page.getByRole('heading', { name: /^Up to 320/ }).waitFor();
      assert.equal(await sidewaysScroll(open.page), 0);
    });
  }

  it('speaks Brazilian Portuguese', async () => {
    open = await pages.open('endpoint', churn, { language: 'pt-br' });
    await open.page.getByRole('heading', { name: 'Versão 7 ao lado da versão 6' }).waitFor();
    await open.page.getByText('41,3/s').first().waitFor();
    await open.page
      .getByText('A saída "list" do modelo é uma sequência, o que este runtime não suporta')
      .waitFor();
  });
});

/** Waits until a canvas has pixels of exactly this colour. */
async function drawnIn(canvas: Locator, color: readonly [number, number, number]): Promise<void> {
  await canvas.page().waitForFunction(
    ({ element, color }) => {
      if (!(element instanceof HTMLCanvasElement)) return false;
      // Of a copy: Chromium warns of a page's own canvas that is read again and again.
      const { width, height } = element;
      const context = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d');
      if (!context) return false;
      context.drawImage(element, 0, 0);
      const { data } = context.getImageData(0, 0, width, height);
      for (let at = 0; at < data.length; at += 4) {
        if (color.every((channel, place) => data[at + place] === channel)) return true;
      }
      return false;
    },
    { element: await canvas.elementHandle(), color },
    { timeout: 10_000 },
  );
}
