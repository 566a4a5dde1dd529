import assert from 'node:assert/strict';
import { at, textAt } from './answers.ts';
import { openTrackingEngine, type TrackingEngine } from './trackingEngine.ts';

describe('Conventions of the MLflow dialect', () => {
  let engine: TrackingEngine;
  let runId: string;
  before(async () => {
    engine = await openTrackingEngine();
    const { body } = await engine.call('POST', '/runs/create', { experiment_id: '0' });
    runId = textAt(body, 'run.info.run_id');
  });
  after(() => engine.close());

  const post = (path: string, body: string, contentType: string | null = 'application/json') =>
    engine.fetch(`/api/2.0/mlflow${path}`, {
      method: 'POST',
      headers: contentType === null ? {} : { 'content-type': contentType },
      body: Buffer.from(body),
    });
  const metricValue = async (key: string) => {
    const { body } = await engine.call('GET', '/runs/get', { run_id: runId });
    const metrics = at(body, 'run.data.metrics');
    assert.ok(Array.isArray(metrics));
    return metrics.find((metric) => metric.key === key)?.value;
  };

  it('is mounted below /api and /ajax-api', async () => {
    for (const prefix of ['/api', '/ajax-api']) {
      const response = await engine.fetch(`${prefix}/2.0/mlflow/experiments/get?experiment_id=0`);
      assert.equal(response.status, 200);
      assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
    }
    const info = await engine.fetch('/api/3.0/mlflow/server-info');
    assert.deepEqual(await info.json(), { store_type: 'SqlStore', workspaces_enabled: false });
  });

  it('answers unknown paths and wrong methods without JSON, so that clients use their fallback', async () => {
    for (const [method, path, status] of [
      ['GET', '/api/2.0/mlflow/nope', 404],
      ['POST', '/v1/traces', 404],
      ['POST', '/api/3.0/mlflow/scorers/register', 404],
      ['PUT', '/api/2.0/mlflow/runs/get', 405],
      ['GET', '/api/2.0/mlflow/runs/create', 405],
      ['POST', '/api/2.0/mlflow/logged-models/m-1', 405],
    ] as const) {
      const response = await engine.fetch(path, { method });
      assert.equal(response.status, status, path);
      assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
    }
  });

  it('wants JSON to be called JSON', async () => {
    const body = JSON.stringify({ run_id: runId, key: 'a', value: 'b' });
    for (const [type, message] of [
      [null, 'Bad Request. Content-Type header is missing.'],
      ['text/plain', "Bad Request. Content-Type must be one of ['application/json']."],
      ['application/x-www-form-urlencoded', "Bad Request. Content-Type must be one of ['application/json']."],
    ] as const) {
      const response = await post('/runs/set-tag', body, type);
      assert.equal(response.status, 400);
      assert.deepEqual(await response.json(), {
        error_code: 'INVALID_PARAMETER_VALUE',
        message,
        sqlstate: 'KAM00',
        error_class: 'INVALID_PARAMETER_VALUE',
      });
    }
    assert.equal((await post('/runs/set-tag', body, 'application/json; charset=utf-8')).status, 200);
  });

  it('reads camelCase, JSON inside a JSON text, and run_uuid', async () => {
    const created = await post(
      '/runs/create',
      JSON.stringify({ experimentId: '0', runName: 'camel', startTime: '7' }),
    );
    const body: unknown = await created.json();
    assert.equal(at(body, 'run.info.run_name'), 'camel');
    assert.equal(at(body, 'run.info.start_time'), 7);
    const twice = JSON.stringify(JSON.stringify({ run_uuid: runId, key: 'twice', value: 'yes' }));
    assert.equal((await post('/runs/set-tag', twice)).status, 200);
  });

  it('quotes a number as it was written, and refuses two spellings of one field', async () => {
    const created = await post('/experiments/create', '{"name": "n", "artifact_location": 9.0}');
    assert.match(
      textAt(await created.json(), 'message'),
      /^Invalid value 9\.0 for parameter 'artifact_location' supplied: {2}Hint: Value was of type 'float'/,
    );
    const both = await post('/runs/create', '{"experiment_id": "0", "experimentId": "1"}');
    assert.equal(
      textAt(await both.json(), 'message'),
      "Request specifies both 'experiment_id' and 'experimentId'; provide only one of them.",
    );
  });

  it('leads doubled slashes to the path with single ones, and tells which methods a path knows', async () => {
    const doubled = await engine.fetch('//api/2.0//mlflow/experiments/get?experiment_id=0', {
      redirect: 'manual',
    });
    assert.equal(doubled.status, 308);
    assert.equal(doubled.headers.get('location'), '/api/2.0/mlflow/experiments/get?experiment_id=0');
    const unknown = await engine.fetch('//api//nope', { redirect: 'manual' });
    assert.equal(unknown.status, 404);
    const path = '/api/2.0/mlflow/registered-models/alias';
    const options = await engine.fetch(path, { method: 'OPTIONS' });
    assert.equal(options.status, 204);
    assert.equal(options.headers.get('allow'), 'POST, GET, DELETE, HEAD, OPTIONS');
    const wrong = await engine.fetch(path, { method: 'PUT' });
    assert.equal(wrong.status, 405);
    assert.equal(wrong.headers.get('allow'), 'POST, GET, DELETE, HEAD, OPTIONS');
  });

  it('calls JSON by its bare name', async () => {
    const response = await engine.fetch('/api/2.0/mlflow/experiments/get?experiment_id=0');
    assert.equal(response.headers.get('content-type'), 'application/json');
  });

  it('refuses what is no JSON object', async () => {
    for (const body of ['{', '[]', '3', 'null', '"{"', '{"run_id": nan}']) {
      const response = await post('/runs/set-tag', body);
      assert.equal(response.status, 400, body);
      assert.equal(textAt(await response.json(), 'error_code'), 'INVALID_PARAMETER_VALUE');
    }
  });

  it('reads doubles as protobuf, Python and JSON write them', async () => {
    const cases: readonly (readonly [string, unknown])[] = [
      ['"NaN"', 'NaN'],
      ['NaN', 'NaN'],
      ['"Infinity"', Number.MAX_VALUE],
      ['-Infinity', -Number.MAX_VALUE],
      ['"inf"', Number.MAX_VALUE],
      ['"1e5"', 100_000],
      ['true', 1],
      ['-0.5', -0.5],
      ['1e308', 1e308],
    ];
    for (const [index, [written, read]] of cases.entries()) {
      const body = `{"run_id": "${runId}", "key": "k${index}", "value": ${written}, "timestamp": 1}`;
      const response = await post('/runs/log-metric', body);
      assert.equal(response.status, 200, written);
      assert.equal(await metricValue(`k${index}`), read, written);
      const batch = `{"run_id": "${runId}", "metrics": [{"key": "b${index}", "value": ${written}, "timestamp": 1}]}`;
      assert.equal((await post('/runs/log-batch', batch)).status, 200, written);
      assert.equal(await metricValue(`b${index}`), read, written);
    }
  });

  it('leaves the words NaN and Infinity alone inside texts', async () => {
    const body = `{"run_id": "${runId}", "key": "note", "value": "NaN \\" Infinity", "other": NaN}`;
    assert.equal((await post('/runs/set-tag', body)).status, 200);
    const { body: read } = await engine.call('GET', '/runs/get', { run_id: runId });
    const tags = at(read, 'run.data.tags');
    assert.ok(Array.isArray(tags));
    assert.equal(tags.find((tag) => tag.key === 'note').value, 'NaN " Infinity');
  });

  it('reads a body, and says what is wrong with it, around a text of millions of characters', async () => {
    const long = '\\u0041='.repeat(3_000_000);
    const metric = `{"run_id": "${runId}", "key": "long", "value": NaN, "timestamp": 1, "other": "${long}"}`;
    assert.equal((await post('/runs/log-metric', metric)).status, 200);
    assert.equal(await metricValue('long'), 'NaN');
    const wrong = await post(
      '/runs/set-tag',
      `{"value": 3.0, "run_id": "${runId}", "other": "${long}", "key": 5.0}`,
    );
    assert.equal(wrong.status, 400);
    assert.match(textAt(await wrong.json(), 'message'), /Invalid value 5\.0 for parameter 'key'/);
  });

  it('names the field and the type of what it cannot read', async () => {
    const say = async (path: string, fields: object) =>
      textAt((await engine.call('POST', path, fields)).body, 'message');
    const hint = (type: string) =>
      ` Hint: Value was of type '${type}'. See the API docs for more information about request parameters.`;
    assert.equal(
      await say('/runs/create', { experiment_id: 0 }),
      `Invalid value 0 for parameter 'experiment_id' supplied: ${hint('int')}`,
    );
    assert.equal(
      await say('/runs/log-metric', { run_id: runId, key: 'a', value: 'abc', timestamp: 1 }),
      `Invalid value "abc" for parameter 'value' supplied: ${hint('str')}`,
    );
    assert.equal(
      await say('/runs/log-metric', { run_id: runId, key: 'a', timestamp: 1 }),
      "Missing value for required parameter 'value'. See the API docs for more information about request parameters.",
    );
    assert.equal(
      await say('/runs/log-batch', { run_id: runId, params: [{ key: 'a', value: 3 }] }),
      `Invalid value 3 for parameter 'params[0].value' supplied: ${hint('int')}`,
    );
    assert.match(await say('/runs/log-batch', { run_id: runId, metrics: [3] }), /metrics\[0\]/);
    assert.match(await say('/runs/log-batch', { run_id: runId, params: 'x' }), /'params'/);
  });

  it('refuses a path that cannot be decoded', async () => {
    const response = await engine.fetch('/api/2.0/mlflow/%zz');
    assert.equal(response.status, 400);
    assert.equal(textAt(await response.json(), 'error_code'), 'INVALID_PARAMETER_VALUE');
  });

  it('ignores an unknown enum and accepts its number', async () => {
    const update = async (status: unknown) =>
      at((await engine.call('POST', '/runs/update', { run_id: runId, status })).body, 'run_info.status');
    assert.equal(await update('finished'), 'RUNNING');
    assert.equal(await update(3), 'FINISHED');
    assert.equal(await update('RUNNING'), 'RUNNING');
  });

  it('foresees every one of these', () => {
    assert.deepEqual(engine.unforeseen, []);
  });
});
