import assert from 'node:assert/strict';
import type { Endpoint } from '../../src/engine/http/dialect.ts';
import { textAt } from './answers.ts';
import { artifacts, attackedEngine } from './attackedEngine.ts';

/** Published vulnerabilities of MLflow's server: who may ask. */
describe('Published vulnerabilities of MLflow: access', function () {
  this.timeout(30_000);
  const { engine, sendRaw } = attackedEngine();

  /** An endpoint as a request without parameters filled in. */
  const askUnauthorized = async ({ method, path }: Endpoint, headers: Readonly<Record<string, string>>) =>
    sendRaw(
      method,
      path.replaceAll(/\{\w+\}|\*/g, 'x'),
      { 'content-type': 'application/json', ...headers },
      method === 'GET' ? '' : '{}',
    );

  it('CVE-2023-6014, 2026-0545, 2026-2651, 2026-2652: no endpoint answers without the token, /v1/traces and mpu neither', async () => {
    const open = new Set(['/health', '/version']);
    const others: readonly Endpoint[] = [
      { method: 'POST', path: '/v1/traces' },
      { method: 'GET', path: '/ajax-api/3.0/jobs/x' },
      { method: 'POST', path: '/graphql' },
      { method: 'GET', path: '/metrics' },
    ];
    for (const endpoint of [...engine().endpoints, ...others]) {
      if (open.has(endpoint.path)) continue;
      const { status } = await askUnauthorized(endpoint, { authorization: '' });
      assert.equal(status, 401, `${endpoint.method} ${endpoint.path}`);
    }
  });

  it('CVE-2025-14279: no endpoint answers a rebound host name, even with the token', async () => {
    for (const endpoint of engine().endpoints) {
      const { status } = await askUnauthorized(endpoint, { host: 'evil.test:5000' });
      assert.equal(status, 403, `${endpoint.method} ${endpoint.path}`);
    }
  });

  it('CVE-2023-43472: no endpoint answers a page of another origin, nor a simple request that needs no preflight', async () => {
    for (const endpoint of engine().endpoints) {
      const { status } = await askUnauthorized(endpoint, { origin: 'http://evil.test' });
      assert.equal(status, 403, `${endpoint.method} ${endpoint.path}`);
    }
    const update = '/api/2.0/mlflow/experiments/update';
    const body = JSON.stringify({ experiment_id: '0', new_name: 'stolen' });
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      assert.equal((await sendRaw('POST', update, { 'content-type': type }, body)).status, 400, type);
    }
    assert.equal((await sendRaw('POST', update, {}, body)).status, 400);
    const found = await engine().call('GET', '/experiments/get', { experiment_id: '0' });
    assert.equal(textAt(found.body, 'experiment.name'), 'Default');
  });

  it('CVE-2025-1474: an empty token is never right', async () => {
    for (const authorization of ['Bearer ', 'Basic Og==', 'Basic ', 'Bearer null', 'Bearer undefined']) {
      assert.equal((await sendRaw('GET', artifacts, { authorization })).status, 401, authorization);
    }
  });
});
