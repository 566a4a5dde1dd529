import assert from 'node:assert/strict';
import { parseMessage } from '../../src/extension/views/pageMessages.ts';
import { FailedRequest } from './fakeHost.ts';
import type { OpenPage } from './openPage.ts';
import { pagesOfSuite } from './pagesOfSuite.ts';
import { createRun, type RunFixture } from './runData.ts';
import { madeElsewhere, madeInTerminal } from './runProvenance.ts';
import { pageWidths, sidewaysScroll } from './sidewaysScroll.ts';

describe('what a run was made of, on its page', () => {
  const pages = pagesOfSuite();
  let run: RunFixture;
  let open: OpenPage;

  beforeEach(() => {
    run = createRun();
  });

  const section = () => open.page.getByRole('region', { name: 'Made from' });
  const packages = () => open.page.getByRole('region', { name: 'Packages' });

  it('shows program, code, machine and data', async () => {
    open = await pages.open('run', run, { height: 3000 });
    for (const text of [
      'train.py',
      "python train.py --data 'data/churn train.csv' --epochs=80 --api-key ***",
      '9f2c1d7ab3',
      'wider-layers',
      '3 changed files',
      '3.13.2',
      'Linux 6.12.9 x64',
      'AMD Ryzen 9 7950X 16-Core Processor, 32 cores',
      'NVIDIA GeForce RTX 4090, 25.8 GB, driver 570.86.15',
      'data/churn-train.parquet',
      'a1b2c3d4',
      'churn train.csv',
      '492d5ea496',
      'no digest',
    ]) {
      await section().getByText(text, { exact: true }).waitFor();
    }
    assert.equal(await section().getByText('commit is kept').count(), 0);
  });

  it('shows how much there is in folders, and what was too large or could not be read', async () => {
    const file = { origin: 'argument', size: 48_210_113, fileCount: 1204, isTooLarge: false } as const;
    run.provenance = {
      ...madeInTerminal,
      files: [
        { ...file, path: '/data/seasons', digest: 'c'.repeat(64) },
        { ...file, path: '/data/huge', digest: null, isTooLarge: true },
        { ...file, path: '/data/closed', digest: null, size: 0, fileCount: 0 },
      ],
    };
    open = await pages.open('run', run, { height: 3000 });
    const row = (name: string) => section().locator('.data-rows li').filter({ hasText: name });
    await row('seasons').getByText('1,204 files, 48.2 MB', { exact: true }).waitFor();
    await row('seasons').getByText('cccccccccc', { exact: true }).waitFor();
    await row('huge').getByText('too large', { exact: true }).waitFor();
    await row('huge').getByTitle('It is too large to be read through.').getByText('no digest').waitFor();
    await row('closed').getByTitle('It could not be read.').getByText('no digest').waitFor();
  });

  it('links to a repository on the web, and to nothing else', async () => {
    open = await pages.open('run', run, { height: 3000 });
    await section().getByRole('link', { name: 'https://git.example.com/growth/churn.git' }).waitFor();
    for (const repository of ['git@git.example.com:growth/churn.git', 'javascript:alert(1)', 'file:///etc']) {
      const code = madeInTerminal.code && { ...madeInTerminal.code, repository };
      run.provenance = { ...madeInTerminal, code };
      open = await pages.open('run', run, { height: 3000 });
      await section().getByText(repository, { exact: true }).waitFor();
      assert.equal(await section().getByRole('link').count(), 0);
    }
  });

  it('asks the host to show the changes that were not committed', async () => {
    open = await pages.open('run', run, { height: 3000 });
    await section().getByRole('button', { name: '3 changed files' }).click();
    await open.until(() => open.actions.length === 1);
    const [action] = open.actions;
    assert.equal(action?.action, 'showChanges');
    assert.notEqual(parseMessage(action), null);
  });

  it('says that nothing was changed, and offers no changes that were not kept', async () => {
    const code = madeInTerminal.code && { ...madeInTerminal.code, hasChanges: false };
    run.provenance = { ...madeInTerminal, code };
    open = await pages.open('run', run, { height: 3000 });
    await section().getByText('3 changed files').waitFor();
    assert.equal(await section().getByRole('button', { name: '3 changed files' }).count(), 0);

    run.provenance = { ...madeInTerminal, code: code && { ...code, changedFileCount: 0, changedFiles: [] } };
    open = await pages.open('run', run, { height: 3000 });
    await section().getByText('nothing', { exact: true }).waitFor();
  });

  it('asks for the packages once they are wanted; they can be filtered and copied', async () => {
    open = await pages.open('run', run, { height: 3000 });
    const { page } = open;
    const toggle = packages().getByRole('button', { name: 'Packages 12' });
    await toggle.waitFor();
    assert.ok(!open.requests.some(({ method }) => method === 'provenance/packages'));
    await toggle.click();
    await packages().getByRole('row', { name: 'scikit-learn 1.9.1' }).waitFor();
    await packages().getByRole('textbox', { name: 'Filter Packages' }).fill('onnx');
    await packages().getByRole('row', { name: 'numpy' }).waitFor({ state: 'detached' });
    await packages().getByRole('button', { name: 'Copy Packages' }).click();
    await page.waitForFunction(async () => (await navigator.clipboard.readText()).includes('onnx'));
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'onnx\t1.23.2\nskl2onnx\t1.20.0');
    await packages().getByRole('button', { name: 'Packages 12' }).click();
    await packages().getByRole('row').first().waitFor({ state: 'detached' });
  });

  it('copies the whole commit, command and digest', async () => {
    open = await pages.open('run', run, { height: 3000 });
    const copied = async (name: string, text: string) => {
      await section().getByRole('button', { name, exact: true }).click();
      await open.page.waitForFunction(
        async (expected) => (await navigator.clipboard.readText()) === expected,
        text,
      );
    };
    await copied('Copy Commit', '9f2c1d7ab3e5f60718293a4b5c6d7e8f90a1b2c3');
    await copied('Copy Script', '/home/ana/churn/train.py');
    await copied('Copy digest of churn train.csv', madeInTerminal.files[0]?.digest ?? '');
    await copied('Copy digest of churn-train', 'a1b2c3d4');
  });

  it('shows what a run from elsewhere says itself, and how to keep more', async () => {
    run.provenance = madeElsewhere;
    open = await pages.open('run', run, { height: 3000 });
    for (const text of ['train.py', '9f2c1d7ab3', 'main', 'data/churn-test.parquet']) {
      await section().getByText(text, { exact: true }).waitFor();
    }
    await section().getByText('started in a VS Code terminal or task').waitFor();
    assert.equal(await packages().count(), 0);
  });

  it('follows what becomes known while the page is open', async () => {
    run.provenance = { ...madeInTerminal, code: null };
    open = await pages.open('run', run, { height: 3000 });
    await section().getByText('3.13.2', { exact: true }).waitFor();
    assert.equal(await section().getByText('wider-layers').count(), 0);
    run.provenance = madeInTerminal;
    const runIds = [String(Reflect.get(open.requests[0]?.params ?? {}, 'runId'))];
    await open.send({ type: 'event', event: 'provenance/changed', data: { runIds } });
    await section().getByText('wider-layers').waitFor();
  });

  it('says what went wrong, and tries again', async () => {
    const { answer } = run;
    let failing = true;
    open = await pages.open('run', {
      ...run,
      answer(request) {
        if (failing && request.method === 'provenance/run') {
          throw new FailedRequest({ kind: 'internal', message: 'No.', remedy: '' });
        }
        return answer(request);
      },
    });
    const alert = section().getByRole('alert');
    await alert.getByText('No.').waitFor();
    failing = false;
    await alert.getByRole('button', { name: 'Try Again' }).click();
    await section().getByText('wider-layers').waitFor();
  });

  for (const [width, theme] of pageWidths) {
    it(`needs no scrolling sideways at ${width} pixels`, async () => {
      open = await pages.open('run', run, { width, theme, height: 3000 });
      await section().getByText('wider-layers').waitFor();
      assert.equal(await sidewaysScroll(open.page), 0);
    });
  }
});
