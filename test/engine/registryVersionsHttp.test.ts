import assert from 'node:assert/strict';
import { invalid, missing, models, registryOverHttp, versions } from './registryOverHttp.ts';

describe('model versions over the MLflow dialect', () => {
  const { engine, call, ok, createVersion } = registryOverHttp();

  it('creates a version from a logged model with the lineage of that model', async () => {
    const runId = engine().createRun();
    const modelId = await engine().createLoggedModel(runId);
    await ok('POST', `${models}/create`, { name: 'm' });
    const source = `models:/${modelId}`;
    assert.partialDeepStrictEqual(await createVersion('m', { source, model_id: modelId }), {
      model_version: {
        name: 'm',
        version: '1',
        current_stage: 'None',
        description: '',
        source,
        run_id: runId,
        status: 'READY',
        run_link: '',
      },
    });
    assert.partialDeepStrictEqual(engine().registry.modelVersion('m', 1), { modelId, userId: 'ana' });
    assert.deepEqual(await ok('GET', `${versions}/get-download-uri`, { name: 'm', version: '1' }), {
      artifact_uri: engine().tracking.loggedModel(modelId).artifactUri,
    });
    assert.partialDeepStrictEqual(await createVersion('m', { source: 'models:/m/1' }), {
      model_version: { version: '2', source: 'models:/m/1', run_id: runId },
    });
    assert.equal(engine().registry.modelVersion('m', 2).modelId, modelId);
    assert.equal(engine().registry.modelFolder('m', 2), engine().registry.modelFolder('m', 1));
  });

  it('takes any place in the store, or in another store, with the run that the request names', async () => {
    const runId = engine().createRun();
    const modelId = await engine().createLoggedModel(runId);
    const otherRun = engine().createRun();
    await ok('POST', `${models}/create`, { name: 'm' });
    const inRun = `${engine().tracking.run(runId).artifactUri}/model`;
    for (const fields of [
      { source: inRun, run_id: runId },
      { source: inRun, run_id: otherRun },
      { source: inRun, model_id: modelId },
      { source: `runs:/${runId}/model`, run_id: otherRun },
      { source: 'runs:/nobody/model' },
      { source: 'mlflow-artifacts:/models///', run_id: runId },
      { source: 'mlflow-artifacts://host:9000/models/..../', run_id: runId },
      { source: 'strange:/models', run_id: runId },
    ]) {
      const { source, run_id = '' } = fields;
      assert.partialDeepStrictEqual(await createVersion('m', fields), { model_version: { source, run_id } });
    }
  });

  it('refuses a source that is not in a store', async () => {
    const runId = engine().createRun();
    const modelId = await engine().createLoggedModel(runId);
    await ok('POST', `${models}/create`, { name: 'm' });
    for (const fields of [
      { source: `models:/${modelId}`, model_id: 'm-other' },
      { source: 'models:/m-nobody' },
      { source: 'mlflow-artifacts://host:9000/models/../../../', run_id: runId },
      { source: '/etc' },
      { source: 'file:///etc', run_id: runId },
      { source: 'http://169.254.169.254/x' },
      { source: '/etc', tags: [{ key: 'mlflow.prompt.is_prompt', value: 'true' }] },
    ]) {
      invalid(await call('POST', `${versions}/create`, { name: 'm', ...fields }), /source/i);
    }
    missing(await call('POST', `${versions}/create`, { name: 'nobody', source: 's3://b/x' }), /name=nobody/);
    missing(await call('POST', `${versions}/create`, { name: 'm', source: 'models:/m/77' }), /version=77/);
    invalid(await call('POST', `${versions}/create`, { name: 'm' }), /'source'/);
  });

  it('searches versions by model, run, source, number and tags', async () => {
    const runId = engine().createRun();
    const modelId = await engine().createLoggedModel(runId);
    for (const name of ['m', 'n']) await ok('POST', `${models}/create`, { name });
    await createVersion('m', { source: `models:/${modelId}`, model_id: modelId });
    await createVersion('m', { source: 's3://b/x', tags: [{ key: 'k', value: 'v' }] });
    await createVersion('n', { source: 's3://b/y' });
    await ok('DELETE', `${versions}/delete`, { name: 'n', version: '1' });
    await createVersion('n', { source: 's3://b/z' });
    const found = async (filter: string, fields: object = { order_by: ['name', 'version_number'] }) => {
      const text = JSON.stringify(await ok('GET', `${versions}/search`, { filter, ...fields }));
      return [...text.matchAll(/"name":"(\w)","version":"(\d)"/g)]
        .map(([, name, version]) => `${name}${version}`)
        .join(' ');
    };
    assert.equal(await found(''), 'm1 m2 n2');
    assert.equal(
      await found("name='m'", { max_results: 10_000 }).then((text) => text.split(' ').sort().join(' ')),
      'm1 m2',
    );
    assert.equal(await found(`run_id = '${runId}'`), 'm1');
    assert.equal(await found(`run_id IN ('${runId}', 'x')`), 'm1');
    assert.equal(await found("source_path LIKE 's3://b/%'"), 'm2 n2');
    assert.equal(await found('version_number > 1'), 'm2 n2');
    assert.equal(await found("version_number = '1'"), 'm1');
    assert.equal(await found("tags.k = 'v'"), 'm2');
    assert.equal(await found("name = 'm' AND version_number < 2"), 'm1');
    for (const filter of [
      'version_number = 1.5',
      "version_number LIKE '1'",
      "source_path IN ('a')",
      "status = 'READY'",
      'tags.k > 1',
    ]) {
      invalid(await call('GET', `${versions}/search`, { filter }), /./);
    }
  });

  it('deletes a version and answers 404 for it from then on', async () => {
    await ok('POST', `${models}/create`, { name: 'm' });
    await createVersion('m');
    await ok('PATCH', `${versions}/update`, { name: 'm', version: '1', description: 'd' });
    assert.partialDeepStrictEqual(await ok('GET', `${versions}/get`, { name: 'm', version: '1' }), {
      model_version: { description: 'd' },
    });
    assert.deepEqual(await ok('DELETE', `${versions}/delete`, { name: 'm', version: '1' }), {});
    for (const path of ['get', 'get-download-uri']) {
      missing(
        await call('GET', `${versions}/${path}`, { name: 'm', version: '1' }),
        'Model Version (name=m, version=1) not found',
      );
    }
    assert.partialDeepStrictEqual(await createVersion('m'), { model_version: { version: '2' } });
  });
});
