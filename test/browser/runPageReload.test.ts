import assert from 'node:assert/strict';
import type { OpenPage } from './openPage.ts';
import { pagesOfSuite } from './pagesOfSuite.ts';
import { createRun, type RunFixture } from './runData.ts';

describe('run page after a reload', () => {
  const pages = pagesOfSuite();
  let run: RunFixture;
  let open: OpenPage;

  beforeEach(() => {
    run = createRun();
  });

  const card = (name: string) => open.page.getByRole('article', { name, exact: true });
  const curveOf = (name: string) => card(name).getByRole('img');

  it('comes back as the person left it', async () => {
    open = await pages.open('run', run);
    await curveOf('learning_rate').waitFor();
    const { page } = open;
    await page.getByRole('slider', { name: 'Smoothing' }).fill('0.6');
    await card('learning_rate').hover();
    await card('learning_rate').getByRole('button', { name: 'log', exact: true }).click();
    await page.getByRole('treeitem', { name: 'model', exact: true }).click();
    await page.getByRole('treeitem', { name: 'MLmodel' }).waitFor();
    await page.reload();
    await page.getByRole('treeitem', { name: 'MLmodel' }).waitFor();
    assert.equal(await page.getByRole('slider', { name: 'Smoothing' }).inputValue(), '0.6');
    assert.equal(
      await card('learning_rate')
        .getByRole('button', { name: 'log', exact: true })
        .getAttribute('aria-pressed'),
      'true',
    );
  });

  it('goes back to where the person was, but not once they do something there', async () => {
    open = await pages.open('run', run, { height: 500 });
    const { page } = open;
    await curveOf('val/accuracy').waitFor();
    await page.evaluate(() => {
      history.scrollRestoration = 'manual';
      window.scrollTo(0, 300);
    });
    await page.waitForFunction(() => (sessionStorage.getItem('vscode-state') ?? '').includes('"scroll":300'));
    await page.reload();
    await page.waitForFunction(() => window.scrollY === 300);

    const kept = await page.evaluate(() => sessionStorage.getItem('vscode-state') ?? '');
    await page.setViewportSize({ width: 1200, height: 5000 });
    await page.waitForFunction(() => (sessionStorage.getItem('vscode-state') ?? '').includes('"scroll":0'));
    await page.evaluate((state) => sessionStorage.setItem('vscode-state', state), kept);
    await page.reload();
    await page.getByRole('heading', { level: 1 }).click();
    await page.setViewportSize({ width: 1100, height: 500 });
    await page.evaluate(
      () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))),
    );
    assert.equal(await page.evaluate(() => window.scrollY), 0);
  });
});
