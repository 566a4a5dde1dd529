import assert from 'node:assert/strict';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchBrowser } from '../browser.ts';
import { identityModel, linearModel } from '../fixtures/onnxFile.ts';
import {
  modelFile,
  type RunningScorer,
  removeFolder,
  startScorerProcess,
  temporaryFolder,
} from '../scorer/scorerProcess.ts';

/** What a page would run, were it to take a text for HTML. */
const html = '</script><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';

describe('The try-it page of a scorer', () => {
  let browser: Browser;
  let folder: string;
  let scorer: RunningScorer;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];
  before(async () => {
    browser = await launchBrowser();
    folder = await temporaryFolder();
    const onnx = async (model: Buffer) => ({ type: 'onnx' as const, file: await modelFile(folder, model) });
    const mixed = identityModel([
      { name: 'acid', element: 'float', shape: ['rows', 1] },
      { name: 'count', element: 'int64', shape: ['rows', 1] },
      { name: 'colour', element: 'string', shape: ['rows', 1] },
      { name: 'ok', element: 'bool', shape: ['rows', 1] },
    ]);
    const image = identityModel([{ name: 'image', element: 'float', shape: [1, 2, 2] }]);
    scorer = await startScorerProcess(folder, linearModel(), {
      columns: ['acid', `sugar ${html}`, 'salt'],
      models: [
        { name: 'wine', version: 2, source: await onnx(linearModel()) },
        { name: 'mixed', version: 1, source: await onnx(mixed) },
        { name: 'image', version: 1, source: await onnx(image) },
        { name: html, version: 1, source: await onnx(linearModel()) },
      ],
    });
  });
  after(async () => {
    await browser?.close();
    await scorer?.drain();
    if (folder) await removeFolder(folder);
  });

  const open = async (
    options: { locale?: string; colorScheme?: 'light' | 'dark'; fragment?: string } = {},
  ) => {
    const {
      locale = 'en-GB',
      colorScheme = 'light',
      fragment = `#token=${encodeURIComponent(scorer.token ?? '')}`,
    } = options;
    context = await browser.newContext({
      locale,
      colorScheme,
      viewport: { width: 900, height: 800 },
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    page = await context.newPage();
    complaints = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(`${scorer.url}/try${fragment}`);
  };
  const choose = (label: string) => page.getByLabel('Model').selectOption({ label });
  afterEach(async () => {
    assert.deepEqual(complaints, []);
    assert.equal(await page.evaluate(() => Reflect.get(window, 'hacked')), undefined);
    assert.equal(await page.locator('img').count(), 0);
    await context.close();
  });

  it('asks for the token, says nothing of the models before, and keeps it out of the address', async () => {
    await open({ fragment: '' });
    await page.getByLabel('Token').waitFor();
    assert.doesNotMatch(await page.content(), /wine|mixed/);
    assert.equal(await page.getByLabel('Model').isVisible(), false);
    // The refusal that the browser reports by itself.
    assert.deepEqual(
      complaints.splice(0).filter((text) => !/401/.test(text)),
      [],
    );
    await page.getByLabel('Token').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('The endpoint asks for its token.').waitFor();
    assert.deepEqual(
      complaints.splice(0).filter((text) => !/401/.test(text)),
      [],
    );
    await page.getByLabel('Token').fill(scorer.token ?? '');
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByLabel('Model').waitFor();
    assert.equal(await page.getByLabel('Token').isVisible(), false);
    await context.close();
    await open();
    await page.getByLabel('Model').waitFor();
    assert.equal(page.url(), `${scorer.url}/try`);
  });

  it('is open itself, and lets nothing in but its own script and style', async () => {
    await open();
    const answer = await fetch(`${scorer.url}/try`);
    assert.equal(answer.status, 200);
    const policy = answer.headers.get('content-security-policy') ?? '';
    assert.match(policy, /^default-src 'none'; script-src 'nonce-[\w+/=]{24}'; style-src 'nonce-/);
    assert.doesNotMatch(policy, /unsafe|\*/);
    const again = await fetch(`${scorer.url}/try`);
    assert.notEqual(again.headers.get('content-security-policy'), policy);
    const text = await answer.text();
    assert.doesNotMatch(text, /(src|href)="(?!data:)/);
    assert.equal((await fetch(`${scorer.url}/try/models.json`)).status, 401);
    assert.equal((await fetch(`${scorer.url}/try/models.json?token=${scorer.token}`)).status, 401);
  });

  it('predicts a row by the keyboard alone, and tells latency, version and variant', async () => {
    await open();
    await choose('wine, version 3 (stable)');
    assert.equal(await page.locator('#fields label').count(), 3);
    await page.getByLabel('acid').fill('1');
    await page.keyboard.press('Tab');
    await page.keyboard.type('2');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('3');
    await page.getByLabel('sugar').fill('2');
    await page.getByLabel('salt').press('Enter');
    await page.getByText('"data": [').waitFor();
    assert.match((await page.locator('#output').textContent()) ?? '', /14\.5/);
    assert.match(
      (await page.locator('#facts').textContent()) ?? '',
      /^Status 200 · \d+\.\d ms · version 3 · variant stable$/,
    );
    for (const theme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: theme });
      await page.evaluate(() => document.fonts.ready);
      const shot = process.env.SLIPWAY_TEST_SCREENSHOTS;
      if (shot) await page.screenshot({ path: `${shot}/tryIt-${theme}.png`, fullPage: true });
      const ratio = await page.evaluate(contrast);
      assert.ok(ratio >= 4.5, `${theme}: ${ratio}`);
    }
  });

  it('takes numbers, texts and truths, and says which field is no number', async () => {
    await open();
    await choose('mixed, version 1 (stable)');
    await page.getByLabel('acid').fill('');
    await page.getByLabel('count').fill('9007199254740993');
    await page.getByLabel('colour').fill('ro"sé');
    await page.getByLabel('ok BOOL').selectOption('true');
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.locator('#output').filter({ hasText: 'ro\\"sé' }).waitFor();
    const sent = page.waitForRequest((request) => request.method() === 'POST');
    await page.getByRole('button', { name: 'Predict' }).click();
    const { inputs } = JSON.parse((await sent).postData() ?? '');
    assert.deepEqual(
      inputs.map(({ data }: { data: unknown }) => data),
      [[null], ['9007199254740993'], ['ro"sé'], [true]],
    );
    await page.getByLabel('count').fill('many');
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.getByText('count: this is no number.').waitFor();
    await page.getByLabel('count').fill('1.5');
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.getByText('Status 400').waitFor();
    await page.getByText(/Input \\"count\\".*expected an integer/).waitFor();
    complaints = complaints.filter((text) => !/400/.test(text));
  });

  it('takes JSON where the model takes no table', async () => {
    await open();
    await choose('image, version 1 (stable)');
    await page.getByLabel('Request (JSON)').waitFor();
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.getByText('Status 200').waitFor();
    await page.getByLabel('Request (JSON)').fill('{');
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.getByText('The request is no JSON').waitFor();
  });

  it('asks another version by its number, and one of a hostile name', async () => {
    await open();
    await choose('wine, version 2');
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.getByText(/Status 200 · .* · version 2$/).waitFor();
    await choose(`${html}, version 1 (stable)`);
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.getByText(/Status 200 · .* · version 1 · variant stable$/).waitFor();
  });

  it('copies requests that work, without the token', async () => {
    await open();
    await choose('mixed, version 1 (stable)');
    await page.getByLabel('colour').fill("it's");
    for (const kind of ['curl', 'Python', 'TypeScript']) {
      await page.getByRole('button', { name: `Copy as ${kind}` }).click();
      await page.getByText(`Copied as ${kind}.`).waitFor();
      const text = await page.evaluate(() => navigator.clipboard.readText());
      assert.ok(!text.includes(scorer.token ?? ''), text);
      assert.match(await outputOf(kind, text), /it's/);
    }
  });

  const outputOf = async (kind: string, text: string): Promise<string> => {
    const { execFileSync } = await import('node:child_process');
    const env = { ...process.env, SLIPWAY_TOKEN: scorer.token ?? '' };
    const commands: Readonly<Record<string, readonly [string, ...string[]]>> = {
      curl: ['sh', '-c', text],
      Python: ['python3', '-c', text],
      TypeScript: [process.execPath, '--input-type=module-typescript', '--eval', text],
    };
    const [command, ...args] = commands[kind] ?? ['false'];
    return execFileSync(command, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  };

  it('speaks Portuguese to those who prefer it', async () => {
    await open({ locale: 'pt-BR' });
    await page.getByLabel('Modelo').waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), 'pt-BR');
    await page.getByRole('button', { name: 'Prever' }).click();
    await page.getByText('Resposta').waitFor();
  });
});

/** The lowest contrast of the page's texts to what lies behind them (WCAG 2.2, 1.4.3). */
function contrast(): number {
  const luminance = (colour: string): number => {
    const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? []).map(Number).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element: Element | null): string => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/rgba\(.*, 0\)|transparent/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const shown = [...document.querySelectorAll('label, small, input, select, button, p, pre, h1, h2, legend')];
  return Math.min(
    ...shown
      .filter((element) => element.getClientRects().length > 0)
      .map((element) => {
        const [one, other] = [luminance(getComputedStyle(element).color), luminance(behind(element))];
        return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      }),
  );
}
