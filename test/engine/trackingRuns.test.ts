import assert from 'node:assert/strict';
import { at, listAt, textAt } from './answers.ts';
import { openTrackingEngine, type TrackingEngine } from './trackingEngine.ts';

describe('Experiments and runs over HTTP', () => {
  let engine: TrackingEngine;
  before(async () => {
    engine = await openTrackingEngine();
  });
  after(() => engine.close());
  afterEach(() => assert.deepEqual(engine.unforeseen, []));

  const create = async (fields: object = {}) =>
    (await engine.call('POST', '/runs/create', { experiment_id: '0', ...fields })).body;
  const refusal = async (method: string, path: string, fields: object, status = 400) => {
    const answer = await engine.call(method, path, fields);
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    return textAt(answer.body, 'message');
  };

  it('has the experiment "Default" from the start', async () => {
    const { body } = await engine.call('GET', '/experiments/get', { experiment_id: '0' });
    assert.equal(at(body, 'experiment.name'), 'Default');
    assert.equal(at(body, 'experiment.artifact_location'), 'mlflow-artifacts:/0');
  });

  it('creates a run as MLflow does', async () => {
    const tags = [
      { key: 'mlflow.user', value: 'ana' },
      { key: 'a', value: 'b' },
    ];
    const body = await create({ user_id: 'ana', start_time: 1700000000000, tags });
    const runId = textAt(body, 'run.info.run_id');
    assert.match(runId, /^[0-9a-f]{32}$/);
    const name = textAt(body, 'run.info.run_name');
    assert.match(name, /^[a-z]+-[a-z]+-\d+$/);
    assert.deepEqual(at(body, 'run.info'), {
      run_uuid: runId,
      experiment_id: '0',
      run_name: name,
      user_id: 'ana',
      status: 'RUNNING',
      start_time: 1700000000000,
      artifact_uri: `mlflow-artifacts:/0/${runId}/artifacts`,
      lifecycle_stage: 'active',
      run_id: runId,
    });
    const written = listAt(body, 'run.data.tags');
    assert.deepEqual(
      written.toSorted((p, q) => (textAt(p, 'key') < textAt(q, 'key') ? -1 : 1)),
      [...tags, { key: 'mlflow.runName', value: name }].toSorted((p, q) => (p.key < q.key ? -1 : 1)),
    );
  });

  it('refuses runs of experiments that are missing, deleted or no number', async () => {
    assert.match(
      await refusal('POST', '/runs/create', {}),
      /^Missing value for required parameter 'experiment_id'/,
    );
    assert.equal(
      await refusal('POST', '/runs/create', { experiment_id: '99999' }, 404),
      'No Experiment with id=99999 exists',
    );
    assert.equal(
      await refusal('POST', '/runs/create', { experiment_id: 'abc' }),
      "Invalid experiment ID 'abc'. Experiment ID must be a valid integer.",
    );
    const { body } = await engine.call('POST', '/experiments/create', { name: 'gone' });
    const id = textAt(body, 'experiment_id');
    await engine.call('POST', '/experiments/delete', { experiment_id: id });
    assert.match(
      await refusal('POST', '/runs/create', { experiment_id: id }),
      /must be in the 'active' state/,
    );
  });

  it('keeps name and name tag the same, whichever changes', async () => {
    assert.match(
      await refusal('POST', '/runs/create', {
        experiment_id: '0',
        run_name: 'a',
        tags: [{ key: 'mlflow.runName', value: 'b' }],
      }),
      /^Both 'run_name' argument and 'mlflow.runName' tag are specified/,
    );
    const body = await create({ tags: [{ key: 'mlflow.runName', value: 'tagged' }] });
    const run_id = textAt(body, 'run.info.run_id');
    assert.equal(at(body, 'run.info.run_name'), 'tagged');
    const names = async (of = run_id) => {
      const { body: read } = await engine.call('GET', '/runs/get', { run_id: of });
      const tag = listAt(read, 'run.data.tags').find(
        (candidate) => at(candidate, 'key') === 'mlflow.runName',
      );
      return [at(read, 'run.info.run_name'), at(tag, 'value')];
    };
    await engine.call('POST', '/runs/update', { run_id, run_name: 'updated' });
    assert.deepEqual(await names(), ['updated', 'updated']);
    await engine.call('POST', '/runs/set-tag', { run_id, key: 'mlflow.runName', value: 'retagged' });
    assert.deepEqual(await names(), ['retagged', 'retagged']);
    const unnamed = await create({ tags: [{ key: 'mlflow.runName', value: '' }] });
    const [name, tag] = await names(textAt(unnamed, 'run.info.run_id'));
    assert.match(String(name), /^[a-z]+-[a-z]+-\d+$/);
    assert.equal(tag, name);
  });

  it('deletes and restores an experiment with its runs; its name stays taken', async () => {
    const { body } = await engine.call('POST', '/experiments/create', { name: 'temporary' });
    const experiment_id = textAt(body, 'experiment_id');
    const run_id = textAt(await create({ experiment_id }), 'run.info.run_id');
    const stages = async () => [
      at(
        (await engine.call('GET', '/experiments/get', { experiment_id })).body,
        'experiment.lifecycle_stage',
      ),
      at((await engine.call('GET', '/runs/get', { run_id })).body, 'run.info.lifecycle_stage'),
    ];
    await engine.call('POST', '/experiments/delete', { experiment_id });
    assert.deepEqual(await stages(), ['deleted', 'deleted']);
    const taken = await engine.call('POST', '/experiments/create', { name: 'temporary' });
    assert.equal(taken.status, 400);
    assert.equal(at(taken.body, 'error_code'), 'RESOURCE_ALREADY_EXISTS');
    const byName = await engine.call('GET', '/experiments/get-by-name', { experiment_name: 'temporary' });
    assert.equal(byName.status, 200);
    await refusal('POST', '/experiments/update', { experiment_id, new_name: 'other' });
    await engine.call('POST', '/experiments/restore', { experiment_id });
    assert.deepEqual(await stages(), ['active', 'active']);
  });

  it('pages through experiments', async () => {
    for (let n = 0; n < 12; n += 1) await engine.call('POST', '/experiments/create', { name: `page ${n}` });
    const filter = "name LIKE 'page%'";
    const found: unknown[] = [];
    for (let page_token = ''; ; ) {
      const { body } = await engine.call('POST', '/experiments/search', {
        max_results: 5,
        filter,
        page_token,
      });
      found.push(...listAt(body, 'experiments').map((experiment) => at(experiment, 'name')));
      const next = at(body, 'next_page_token');
      if (next === undefined) break;
      page_token = String(next);
    }
    assert.deepEqual(found.toSorted(), Array.from({ length: 12 }, (_, n) => `page ${n}`).toSorted());
    assert.match(await refusal('POST', '/experiments/search', {}), /must be a positive integer/);
    await refusal('POST', '/experiments/search', { max_results: 50_001 });
    for (const order of ['tags.team', 'tags.name']) {
      await refusal('POST', '/experiments/search', { max_results: 5, order_by: [order] });
    }
  });

  it('refuses artifact locations with a fragment, a query or a way up', async () => {
    for (const artifact_location of [
      's3://b/x#y',
      's3://b/x;y',
      's3://b/x?y',
      's3://b/../x',
      's3://b/%2e%2E/x',
    ]) {
      await refusal('POST', '/experiments/create', { name: 'astray', artifact_location });
    }
    const { body } = await engine.call('POST', '/experiments/create', {
      name: 's3',
      artifact_location: 's3://b/x',
    });
    const run = await create({ experiment_id: textAt(body, 'experiment_id') });
    assert.match(textAt(run, 'run.info.artifact_uri'), /^s3:\/\/b\/x\/[0-9a-f]{32}\/artifacts$/);
  });

  it('links inputs and outputs once', async () => {
    const run_id = textAt(await create(), 'run.info.run_id');
    const dataset = { name: 'd', digest: '1', source_type: 'local', source: '{}', profile: '{"rows": 1}' };
    const link = { dataset, tags: [{ key: 'mlflow.data.context', value: 'training' }] };
    const inputs = { run_id, datasets: [link, link], models: [{ model_id: 'm-1' }] };
    for (const _ of [1, 2]) await engine.call('POST', '/runs/log-inputs', inputs);
    await engine.call('POST', '/runs/outputs', { run_id, models: [{ model_id: 'm-2', step: 3 }] });
    const { body } = await engine.call('GET', '/runs/get', { run_id });
    assert.deepEqual(at(body, 'run.inputs'), {
      dataset_inputs: [{ tags: link.tags, dataset }],
      model_inputs: [{ model_id: 'm-1' }],
    });
    assert.deepEqual(at(body, 'run.outputs'), { model_outputs: [{ model_id: 'm-2', step: 3 }] });
  });

  it('keeps all digits of the steps at which models were put out', async () => {
    const run_id = textAt(await create(), 'run.info.run_id');
    const steps = ['9007199254740993', '-9223372036854775808', '9223372036854775807'];
    const models = steps.map((step, index) => `{"model_id": "m-${index}", "step": ${step}}`).join(', ');
    const answer = await engine.fetch('/api/2.0/mlflow/runs/outputs', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"run_id": "${run_id}", "models": [${models}]}`,
    });
    assert.equal(answer.status, 200);
    const told = await (await engine.fetch(`/api/2.0/mlflow/runs/get?run_id=${run_id}`)).text();
    assert.deepEqual(
      [...told.matchAll(/"step":(-?\d+)/g)].map(([, step]) => step),
      [steps[1], steps[0], steps[2]],
    );
  });

  it('keeps the model history of an MLflow 2 client', async () => {
    const run_id = textAt(await create(), 'run.info.run_id');
    const described = (artifact_path: string) => ({
      artifact_path,
      flavors: {},
      run_id,
      utc_time_created: '2025-01-02 03:04:05.678',
    });
    for (const artifact_path of ['a', 'b']) {
      const model_json = JSON.stringify(described(artifact_path));
      await engine.call('POST', '/runs/log-model', { run_id, model_json });
    }
    const { body } = await engine.call('GET', '/runs/get', { run_id });
    const tag = listAt(body, 'run.data.tags').find(
      (candidate) => at(candidate, 'key') === 'mlflow.log-model.history',
    );
    assert.deepEqual(JSON.parse(textAt(tag, 'value')), [described('a'), described('b')]);
    await refusal('POST', '/runs/log-model', { run_id, model_json: 'no json' });
    await refusal('POST', '/runs/log-model', { run_id, model_json: '{"flavors": {}}' });
    await engine.call('POST', '/runs/set-tag', { run_id, key: 'mlflow.log-model.history', value: 'no json' });
    const model_json = JSON.stringify(described('c'));
    assert.equal((await engine.call('POST', '/runs/log-model', { run_id, model_json })).status, 200);
  });
});
