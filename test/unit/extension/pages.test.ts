import assert from 'node:assert/strict';
import { pageHtml } from '../../../src/extension/views/pageHtml.ts';
import { isAllowed, parseMessage, parsePageState } from '../../../src/extension/views/pageMessages.ts';
import { engineRequests } from '../../../src/protocol/engine.ts';
import { pageMethods } from '../../../src/protocol/page.ts';

describe('the frame of a page', () => {
  const html = pageHtml({
    page: 'run',
    language: 'pt-br',
    translations: { '</script><script>alert(1)</script>': 'x' },
    title: '"><img src=x onerror=alert(1)>',
    source: 'https://pages.test',
    resource: (file) => `https://pages.test/${file}`,
  });

  it('runs only scripts with its nonce, which differs from page to page', () => {
    const [, policy = ''] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html) ?? [];
    assert.match(policy, /^default-src 'none';/);
    assert.doesNotMatch(policy, /unsafe|\*/);
    const [, nonce] = /script-src 'nonce-([\w-]+)'/.exec(policy) ?? [];
    const scripts = html.match(/<script[^>]*>/g) ?? [];
    assert.equal(scripts.length, 2);
    assert.ok(scripts.every((script) => script.includes(`nonce="${nonce}"`)));
    const other = pageHtml({
      page: 'run',
      language: 'en',
      translations: {},
      title: '',
      source: '',
      resource: String,
    });
    assert.ok(nonce && !other.includes(nonce));
  });

  it('lets neither a title nor a translation end its element', () => {
    assert.ok(!html.includes('<img'));
    const [, bundle = ''] = /<script id="l10n"[^>]*>(.*?)<\/script>/s.exec(html) ?? [];
    assert.deepEqual(JSON.parse(bundle), { '</script><script>alert(1)</script>': 'x' });
  });

  it('names the language', () => assert.match(html, /<html lang="pt-br">/));
});

describe('messages from a page', () => {
  it('are refused when their form is unknown', () => {
    for (const message of [
      null,
      'ready',
      { type: 'run' },
      { type: 'request', method: 'tracking/run', params: {} },
      { type: 'action', action: 'openArtifact', runId: '', path: 'a' },
      { type: 'action', action: 'saveImage', name: 'x', dataUrl: 'data:text/html,x' },
    ]) {
      assert.equal(parseMessage(message), null, JSON.stringify(message));
    }
  });

  it('may ask what the page type allows, and nothing else', () => {
    for (const method of Object.keys(engineRequests)) {
      assert.equal(
        isAllowed('run', method),
        pageMethods.run.some((allowed) => allowed === method),
        method,
      );
    }
    assert.equal(isAllowed('drift', 'toString'), false);
    assert.equal(isAllowed('run', 'registry/promote'), false);
  });
});

describe('what a page kept', () => {
  it('gives back its subject', () => {
    const subject = { page: 'run', folder: 'file:///work', runId: 'a' } as const;
    assert.deepEqual(parsePageState({ subject, view: { scroll: 7 } }), subject);
  });

  it('counts as nothing when it is not understood', () => {
    for (const state of [
      undefined,
      {},
      { subject: { page: 'other' } },
      { subject: { page: 'run', folder: 'x' } },
    ]) {
      assert.equal(parsePageState(state), null);
    }
  });
});
