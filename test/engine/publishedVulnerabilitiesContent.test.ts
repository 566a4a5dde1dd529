import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { textAt } from './answers.ts';
import { artifacts, attackedEngine } from './attackedEngine.ts';

/** Published vulnerabilities of MLflow's server: what names, values and files hold. */
describe('Published vulnerabilities of MLflow: content', function () {
  this.timeout(30_000);
  const { engine, refused, createVersion, sendRaw } = attackedEngine();

  it('CVE-2023-6568: a content type is not echoed, and errors are JSON that no browser takes for a page', async () => {
    const { status, headers, text } = await sendRaw(
      'POST',
      '/api/2.0/mlflow/experiments/create',
      { 'content-type': '<script>alert(1)</script>' },
      '{}',
    );
    assert.equal(status, 400);
    assert.match(String(headers['content-type']), /^application\/json/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.doesNotMatch(text, /<script>/);
  });

  it('stored XSS: an artifact is saved by a browser, never shown, whatever it holds', async () => {
    for (const name of ['page.html', 'picture.svg', 'MLmodel', 'script.js', 'page.xhtml']) {
      await engine().fetch(`${artifacts}/x/${name}`, { method: 'PUT', body: '<script>alert(1)</script>' });
      const { headers } = await engine().fetch(`${artifacts}/x/${name}`);
      assert.match(headers.get('content-disposition') ?? '', /^attachment/, name);
      assert.equal(headers.get('x-content-type-options'), 'nosniff', name);
    }
  });

  it('reflected XSS: an unknown path is not echoed', async () => {
    const { text } = await sendRaw('GET', '/api/2.0/mlflow/%3Cscript%3Ealert(1)%3C/script%3E');
    assert.doesNotMatch(text, /script/);
  });

  it('CVE-2024-3099: names that look alike once decoded are two models', async () => {
    for (const name of ['a b', 'a%20b']) {
      assert.equal((await engine().call('POST', '/registered-models/create', { name })).status, 200, name);
    }
    for (const name of ['a b', 'a%20b']) {
      const { body } = await engine().call('GET', '/registered-models/get', { name });
      assert.equal(textAt(body, 'registered_model.name'), name);
    }
  });

  it('CVE-2024-6838: huge names, values and lists are refused', async () => {
    const huge = 'x'.repeat(5_000_000);
    refused(await engine().call('POST', '/experiments/create', { name: huge }));
    refused(await engine().call('POST', '/registered-models/create', { name: huge }));
    const runId = engine().createRun();
    refused(
      await engine().call('POST', '/runs/log-metric', { run_id: runId, key: huge, value: 1, timestamp: 1 }),
    );
    refused(
      await engine().call('POST', '/runs/log-batch', {
        run_id: runId,
        tags: Array.from({ length: 100_000 }, (_, index) => ({ key: `t${index}`, value: 'v' })),
      }),
    );
    const experiment = await engine().call('POST', '/experiments/create', {
      name: 'many tags',
      tags: [{ key: 'k', value: huge }],
    });
    refused(experiment);
  });

  it('CVE-2025-0453: there is no GraphQL to batch with', async () => {
    assert.equal(
      (await sendRaw('POST', '/graphql', { 'content-type': 'application/json' }, '[]')).status,
      404,
    );
  });

  it('CVE-2026-0596, 2023-4033: a name with the characters of a shell is only a name', async () => {
    for (const name of ['m;touch evil', '$(touch evil)', '`touch evil`', '| touch evil', '&& touch evil']) {
      const { status } = await engine().call('POST', '/registered-models/create', { name });
      assert.ok(status === 200 || status === 400, name);
    }
    refused(await createVersion({ source: 'models:/m;touch evil' }));
    assert.equal(existsSync('evil'), false);
  });

  it('SQL injection: no text of a request becomes SQL', async () => {
    const evil = "x'); DROP TABLE runs; --";
    const runId = engine().createRun();
    await engine().call('POST', '/runs/set-tag', { run_id: runId, key: 'k', value: evil });
    for (const filter of [
      `tags.k = "${evil}"`,
      `tags."${evil}" = 'x'`,
      `metrics.\`${evil}\` > 1`,
      `params.x LIKE "${evil}"`,
    ]) {
      const { status } = await engine().call('POST', '/runs/search', { experiment_ids: ['0'], filter });
      assert.ok(status === 200 || status === 400, filter);
    }
    for (const order of [evil, `metrics.\`${evil}\` DESC`, 'start_time; DROP TABLE runs', '(SELECT 1)']) {
      const { status } = await engine().call('POST', '/runs/search', {
        experiment_ids: ['0'],
        order_by: [order],
      });
      assert.ok(status === 200 || status === 400, order);
    }
    assert.equal((await engine().call('GET', '/runs/get', { run_id: runId })).status, 200);
  });
});
