import assert from 'node:assert/strict';
import { createDrift, type DriftFixture, driftReport } from './driftData.ts';
import { FailedRequest } from './fakeHost.ts';
import type { OpenPage } from './openPage.ts';
import { pagesOfSuite } from './pagesOfSuite.ts';
import { pageWidths, sidewaysScroll } from './sidewaysScroll.ts';

describe('drift page', () => {
  const pages = pagesOfSuite();
  let drift: DriftFixture;
  let open: OpenPage;

  beforeEach(() => {
    drift = createDrift();
  });

  const card = (name: string) => open.page.getByRole('article', { name, exact: true });
  const questions = () =>
    open.requests.filter(({ method }) => method === 'monitoring/drift').map(({ params }) => params);
  const lastQuestion = () => questions().at(-1) ?? {};

  /** Opens a choice and takes the option that is so many places further down, as the keyboard does it. */
  async function choose(name: string, placesDown: number): Promise<void> {
    const select = open.page.locator(`vscode-single-select[label="${name}"]`);
    await select.focus();
    await open.page.keyboard.press('Enter');
    for (let place = 0; place < placesDown; place += 1) await open.page.keyboard.press('ArrowDown');
    await open.page.keyboard.press('Enter');
  }

  it('gives the verdict in words, then the columns, the one that moved most first', async () => {
    open = await pages.open('drift', drift, { height: 3000 });
    const { page } = open;
    await page.getByRole('heading', { name: '3 of 7 columns drifted' }).waitFor();
    await card('monthly_charges')
      .getByText('Drifted: PSI 0.3123, limit 0.0118 at this sample size')
      .waitFor();
    await card('monthly_charges').getByText('D = 0.2794, p < 0.001').waitFor();
    await card('monthly_charges').getByText('0.12% → 3.41%').waitFor();
    await card('age')
      .getByRole('img', { name: /^age\. up to/ })
      .waitFor();
    const names = await page.getByRole('article').evaluateAll((cards) => cards.map((one) => one.ariaLabel));
    assert.deepEqual(
      names,
      driftReport().columns.map(({ name }) => name),
    );
    await page
      .getByText('Only in the reference: customer_id, churned. Only in the requests: channel.')
      .waitFor();
    assert.equal(Reflect.get(lastQuestion(), 'referenceFile'), null);
    assert.deepEqual(
      open.requests.map(({ method }) => method),
      ['monitoring/driftSources', 'monitoring/drift'],
    );
  });

  it('shows its progress, and stops when told to', async () => {
    let answer: () => void = () => undefined;
    drift.compare = () =>
      new Promise((resolve) => {
        answer = () => resolve(driftReport());
      });
    open = await pages.open('drift', drift);
    const { page } = open;
    const bar = page.getByRole('progressbar');
    await bar.waitFor();
    for (const [subject, fraction] of [
      ['churn', 0.42],
      ['another endpoint', 0.84],
    ] as const) {
      const data = { method: 'monitoring/drift', subject, fraction, message: 'age' } as const;
      await open.send({ type: 'event', event: 'job/progress', data });
    }
    await page.waitForFunction(
      () => Reflect.get(document.querySelector('vscode-progress-bar') ?? {}, 'value') === 0.42,
    );
    await page.getByRole('button', { name: 'Cancel' }).click();
    await bar.waitFor({ state: 'detached' });
    await page.getByText('Nothing was compared.').waitFor();
    await open.until(() => open.cancelled.length === 1);
    drift.compare = () => driftReport();
    answer();
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.getByRole('heading', { name: '3 of 7 columns drifted' }).waitFor();
  });

  it('compares anew with another reference', async () => {
    open = await pages.open('drift', drift);
    await card('age').waitFor();
    await choose('Reference data', 1);
    await open.until(() => questions().length === 2);
    await card('age').waitFor();
    assert.equal(Reflect.get(lastQuestion(), 'referenceFile'), '/projects/churn/data/churn-test.parquet');
  });

  it('compares with a file that the person chose, also after a reload', async () => {
    open = await pages.open('drift', drift);
    await card('age').waitFor();
    await choose('Reference data', 2);
    await open.until(() => open.actions.length === 1);
    assert.deepEqual(
      open.actions.map(({ action }) => action),
      ['chooseReferenceFile'],
    );
    await open.send({ type: 'referenceFile', file: '/elsewhere/old.csv' });
    const reference = open.page.locator('vscode-single-select[label="Reference data"]');
    await reference.getByText('old.csv').and(open.page.locator(':visible')).waitFor();
    await open.page.reload();
    await card('age').waitFor();
    await reference.getByText('old.csv').and(open.page.locator(':visible')).waitFor();
    assert.equal(Reflect.get(lastQuestion(), 'referenceFile'), '/elsewhere/old.csv');
  });

  it('names the reference in use again when the person turns back without a file', async () => {
    open = await pages.open('drift', drift);
    await card('age').waitFor();
    await choose('Reference data', 2);
    await open.until(() => open.actions.length === 1);
    const reference = open.page.locator('vscode-single-select[label="Reference data"]');
    await reference.getByText('churn-train (training)').and(open.page.locator(':visible')).waitFor();
    assert.equal(questions().length, 1);
  });

  it('looks at the last hour only when asked to', async () => {
    open = await pages.open('drift', drift);
    await card('age').waitFor();
    const asked = questions().length;
    await choose('Requests', 1);
    await open.until(() => questions().length > asked);
    assert.equal(questions().length, asked + 1);
    const { from, to } = lastQuestion() as { from: number; to: number };
    assert.equal(to - from, 3_600_000);
  });

  it('computes a custom window when the button is pressed, in the person’s zone', async () => {
    open = await pages.open('drift', drift);
    const { page } = open;
    await card('age').waitFor();
    await choose('Requests', 3);
    const field = (name: string) => page.locator('input[type=datetime-local]').and(page.getByLabel(name));
    await field('From').fill('2026-01-02T10:00');
    await field('From').blur();
    await field('To').fill('2026-01-02T09:00');
    await field('To').blur();
    await page.getByText('The end must come after the beginning.').waitFor();
    await field('To').fill('2026-01-02T12:30');
    await field('To').blur();
    await page.getByText('The end must come after the beginning.').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Compare' }).click();
    await open.until(() => questions().length === 2);
    assert.deepEqual(
      { from: Reflect.get(lastQuestion(), 'from'), to: Reflect.get(lastQuestion(), 'to') },
      { from: Date.UTC(2026, 0, 2, 13), to: Date.UTC(2026, 0, 2, 15, 30) },
    );
  });

  it('says that a window is empty, and offers all requests', async () => {
    drift.compare = (params) => {
      if (Number(Reflect.get(params, 'to')) - Number(Reflect.get(params, 'from')) > 3_600_000)
        return driftReport();
      throw new FailedRequest({
        kind: 'noLoggedRequests',
        message: 'The endpoint "churn" logged no requests in this time window.',
        remedy: 'Send it some requests, or choose a longer window.',
      });
    };
    open = await pages.open('drift', drift);
    await card('age').waitFor();
    await choose('Requests', 1);
    const alert = open.page.getByRole('alert');
    await alert.getByText('logged no requests in this time window').waitFor();
    assert.equal(await card('age').count(), 0);
    await alert.getByRole('button', { name: 'Use All Requests' }).click();
    await card('age').waitFor();
    const requests = open.page.locator('vscode-single-select[label="Requests"]');
    await requests.getByText('All requests').and(open.page.locator(':visible')).waitFor();
  });

  it('asks for a file when the run names no data', async () => {
    drift.sources = { ...drift.sources, references: [] };
    open = await pages.open('drift', drift);
    await open.page.getByText('names no data that can be read here').waitFor();
    await open.page.getByRole('button', { name: 'Choose File…' }).click();
    await open.until(() => open.actions.length === 1);
    assert.deepEqual(
      open.actions.map(({ action }) => action),
      ['chooseReferenceFile'],
    );
    assert.deepEqual(questions(), []);
    await open.send({ type: 'referenceFile', file: '/elsewhere/train.csv' });
    await card('age').waitFor();
    assert.equal(questions().length, 1);
  });

  it('says that there are no requests yet, and looks again when the endpoint changed', async () => {
    const { sources } = drift;
    drift.sources = { ...sources, firstRequest: null, lastRequest: null, rowCount: 0 };
    open = await pages.open('drift', drift);
    await open.page.getByText('This endpoint has logged no requests yet.').waitFor();
    drift.sources = sources;
    await open.send({ type: 'event', event: 'serving/changed', data: { endpoints: ['churn'] } });
    await card('age').waitFor();
  });

  it('computes nothing in a workspace that is not trusted before it is', async () => {
    open = await pages.open('drift', { ...drift, trusted: false, answer: drift.answer });
    await open.page.getByText('This workspace is not trusted').waitFor();
    assert.deepEqual(questions(), []);
    await open.send({ type: 'show', subject: drift.subject, trusted: true });
    await card('age').waitFor();
  });

  it('shows all columns as a table that pastes into a spreadsheet, and keeps to it after a reload', async () => {
    open = await pages.open('drift', drift);
    const { page } = open;
    await card('age').waitFor();
    await page.getByRole('button', { name: 'Table', exact: true }).click();
    await page.getByRole('row', { name: /^tenure Not drifted 0\.0041/ }).waitFor();
    await page.getByRole('button', { name: 'Copy Table' }).click();
    await page.getByText('Copied').waitFor();
    const lines = (await page.evaluate(() => navigator.clipboard.readText())).split('\n');
    assert.equal(lines.length, 8);
    assert.match(lines[1] ?? '', /^monthly_charges\tyes\t0\.3123\t0\.0118\t/);
    await page.reload();
    await page.getByRole('row', { name: /^tenure/ }).waitFor();
  });

  it('saves a picture of a column', async () => {
    open = await pages.open('drift', drift);
    await card('contract').getByRole('img').waitFor();
    await card('contract').hover();
    await card('contract').getByRole('button', { name: 'Save as PNG' }).click();
    await open.until(() => open.actions.length === 1);
    const [saved] = open.actions;
    assert.ok(saved?.action === 'saveImage' && saved.name === 'churn-contract');
    assert.ok(saved.dataUrl.startsWith('data:image/png;base64,') && saved.dataUrl.length > 3_000);
  });

  for (const [width, theme] of pageWidths) {
    it(`fits a width of ${width} pixels without scrolling sideways`, async () => {
      open = await pages.open('drift', drift, { width, theme });
      await card('age').waitFor();
      assert.equal(await sidewaysScroll(open.page), 0);
      await open.page.getByRole('button', { name: 'Table', exact: true }).click();
      await open.page.getByRole('row', { name: /^tenure/ }).waitFor();
      assert.equal(await sidewaysScroll(open.page), 0);
    });
  }

  it('speaks Brazilian Portuguese', async () => {
    open = await pages.open('drift', drift, { language: 'pt-br' });
    await open.page.getByText('3 de 7 colunas desviaram').waitFor();
  });
});
