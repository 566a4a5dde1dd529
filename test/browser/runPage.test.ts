import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import { parseMessage } from '../../src/extension/views/pageMessages.ts';
import { FailedRequest, type FakeHost } from './fakeHost.ts';
import type { OpenPage } from './openPage.ts';
import { pagesOfSuite } from './pagesOfSuite.ts';
import { createRun, curve, type RunFixture } from './runData.ts';
import { pageWidths, sidewaysScroll } from './sidewaysScroll.ts';

describe('run page', () => {
  const pages = pagesOfSuite();
  let run: RunFixture;
  let open: OpenPage;

  beforeEach(() => {
    run = createRun();
  });

  const card = (name: string) => open.page.getByRole('article', { name, exact: true });
  const curveOf = (name: string) => card(name).getByRole('img');
  const seriesRequests = () => open.requests.filter(({ method }) => method === 'tracking/metricSeries');
  async function tellThatRunChanged(): Promise<void> {
    const runId = open.requests[0] ? String(Reflect.get(open.requests[0].params, 'runId')) : '';
    const data = { experimentIds: ['1'], runIds: [runId] };
    await open.send({ type: 'event', event: 'tracking/changed', data });
  }

  it('shows the run: title, numbers, curves, parameters, models, data, files', async () => {
    open = await pages.open('run', run, { height: 3000 });
    const { page } = open;
    await page.getByRole('heading', { level: 1, name: 'crimson-otter-417' }).waitFor();
    await page.getByText('Running for').waitFor();
    await page.getByText('1,048,576').waitFor();
    await page.getByText('4.12e-5').waitFor();
    await curveOf('train/loss').waitFor();
    await page.getByRole('row', { name: 'optimizer adamw' }).waitFor();
    await page.getByText('churn v7').waitFor();
    await page.getByText('data/churn-train.parquet').waitFor();
    await page.getByRole('treeitem', { name: 'requirements.txt' }).waitFor();
  });

  it('fetches no points of the machine’s metrics before their group is opened', async () => {
    open = await pages.open('run', run, { height: 3000 });
    await curveOf('train/loss').waitFor();
    assert.ok(!JSON.stringify(open.requests).includes('system/'));
    await open.page.getByRole('button', { name: 'System metrics' }).click();
    await curveOf('system/cpu_utilization_percentage').waitFor();
  });

  it('grows while the run trains: asks only for new points and moves nothing', async () => {
    open = await pages.open('run', run, { height: 700 });
    await curveOf('grad_norm').waitFor();
    await open.page.mouse.wheel(0, 150);
    await open.page.waitForFunction(() => window.scrollY === 150);
    const canvas = await curveOf('grad_norm').elementHandle();
    const place = await curveOf('grad_norm').boundingBox();
    const asked = seriesRequests().length;

    run.log(
      'grad_norm',
      curve(25, () => 3, 200),
    );
    await tellThatRunChanged();
    await open.page.getByRole('img', { name: /^grad_norm: 225 points/ }).waitFor();

    const [request] = seriesRequests().slice(asked);
    assert.deepEqual(Reflect.get(request?.params ?? {}, 'metrics'), [
      { key: 'grad_norm', part: { kind: 'after', step: 199 }, smoothing: 0 },
    ]);
    assert.equal(seriesRequests().length, asked + 1);
    assert.deepEqual(await curveOf('grad_norm').boundingBox(), place);
    assert.ok(await canvas?.evaluate((element) => element.isConnected));
  });

  it('reloads a curve whose number of points disagrees with the store', async () => {
    open = await pages.open('run', run);
    await curveOf('val/accuracy').waitFor();
    const asked = seriesRequests().length;
    run.log('val/accuracy', [{ step: 3, value: 0.5, timestamp: Date.now() }]);
    await tellThatRunChanged();
    await open.page.getByRole('img', { name: /^val\/accuracy: 81 points/ }).waitFor();
    assert.deepEqual(
      seriesRequests()
        .slice(asked)
        .map(({ params }) => Reflect.get(params, 'metrics')),
      [
        [{ key: 'val/accuracy', part: { kind: 'after', step: 79 }, smoothing: 0 }],
        [{ key: 'val/accuracy', part: { kind: 'all' }, smoothing: 0 }],
      ],
    );
  });

  it('shows what ended meanwhile', async () => {
    open = await pages.open('run', run);
    await open.page.getByText('Running for').waitFor();
    run.status = 'FINISHED';
    await tellThatRunChanged();
    await open.page.getByText('Finished in 1 h 04 min').waitFor();
  });

  it('does not ask because of other runs', async () => {
    open = await pages.open('run', run);
    await curveOf('val/accuracy').waitFor();
    const asked = open.requests.length;
    await open.send({
      type: 'event',
      event: 'tracking/changed',
      data: { experimentIds: ['1'], runIds: ['other'] },
    });
    await tellThatRunChanged();
    await open.until(() => open.requests.length > asked);
    assert.deepEqual(
      open.requests.slice(asked).map(({ method }) => method),
      ['tracking/run'],
    );
  });

  it('says in words which values a curve cannot show', async () => {
    open = await pages.open('run', run);
    await card('grad_norm').getByText('Not finite, shown as gaps: 2 points, the last at step 120.').waitFor();
  });

  it('names single values that are not finite', async () => {
    for (const [index, value] of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].entries()) {
      run.log(`odd/${index}`, [{ step: 0, value, timestamp: 0 }]);
    }
    open = await pages.open('run', run);
    for (const text of ['NaN', '∞', '−∞']) await open.page.getByText(text, { exact: true }).waitFor();
  });

  it('says what went wrong with the remedy, and tries again', async () => {
    run.failing = true;
    open = await pages.open('run', run);
    const alert = open.page.getByRole('alert');
    await alert.getByText('The Slipway engine is not running: it ended with code 1.').waitFor();
    await alert.getByText('Run "Slipway: Restart Engine".').waitFor();
    run.failing = false;
    await alert.getByRole('button', { name: 'Try Again' }).click();
    await curveOf('val/accuracy').waitFor();
    assert.equal(await open.page.getByRole('alert').count(), 0);
  });

  it('keeps what it shows when a later request fails', async () => {
    open = await pages.open('run', run);
    await curveOf('val/accuracy').waitFor();
    run.failing = true;
    await tellThatRunChanged();
    await open.page.getByRole('alert').waitFor();
    assert.ok(await curveOf('val/accuracy').isVisible());
  });

  it('asks again when it was told of a change while a request failed', async () => {
    let fail: () => void = () => undefined;
    const { answer } = run;
    const failing = new Promise<void>((resolve) => {
      fail = resolve;
    });
    const slow: FakeHost['answer'] = async (request) => {
      if (request.method !== 'tracking/run') return answer(request);
      run.answer = answer;
      await failing;
      throw new FailedRequest({ kind: 'engineStopped', message: 'Gone.', remedy: '' });
    };
    run.answer = slow;
    open = await pages.open('run', run);
    await open.until(() => open.requests.length === 1);
    await tellThatRunChanged();
    fail();
    await curveOf('val/accuracy').waitFor();
    assert.equal(await open.page.getByRole('alert').count(), 0);
  });

  it('gives a picture a name that the host takes, however long those of run and metric are', async () => {
    const key = `val/${'very_'.repeat(48)}long`;
    run.log(
      key,
      curve(2, () => 1),
    );
    open = await pages.open('run', run, { height: 3000 });
    await curveOf(key).waitFor();
    await card(key).hover();
    await card(key).getByRole('button', { name: 'Save as PNG' }).click();
    await open.until(() => open.actions.length === 1);
    assert.equal(parseMessage(open.actions[0])?.type, 'action');
  });

  it('stands still for a person who wants less motion, by the system or by VS Code', async () => {
    open = await pages.open('run', run);
    const spinner = open.page.locator('h1 .codicon-modifier-spin');
    const motion = () => spinner.evaluate((element) => getComputedStyle(element).animationName);
    assert.equal(await motion(), 'codicon-spin');
    await open.page.emulateMedia({ reducedMotion: 'reduce' });
    assert.equal(await motion(), 'none');
    await open.page.emulateMedia({ reducedMotion: 'no-preference' });
    await open.page.evaluate(() => document.body.classList.add('vscode-reduce-motion'));
    assert.equal(await motion(), 'none');
  });

  it('hands its actions to the host', async () => {
    open = await pages.open('run', run, { height: 3000 });
    const { page } = open;
    await curveOf('val/accuracy').waitFor();
    await page.getByRole('button', { name: 'Register Model…' }).click();
    await page.getByRole('button', { name: 'Open Parent Run' }).click();
    await page.getByRole('treeitem', { name: 'requirements.txt' }).click();
    await card('val/accuracy').hover();
    await card('val/accuracy').getByRole('button', { name: 'Save as PNG' }).click();
    await open.until(() => open.actions.length === 4);
    assert.deepEqual(
      open.actions.map(({ action }) => action),
      ['registerModel', 'openRun', 'openArtifact', 'saveImage'],
    );
    const picture = open.actions.at(-1);
    assert.ok(picture?.action === 'saveImage' && picture.dataUrl.startsWith('data:image/png;base64,'));
    assert.ok(picture.dataUrl.length > 5_000, 'the picture is not empty');
  });

  it('registers nothing in a workspace that is not trusted', async () => {
    open = await pages.open('run', { ...run, trusted: false });
    await open.page.getByRole('button', { name: 'Register Model…' }).click({ force: true });
    await curveOf('val/accuracy').waitFor();
    assert.deepEqual(open.actions, []);
  });

  it('copies the run ID and the parameters that the filter leaves', async () => {
    open = await pages.open('run', run, { height: 3000 });
    const { page } = open;
    const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
    await page.getByRole('button', { name: 'Copy Run ID' }).first().click();
    await page.getByText('Copied').first().waitFor();
    assert.match(await clipboard(), /^[0-9a-f]{32}$/);
    await page.getByRole('textbox', { name: 'Filter Parameters' }).fill('RATE');
    await page.getByRole('row', { name: 'batch_size' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Copy Parameters' }).click();
    await page.waitForFunction(async () => (await navigator.clipboard.readText()).includes('learning_rate'));
    assert.equal(await clipboard(), 'learning_rate\t0.001');
  });

  it('zooms by dragging, and shows all points again', async () => {
    open = await pages.open('run', run);
    await curveOf('val/loss').scrollIntoViewIfNeeded();
    const box = await curveOf('val/loss').boundingBox();
    assert.ok(box);
    const before = await picture(curveOf('val/loss'));
    await open.page.mouse.move(box.x + box.width * 0.3, box.y + 60);
    await open.page.mouse.down();
    await open.page.mouse.move(box.x + box.width * 0.6, box.y + 60);
    await open.page.mouse.up();
    const reset = card('val/loss').getByRole('button', { name: 'Show All Points' });
    await reset.waitFor();
    assert.notEqual(await picture(curveOf('val/loss')), before);
    await reset.click();
    await reset.waitFor({ state: 'detached' });
    await open.page.mouse.move(0, 0);
    assert.equal(await picture(curveOf('val/loss')), before);
  });

  it('can be used by keyboard alone: tree, curve, switches', async () => {
    open = await pages.open('run', run, { height: 3000 });
    const { page } = open;
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
    await page.getByRole('treeitem', { name: 'model', exact: true }).focus();
    await page.keyboard.press('ArrowRight');
    await page.getByRole('treeitem', { name: 'MLmodel' }).waitFor();
    await page.keyboard.press('ArrowRight');
    assert.match(await focused(), /^MLmodel/);
    await page.keyboard.press('ArrowLeft');
    assert.equal(await focused(), 'model');
    await page.keyboard.press('ArrowLeft');
    await page.getByRole('treeitem', { name: 'MLmodel' }).waitFor({ state: 'detached' });
    await page.keyboard.press('End');
    assert.match(await focused(), /^requirements\.txt/);
    await page.keyboard.press('Enter');
    await open.until(() => open.actions.length === 1);
    assert.equal(open.actions.at(-1)?.action, 'openArtifact');

    const before = await picture(curveOf('val/accuracy'));
    await curveOf('val/accuracy').focus();
    await page.keyboard.press('ArrowRight');
    assert.notEqual(await picture(curveOf('val/accuracy')), before);
    await page.keyboard.press('Escape');
    assert.equal(await picture(curveOf('val/accuracy')), before);
  });

  it('keeps its files in reach of the Tab key when a folder is closed over the focused one', async () => {
    open = await pages.open('run', run, { height: 3000 });
    const { page } = open;
    const folder = page.getByRole('treeitem', { name: 'plots', exact: true });
    await folder.click();
    await page.getByRole('treeitem', { name: 'confusion_matrix.png' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await folder.click();
    await page.getByRole('treeitem', { name: 'confusion_matrix.png' }).waitFor({ state: 'detached' });
    assert.deepEqual(await page.locator('[role=treeitem][tabindex="0"]').allTextContents(), ['plots']);
  });

  it('draws its charts anew in the colours of another theme', async () => {
    open = await pages.open('run', run);
    await curveOf('val/accuracy').waitFor();
    const dark = await picture(curveOf('val/accuracy'));
    await open.setTheme('light');
    await open.page.waitForFunction(
      (shown) => document.querySelector<HTMLCanvasElement>('.card canvas')?.toDataURL() !== shown,
      dark,
    );
  });

  it('draws a curve of 200,000 points', async () => {
    run.log(
      'long/loss',
      curve(200_000, (step) => 1 / (1 + step / 1000)),
    );
    open = await pages.open('run', run, { height: 3000 });
    await open.page.getByRole('img', { name: /^long\/loss: 200,000 points/ }).waitFor();
  });

  for (const [width, theme] of pageWidths) {
    it(`fits a width of ${width} pixels without scrolling sideways`, async () => {
      open = await pages.open('run', run, { width, theme });
      await curveOf('val/accuracy').waitFor();
      assert.equal(await sidewaysScroll(open.page), 0);
    });
  }

  it('speaks Brazilian Portuguese', async () => {
    open = await pages.open('run', run, { language: 'pt-br' });
    await open.page.getByRole('heading', { name: 'Métricas 12' }).waitFor();
    await open.page.getByText('0,9341').waitFor();
  });

  it('says what will stand there when a run has logged nothing yet, metrics of the machine aside', async () => {
    run.empty();
    run.log(
      'system/cpu',
      curve(2, () => 1),
    );
    open = await pages.open('run', run);
    await open.page.getByText('The first metric that the script logs appears here.').waitFor();
    run.log(
      'loss',
      curve(2, () => 1),
    );
    await tellThatRunChanged();
    await curveOf('loss').waitFor();
  });
});

function picture(canvas: Locator): Promise<string> {
  return canvas.evaluate((element) => (element instanceof HTMLCanvasElement ? element.toDataURL() : ''));
}
