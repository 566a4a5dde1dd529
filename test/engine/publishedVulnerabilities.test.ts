import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { join } from 'node:path';
import type { Endpoint } from '../../src/engine/http/dialect.ts';
import { type Answer, at, textAt } from './answers.ts';
import { openRegistryEngine, type RegistryEngine } from './registryEngine.ts';

const artifacts = '/api/2.0/mlflow-artifacts/artifacts';
const token = 'a token that only this test knows';
const secret = 'the secret beside the store';

/**
 * Each published vulnerability of MLflow's server that has a counterpart here, as the request that made it. Those of
 * features that are not here (users and passwords, webhooks, gateway, GraphQL, recipes) have none.
 */
describe('Published vulnerabilities of MLflow', function () {
  this.timeout(30_000);
  let engine: RegistryEngine;
  before(async () => {
    engine = await openRegistryEngine(token);
    writeFileSync(join(engine.folder, 'secret.txt'), secret);
    await engine.call('POST', '/registered-models/create', { name: 'm' });
  });
  after(() => engine.close());

  const refused = ({ status, body }: Answer) => {
    assert.equal(status, 400, JSON.stringify(body));
    assert.equal(textAt(body, 'error_code'), 'INVALID_PARAMETER_VALUE');
  };
  const createVersion = (fields: object) =>
    engine.call('POST', '/model-versions/create', { name: 'm', ...fields });
  const assertTellsNoSecret = async (path: string, init: RequestInit = {}) => {
    const response = await engine.fetch(path, init);
    const text = await response.text();
    assert.ok(response.status >= 400 && response.status < 500, `${response.status} ${path}`);
    assert.ok(!text.includes(secret) && !text.includes('root:'), path);
  };

  /** Sends a path exactly as it stands, which `fetch` would normalise. */
  const sendRaw = async (
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body = '',
  ) => {
    const { port } = new URL(engine.url);
    const sent = request({
      host: '127.0.0.1',
      port,
      method,
      path,
      headers: { authorization: `Bearer ${token}`, 'content-length': Buffer.byteLength(body), ...headers },
    });
    sent.end(body);
    const [response] = await once(sent, 'response');
    response.setEncoding('utf8');
    let text = '';
    for await (const piece of response) text += piece;
    return { status: Number(response.statusCode), headers: response.headers, text };
  };

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
    for (const endpoint of [...engine.endpoints, ...others]) {
      if (open.has(endpoint.path)) continue;
      const { status } = await askUnauthorized(endpoint, { authorization: '' });
      assert.equal(status, 401, `${endpoint.method} ${endpoint.path}`);
    }
  });

  it('CVE-2025-14279: no endpoint answers a rebound host name, even with the token', async () => {
    for (const endpoint of engine.endpoints) {
      const { status } = await askUnauthorized(endpoint, { host: 'evil.test:5000' });
      assert.equal(status, 403, `${endpoint.method} ${endpoint.path}`);
    }
  });

  it('CVE-2023-43472: no endpoint answers a page of another origin, nor a simple request that needs no preflight', async () => {
    for (const endpoint of engine.endpoints) {
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
    const found = await engine.call('GET', '/experiments/get', { experiment_id: '0' });
    assert.equal(textAt(found.body, 'experiment.name'), 'Default');
  });

  it('CVE-2025-1474: an empty token is never right', async () => {
    for (const authorization of ['Bearer ', 'Basic Og==', 'Basic ', 'Bearer null', 'Bearer undefined']) {
      assert.equal((await sendRaw('GET', artifacts, { authorization })).status, 401, authorization);
    }
  });

  it('CVE-2023-30172: /get-artifact leads out of no run', async () => {
    const runId = engine.createRun();
    for (const path of [
      '../../../../secret.txt',
      '..%2f..%2f..%2f..%2fsecret.txt',
      '/etc/passwd',
      '%2fetc%2fpasswd',
    ]) {
      await assertTellsNoSecret(`/get-artifact?run_id=${runId}&path=${path}`);
      await assertTellsNoSecret(`/get-artifact?run_uuid=${runId}&path=${encodeURIComponent(path)}`);
    }
  });

  it('CVE-2023-1176, 2023-1177, 2024-3573, 2025-11201: no version has its files outside of the store', async () => {
    for (const source of [
      'file:///etc/',
      'file:/etc',
      'FILE:/etc',
      'file:////etc',
      ' file:///etc',
      '//etc',
      'local:/etc',
      engine.folder,
      `file://${engine.folder}`,
    ]) {
      refused(await createVersion({ source }));
      refused(await createVersion({ source, run_id: engine.createRun() }));
    }
    await assertTellsNoSecret('/model-versions/get-artifact?name=m&version=1&path=passwd');
  });

  it('CVE-2023-2356, 2023-2780, 2023-6753: no source goes upwards, by dots, backslashes or drives', async () => {
    for (const source of [
      'mlflow-artifacts:/a/../../b',
      'http://h/api/2.0/mlflow-artifacts/artifacts/../..',
      '\\..\\..\\etc',
      'C:\\..',
      'C:/Windows',
      '\\\\host\\share',
      'mlflow-artifacts:/..\\..\\etc',
    ]) {
      refused(await createVersion({ source }));
    }
  });

  it('CVE-2023-6015, 2023-6018, 2026-2033: an upload stays in the artifact folder', async () => {
    for (const path of [
      '..%2f..%2fevil',
      '%2e%2e/evil',
      '..%5c..%5cevil',
      '%2fetc%2fevil',
      'a/..%2f..%2f..%2fevil',
      'C:%5cevil',
    ]) {
      const { status } = await sendRaw('PUT', `${artifacts}/${path}`, {}, 'evil');
      assert.ok(status >= 400 && status < 500, `${status} ${path}`);
    }
    for (const path of ['../evil', '../../evil', 'a/../../evil'])
      await sendRaw('PUT', `${artifacts}/${path}`, {}, 'evil');
    for (const place of ['evil', '../evil', '../../evil'])
      assert.equal(existsSync(join(engine.folder, place)), false);
  });

  it('CVE-2023-6831, 2023-6909, 2024-1483, 2024-2928, 2024-3848: nothing is decoded twice, and # ? ; are no way round', async () => {
    const paths = [
      '%252E%252E%252F%252E%252E%252Fsecret.txt',
      '..%252f..%252fsecret.txt',
      '..%255csecret.txt',
      'a%23/../../secret.txt',
      'a%3f/../../secret.txt',
      'a;..%2f..%2fsecret.txt',
      'a%00/../secret.txt',
    ];
    for (const path of paths) {
      for (const method of ['GET', 'DELETE']) {
        const { status, text } = await sendRaw(method, `${artifacts}/${path}`);
        assert.ok(status >= 400 && status < 500, `${status} ${method} ${path}`);
        assert.ok(!text.includes(secret));
      }
    }
    assert.ok(existsSync(join(engine.folder, 'secret.txt')));
  });

  it('CVE-2024-1558, 1560, 1593, 1594, 8859: no artifact location smuggles a path in a fragment, parameter or query', async () => {
    for (const location of [
      'http:///#/../../../etc/',
      'http:///?/../../../etc/',
      'mlflow-artifacts:/a;..%2f..%2fetc',
      'mlflow-artifacts:/a;/../etc',
      'mlflow-artifacts:/a?/../../etc',
      'mlflow-artifacts:/../../etc',
      'mlflow-artifacts:/%2e%2e/etc',
    ]) {
      const { status, body } = await engine.call('POST', '/experiments/create', {
        name: `at ${location}`,
        artifact_location: location,
      });
      if (status !== 200) {
        refused({ status, body });
        continue;
      }
      const created = await engine.call('POST', '/runs/create', {
        experiment_id: textAt(body, 'experiment_id'),
      });
      assert.fail(`${location} was taken: ${JSON.stringify(created.body)}`);
    }
  });

  it('observed in MLflow: an artifact location that is a folder of this machine is a pointer that shows none of its files', async () => {
    for (const location of ['file:///etc', '/etc', engine.folder, `file://${engine.folder}`]) {
      const created = await engine.call('POST', '/experiments/create', {
        name: `in ${location}`,
        artifact_location: location,
      });
      if (created.status !== 200) continue;
      const run = await engine.call('POST', '/runs/create', {
        experiment_id: textAt(created.body, 'experiment_id'),
      });
      const runId = textAt(run.body, 'run.info.run_id');
      await assertTellsNoSecret(`/get-artifact?run_id=${runId}&path=passwd`);
      await assertTellsNoSecret(`/get-artifact?run_id=${runId}&path=secret.txt`);
      await assertTellsNoSecret(`/api/2.0/mlflow/artifacts/list?run_id=${runId}&path=`);
      const { body } = await createVersion({ source: `runs:/${runId}/.`, run_id: runId });
      const version = at(body, 'model_version.version') ?? 1;
      for (const path of ['passwd', 'secret.txt']) {
        await assertTellsNoSecret(`/model-versions/get-artifact?name=m&version=${version}&path=${path}`);
      }
    }
  });

  it('CVE-2023-6977: a link in the artifact folder leads out of it neither to read, nor to list, nor to write, nor to delete', async () => {
    const folder = join(engine.folder, 'artifacts', 'links');
    mkdirSync(folder, { recursive: true });
    symlinkSync(join(engine.folder, 'secret.txt'), join(folder, 'file'));
    symlinkSync(engine.folder, join(folder, 'folder'));
    await assertTellsNoSecret(`${artifacts}/links/file`);
    await assertTellsNoSecret(`${artifacts}/links/folder/secret.txt`);
    assert.deepEqual(await (await engine.fetch(`${artifacts}?path=links`)).json(), {});
    assert.equal(
      (await engine.fetch(`${artifacts}/links/folder/new`, { method: 'PUT', body: 'x' })).status,
      400,
    );
    assert.equal(
      (await engine.fetch(`${artifacts}/links/folder/secret.txt`, { method: 'DELETE' })).status,
      400,
    );
    assert.ok(existsSync(join(engine.folder, 'secret.txt')));
    assert.ok(!existsSync(join(engine.folder, 'new')));
  });

  describe('with a host that must never be asked', () => {
    let asked: string[];
    let attacker: Server;
    let address: string;
    before(async () => {
      asked = [];
      attacker = createServer((incoming, response) => {
        asked.push(incoming.url ?? '');
        response.setHeader('content-type', 'application/json');
        response.setHeader('content-disposition', 'attachment; filename="../../evil"');
        response.end('{"files": [{"path": "../../evil", "is_dir": false, "file_size": 4}]}');
      });
      attacker.listen(0, '127.0.0.1');
      await once(attacker, 'listening');
      const bound = attacker.address();
      assert.ok(bound !== null && typeof bound === 'object');
      address = `127.0.0.1:${bound.port}`;
    });
    after(() => attacker.close());

    it('CVE-2023-6974, 2023-6975, 2023-6976, 2024-0520, 2026-2393: no URL in a source, dataset, link or tag is fetched', async () => {
      for (const scheme of ['http', 'https', 'ftp']) {
        refused(
          await createVersion({ source: `${scheme}://${address}/api/2.0/mlflow-artifacts/artifacts/` }),
        );
      }
      // Another server's store is a pointer as good as a bucket: kept, and never followed.
      const { body } = await createVersion({ source: `mlflow-artifacts://${address}/a` });
      const version = textAt(body, 'model_version.version');
      await assertTellsNoSecret(`/model-versions/get-artifact?name=m&version=${version}&path=evil`);
      refused(await createVersion({ source: 'http://169.254.169.254/latest/meta-data' }));
      const runId = engine.createRun();
      await engine.call('POST', '/runs/log-inputs', {
        run_id: runId,
        datasets: [
          {
            dataset: {
              name: 'd',
              digest: '1',
              source_type: 'http',
              source: JSON.stringify({ url: `http://${address}/x` }),
            },
          },
        ],
      });
      for (const key of ['mlflow.source.name', 'mlflow.source.git.repoURL', 'mlflow.artifactLocation']) {
        await engine.call('POST', '/runs/set-tag', { run_id: runId, key, value: `http://${address}/x` });
      }
      const webhook = JSON.stringify({ name: 'w', url: `http://${address}/x`, events: [] });
      await sendRaw('POST', '/api/2.0/mlflow/webhooks', { 'content-type': 'application/json' }, webhook);
      engine.tracking.runDetail(runId);
      assert.deepEqual(asked, []);
    });
  });

  it('CVE-2026-2614: calling a version a prompt spares it no check', async () => {
    for (const tags of [
      [{ key: 'mlflow.prompt.is_prompt', value: 'true' }],
      [{ key: 'mlflow.prompt.is_prompt', value: 'false' }],
      [{ key: 'mlflow.prompt.is_prompt' }],
    ]) {
      for (const source of ['/etc', 'file:///etc', engine.folder])
        refused(await createVersion({ source, tags }));
    }
    await assertTellsNoSecret('/model-versions/get-artifact?name=m&version=1&path=secret.txt');
  });

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
      await engine.fetch(`${artifacts}/x/${name}`, { method: 'PUT', body: '<script>alert(1)</script>' });
      const { headers } = await engine.fetch(`${artifacts}/x/${name}`);
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
      assert.equal((await engine.call('POST', '/registered-models/create', { name })).status, 200, name);
    }
    for (const name of ['a b', 'a%20b']) {
      const { body } = await engine.call('GET', '/registered-models/get', { name });
      assert.equal(textAt(body, 'registered_model.name'), name);
    }
  });

  it('CVE-2024-6838: huge names, values and lists are refused', async () => {
    const huge = 'x'.repeat(5_000_000);
    refused(await engine.call('POST', '/experiments/create', { name: huge }));
    refused(await engine.call('POST', '/registered-models/create', { name: huge }));
    const runId = engine.createRun();
    refused(
      await engine.call('POST', '/runs/log-metric', { run_id: runId, key: huge, value: 1, timestamp: 1 }),
    );
    refused(
      await engine.call('POST', '/runs/log-batch', {
        run_id: runId,
        tags: Array.from({ length: 100_000 }, (_, index) => ({ key: `t${index}`, value: 'v' })),
      }),
    );
    const experiment = await engine.call('POST', '/experiments/create', {
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

  it('ZDI-CAN-26649: an uploaded meta.yaml is a file like any other', async () => {
    const before = engine.tracking.experiments().length;
    const runId = engine.createRun();
    const folder = `0/${runId}/artifacts/${'a'.repeat(32)}`;
    await engine.fetch(`${artifacts}/${folder}/meta.yaml`, {
      method: 'PUT',
      body: `run_id: ${'a'.repeat(32)}\nartifact_uri: file:///etc\n`,
    });
    assert.equal((await engine.call('GET', '/runs/get', { run_id: 'a'.repeat(32) })).status, 404);
    assert.ok(engine.tracking.experiments().length <= before + 1);
  });

  it('CVE-2026-0596, 2023-4033: a name with the characters of a shell is only a name', async () => {
    for (const name of ['m;touch evil', '$(touch evil)', '`touch evil`', '| touch evil', '&& touch evil']) {
      const { status } = await engine.call('POST', '/registered-models/create', { name });
      assert.ok(status === 200 || status === 400, name);
    }
    refused(await createVersion({ source: 'models:/m;touch evil' }));
    assert.equal(existsSync('evil'), false);
  });

  it('CVE-2022-0736, 2024-27134, 2025-10279, 2026-4137: what is in progress belongs to its person alone', async function () {
    if (process.platform === 'win32') return this.skip();
    await engine.fetch(`${artifacts}/mode/a`, { method: 'PUT', body: 'x' });
    assert.equal(statSync(join(engine.folder, 'artifacts', 'mode', 'a')).mode & 0o077, 0);
    assert.equal(statSync(join(engine.folder, 'artifacts', '.uploads')).mode & 0o077, 0);
  });

  it('SQL injection: no text of a request becomes SQL', async () => {
    const evil = "x'); DROP TABLE runs; --";
    const runId = engine.createRun();
    await engine.call('POST', '/runs/set-tag', { run_id: runId, key: 'k', value: evil });
    for (const filter of [
      `tags.k = "${evil}"`,
      `tags."${evil}" = 'x'`,
      `metrics.\`${evil}\` > 1`,
      `params.x LIKE "${evil}"`,
    ]) {
      const { status } = await engine.call('POST', '/runs/search', { experiment_ids: ['0'], filter });
      assert.ok(status === 200 || status === 400, filter);
    }
    for (const order of [evil, `metrics.\`${evil}\` DESC`, 'start_time; DROP TABLE runs', '(SELECT 1)']) {
      const { status } = await engine.call('POST', '/runs/search', {
        experiment_ids: ['0'],
        order_by: [order],
      });
      assert.ok(status === 200 || status === 400, order);
    }
    assert.equal((await engine.call('GET', '/runs/get', { run_id: runId })).status, 200);
  });
});
