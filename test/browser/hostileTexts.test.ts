import assert from 'node:assert/strict';
import { createDrift } from './driftData.ts';
import type { FakeHost } from './fakeHost.ts';
import { pagesOfSuite } from './pagesOfSuite.ts';
import { createRun } from './runData.ts';

/** What a page would run, were it to take a text for HTML. */
const html = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';

/** Values that a program compares, and no person named. */
const words = new Set([
  'status',
  'lifecycleStage',
  'type',
  'test',
  'verdict',
  'method',
  'kind',
  'severity',
  'reason',
]);

/** The same data, with every text that a person or a script could have chosen made hostile. */
function hostile(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return words.has(key) ? value : value + html;
  if (Array.isArray(value)) return value.map((item) => hostile(item, key));
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, hostile(item, name)]));
}

function harmless<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value).replaceAll(JSON.stringify(html).slice(1, -1), ''));
}

function withHostileTexts(host: FakeHost): FakeHost {
  return {
    subject: host.subject,
    trusted: host.trusted,
    async answer(request) {
      return hostile(await host.answer(harmless(request)));
    },
  };
}

describe('pages of hostile names, tags, sources and files', () => {
  const pages = pagesOfSuite();

  for (const [type, create] of Object.entries({ run: createRun, drift: createDrift })) {
    it(`shows them as text on the ${type} page`, async () => {
      assert.ok(type === 'run' || type === 'drift');
      const { page } = await pages.open(type, withHostileTexts(create()), { height: 3000 });
      const shown = page.getByText(html).filter({ visible: true });
      await shown.first().waitFor();
      const folded = page.locator('[aria-expanded=false]:visible');
      for (let left = await folded.count(); left > 0; left--) await folded.first().click();
      await shown.nth(2).waitFor();
      assert.equal(await page.evaluate(() => Reflect.get(window, 'hacked')), undefined);
      assert.equal(await page.locator('img[src=x], [onerror]').count(), 0);
      assert.equal(await page.locator('[href^="javascript:" i], [src^="javascript:" i]').count(), 0);
    });
  }
});
