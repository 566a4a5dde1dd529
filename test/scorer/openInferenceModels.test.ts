import assert from 'node:assert/strict';
import { linearModel } from '../fixtures/onnxFile.ts';
import { type InferenceServer, serverToken, startInferenceServer } from './inferenceServer.ts';
import { removeFolder, temporaryFolder } from './scorerProcess.ts';

const oddName = 'red/white & "rosé" ?';

describe('Many models and versions behind the Open Inference Protocol', () => {
  let folder: string;
  let server: InferenceServer;
  beforeEach(async () => {
    folder = await temporaryFolder();
    server = await startInferenceServer(folder, [
      { name: 'wine', version: 3, model: linearModel(), labels: ['champion'] },
      { name: 'wine', version: 12, model: linearModel() },
      { name: oddName, version: 1, model: linearModel() },
    ]);
  });
  afterEach(async () => {
    await server.close();
    await removeFolder(folder);
    assert.deepEqual(server.unforeseen, []);
  });

  const ask = async (path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST') => {
    const response = await fetch(`http://${server.http}${path}`, {
      method,
      headers: { authorization: `Bearer ${serverToken}` },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      allow: response.headers.get('allow'),
      json: text ? JSON.parse(text) : null,
    };
  };
  const request = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }] };

  it('asks the version that is named, and tells which one answered', async () => {
    for (const [path, version] of [
      ['/v2/models/wine/infer', '12'],
      ['/v2/models/wine/versions/3/infer', '3'],
      ['/v2/models/wine/versions/12/infer', '12'],
    ] as const) {
      const { status, json } = await ask(path, request);
      assert.equal(status, 200);
      assert.equal(json.model_name, 'wine');
      assert.equal(json.model_version, version);
    }
    const odd = await ask(`/v2/models/${encodeURIComponent(oddName)}/infer`, request);
    assert.equal(odd.json.model_name, oddName);
  });

  it('says what is not there, and what is; labels are no versions', async () => {
    for (const [path, message] of [
      ['/v2/models/beer/infer', /no model "beer".*"wine"/],
      ['/v2/models/wine/versions/4/infer', /no version "4" of "wine".*versions 12, 3/],
      ['/v2/models/wine/versions/champion/infer', /no version "champion"/],
      ['/v2/models/wine/versions/3.0/infer', /no version "3.0"/],
      ['/v2/models/__proto__/infer', /no model "__proto__"/],
      ['/v2/models//infer', /no model ""/],
    ] as const) {
      for (const body of [request, '{']) {
        const { status, json } = await ask(path, body);
        assert.equal(status, 404, path);
        assert.match(json.error, message);
      }
    }
    for (const path of ['/v2/models/beer', '/v2/models/beer/ready', '/v2/models/wine/versions/4/stats']) {
      assert.equal((await ask(path)).status, 404, path);
    }
    for (const path of [
      '/v2/model',
      '/v2/models/wine/versions',
      '/v2/models/wine/infer/it',
      '/v2/health/alive',
    ]) {
      const { status, json } = await ask(path);
      assert.equal(status, 404, path);
      assert.equal(json.error, `There is nothing at ${path}.`);
    }
    const wrong = await ask('/v2/models/wine/infer');
    assert.equal(wrong.status, 405);
    assert.equal(wrong.allow, 'POST');
  });

  it('lists models and versions, of all or of one', async () => {
    assert.deepEqual((await ask('/v2/models')).json, { models: [oddName, 'wine'] });
    assert.deepEqual((await ask('/v2/models/wine')).json.versions, ['3', '12']);
    assert.deepEqual((await ask('/v2/models/wine/versions/3')).json.versions, ['3']);
    assert.deepEqual((await ask('/v2/')).json, (await ask('/v2')).json);
    const entry = (name: string, version: string) => ({ name, version, state: 'READY', reason: '' });
    const all = [entry(oddName, '1'), entry('wine', '3'), entry('wine', '12')];
    assert.deepEqual((await ask('/v2/repository/index', '')).json, all);
    assert.deepEqual((await ask('/v2/repository/index', { ready: true })).json, all);
    assert.equal((await ask('/v2/repository/index', { ready: 'yes' })).status, 400);
  });

  it('is not ready while it drains', async () => {
    server.models.drain();
    assert.deepEqual(await ask('/v2/health/ready').then(({ status, json }) => [status, json]), [
      503,
      { ready: false },
    ]);
    assert.deepEqual(await ask('/v2/models/wine/ready').then(({ status, json }) => [status, json]), [
      503,
      { name: 'wine', ready: false },
    ]);
    assert.equal((await ask('/v2/health/live')).status, 200);
    assert.deepEqual((await ask('/v2/repository/index', { ready: true })).json, []);
    assert.equal((await ask('/v2/repository/index', {})).json[0].state, 'UNAVAILABLE');
  });

  it('keeps what is loaded to the registry: loading it again changes nothing, unloading is refused', async () => {
    assert.deepEqual((await ask('/v2/repository/models/wine/load', '')).json, { name: 'wine', load: true });
    const unknown = await ask('/v2/repository/models/beer/load', {});
    assert.equal(unknown.status, 404);
    assert.match(unknown.json.error, /"beer" is not served here \("red.*", "wine"\)/);
    const brought = await ask('/v2/repository/models/wine/load', {
      parameters: { 'file:1/model.onnx': 'AAAA' },
    });
    assert.equal(brought.status, 400);
    assert.match(brought.json.error, /"file:1\/model.onnx" is not taken/);
    const kept = await ask('/v2/repository/models/wine/unload', '');
    assert.equal(kept.status, 409);
    assert.match(kept.json.error, /"wine" stays loaded/);
    assert.equal((await ask('/v2/repository/models/beer/unload', '')).status, 404);
  });

  it('counts requests, rows and runs of each version', async () => {
    await ask('/v2/models/wine/versions/3/infer', request);
    await ask('/v2/models/wine/versions/3/infer', { inputs: [] });
    const { json } = await ask('/v2/models/wine/stats');
    const [three, twelve] = json.model_stats;
    assert.equal(three.version, '3');
    assert.equal(three.inference_count, 1);
    assert.equal(three.execution_count, 1);
    assert.equal(three.inference_stats.success.count, 1);
    assert.equal(three.inference_stats.fail.count, 1);
    assert.equal(three.inference_stats.compute_infer.count, 1);
    assert.ok(three.inference_stats.success.ns >= three.inference_stats.compute_infer.ns);
    assert.ok(three.inference_stats.compute_infer.ns > 0 && three.last_inference > 1_600_000_000_000);
    assert.deepEqual(
      three.batch_stats.map((batch: { batch_size: number }) => batch.batch_size),
      [1],
    );
    assert.equal(twelve.version, '12');
    assert.equal(twelve.inference_stats.success.count, 0);
    assert.equal((await ask('/v2/models/stats')).json.model_stats.length, 3);
  });

  it('joins requests into runs, and counts both', async () => {
    await Promise.all(Array.from({ length: 16 }, () => ask('/v2/models/wine/versions/3/infer', request)));
    const counts = server.counters.of({ name: 'wine', version: 3 });
    assert.equal(counts.success.count, 16);
    assert.equal(counts.rowCount, 16);
    assert.equal(counts.queue.count, 16);
    assert.equal(counts.compute.count, 16);
    assert.ok(counts.runCount <= 16);
    assert.equal(
      counts.batches.reduce((rows, batch) => rows + batch.rows * batch.compute.count, 0),
      16,
    );
  });

  it('guards all but health with the token', async () => {
    const open = ['/v2/health/live', '/v2/health/ready'];
    const guarded = [
      '/v2',
      '/v2/models',
      '/v2/models/wine',
      '/v2/models/wine/ready',
      '/v2/models/wine/stats',
    ];
    const posts = ['/v2/models/wine/infer', '/v2/repository/index', '/v2/repository/models/wine/unload'];
    for (const path of open) assert.equal((await fetch(`http://${server.http}${path}`)).status, 200, path);
    for (const path of guarded) assert.equal((await fetch(`http://${server.http}${path}`)).status, 401, path);
    for (const path of posts) {
      const response = await fetch(`http://${server.http}${path}`, { method: 'POST', body: '{}' });
      assert.equal(response.status, 401, path);
    }
  });
});
