import assert from 'node:assert/strict';
import { type Answer, openRegistryEngine, type RegistryEngine } from './registryEngine.ts';

describe('registry over the MLflow dialect', () => {
  let engine: RegistryEngine;
  beforeEach(async () => {
    engine = await openRegistryEngine();
  });
  afterEach(() => engine.close());

  const models = '/registered-models';
  const versions = '/model-versions';
  const ok = async (method: string, path: string, fields?: object): Promise<unknown> => {
    const { status, body } = await engine.call(method, path, fields);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };
  const refused = ({ status, body }: Answer, expected: number, code: string, message: RegExp | string) => {
    assert.equal(status, expected, JSON.stringify(body));
    assert.partialDeepStrictEqual(body, { error_code: code });
    const said = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : '';
    if (typeof message === 'string') assert.equal(said, message);
    else assert.match(said, message);
  };
  const invalid = (answer: Answer, message: RegExp | string) =>
    refused(answer, 400, 'INVALID_PARAMETER_VALUE', message);
  const missing = (answer: Answer, message: RegExp | string) =>
    refused(answer, 404, 'RESOURCE_DOES_NOT_EXIST', message);
  const createVersion = (name: string, fields: object = { source: 's3://b/x' }) =>
    ok('POST', `${versions}/create`, { name, ...fields });

  it('creates, gets, updates, renames and deletes a registered model', async () => {
    const created = await ok('POST', `${models}/create`, {
      name: 'm',
      description: 'd',
      tags: [{ key: 'k', value: 'v' }],
    });
    assert.partialDeepStrictEqual(created, {
      registered_model: { name: 'm', description: 'd', tags: [{ key: 'k', value: 'v' }] },
    });
    await ok('PATCH', `${models}/update`, { name: 'm', description: 'other' });
    assert.partialDeepStrictEqual(await ok('GET', `${models}/get`, { name: 'm' }), {
      registered_model: { description: 'other' },
    });
    assert.partialDeepStrictEqual(await ok('POST', `${models}/rename`, { name: 'm', new_name: 'n' }), {
      registered_model: { name: 'n' },
    });
    assert.deepEqual(await ok('DELETE', `${models}/delete`, { name: 'n' }), {});
    missing(
      await engine.call('GET', `${models}/get`, { name: 'n' }),
      'Registered Model with name=n not found',
    );
  });

  it('answers as MLflow does when a name is taken, missing or wrong', async () => {
    await ok('POST', `${models}/create`, { name: 'm' });
    refused(
      await engine.call('POST', `${models}/create`, { name: 'm' }),
      400,
      'RESOURCE_ALREADY_EXISTS',
      'Registered Model (name=m) already exists.',
    );
    refused(
      await engine.call('POST', `${models}/create`, {
        name: 'm',
        tags: [{ key: 'mlflow.prompt.is_prompt', value: 'true' }],
      }),
      400,
      'RESOURCE_ALREADY_EXISTS',
      /Tried to create a prompt with name 'm'/,
    );
    invalid(await engine.call('POST', `${models}/create`, {}), /Missing value for required parameter 'name'/);
    invalid(
      await engine.call('POST', `${models}/create`, { name: 'a/b' }),
      "Invalid model name 'a/b'. Names cannot contain '/' or ':'.",
    );
    for (const name of ['a:b', '..', '.', 'x'.repeat(257)]) {
      invalid(await engine.call('POST', `${models}/create`, { name }), /./);
    }
    invalid(await engine.call('POST', `${models}/rename`, { name: 'm' }), /'new_name'/);
    await ok('POST', `${models}/create`, { name: 'n' });
    refused(
      await engine.call('POST', `${models}/rename`, { name: 'm', new_name: 'n' }),
      400,
      'RESOURCE_ALREADY_EXISTS',
      /already exists/,
    );
  });

  it('keeps names apart that only look alike once decoded', async () => {
    await ok('POST', `${models}/create`, { name: 'a b' });
    await ok('POST', `${models}/create`, { name: 'a%20b', description: 'encoded' });
    assert.partialDeepStrictEqual(await ok('GET', `${models}/get`, { name: 'a%20b' }), {
      registered_model: { name: 'a%20b', description: 'encoded' },
    });
    await ok('DELETE', `${models}/delete`, { name: 'a%20b' });
    await ok('GET', `${models}/get`, { name: 'a b' });
  });

  it('sets and deletes tags of models and versions', async () => {
    await ok('POST', `${models}/create`, { name: 'm' });
    await createVersion('m');
    await ok('POST', `${models}/set-tag`, { name: 'm', key: 'k', value: '1' });
    await ok('POST', `${models}/set-tag`, { name: 'm', key: 'k', value: '2' });
    await ok('POST', `${versions}/set-tag`, { name: 'm', version: '1', key: 'k', value: 'é' });
    assert.partialDeepStrictEqual(await ok('GET', `${models}/get`, { name: 'm' }), {
      registered_model: {
        tags: [{ key: 'k', value: '2' }],
        latest_versions: [{ tags: [{ key: 'k', value: 'é' }] }],
      },
    });
    await ok('DELETE', `${models}/delete-tag`, { name: 'm', key: 'k' });
    await ok('DELETE', `${models}/delete-tag`, { name: 'm', key: 'k' });
    await ok('DELETE', `${versions}/delete-tag`, { name: 'm', version: 1, key: 'k' });
    const { body } = await engine.call('GET', `${versions}/get`, { name: 'm', version: '1' });
    assert.ok(!JSON.stringify(body).includes('tags'));
    await ok('POST', `${versions}/set-tag`, {
      name: 'm',
      version: '1',
      key: 'long',
      value: 'x'.repeat(100_000),
    });
    invalid(
      await engine.call('POST', `${versions}/set-tag`, {
        name: 'm',
        version: '1',
        key: 'k',
        value: 'x'.repeat(100_001),
      }),
      /'value' exceeds the maximum length of 100000/,
    );
    for (const key of ['a/../b', '/a', 'a//b', 'a\nb', 'x'.repeat(251)]) {
      invalid(await engine.call('POST', `${models}/set-tag`, { name: 'm', key, value: '' }), /key/);
    }
    missing(
      await engine.call('POST', `${versions}/set-tag`, { name: 'm', version: '9', key: 'k', value: '' }),
      /version=9/,
    );
  });

  it('creates a version from a logged model with the lineage of that model', async () => {
    const runId = engine.createRun();
    const modelId = await engine.createLoggedModel(runId);
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
        model_id: modelId,
        user_id: 'ana',
        status: 'READY',
        run_link: '',
      },
    });
    assert.deepEqual(await ok('GET', `${versions}/get-download-uri`, { name: 'm', version: '1' }), {
      artifact_uri: engine.tracking.loggedModel(modelId).artifactUri,
    });
    assert.partialDeepStrictEqual(await createVersion('m', { source: 'models:/m/1' }), {
      model_version: { version: '2', source: 'models:/m/1', run_id: runId, model_id: modelId },
    });
    assert.equal(engine.registry.modelFolder('m', 2), engine.registry.modelFolder('m', 1));
  });

  it('refuses a source outside of what the request names', async () => {
    const runId = engine.createRun();
    const modelId = await engine.createLoggedModel(runId);
    const otherRun = engine.createRun();
    await ok('POST', `${models}/create`, { name: 'm' });
    const inRun = `${engine.tracking.run(runId).artifactUri}/model`;
    assert.partialDeepStrictEqual(await createVersion('m', { source: inRun, run_id: runId }), {
      model_version: { source: inRun, run_id: runId },
    });
    for (const fields of [
      { source: inRun, run_id: otherRun },
      { source: inRun, run_id: '0'.repeat(32) },
      { source: `${engine.tracking.run(runId).artifactUri}x`, run_id: runId },
      { source: inRun, model_id: modelId },
      { source: `models:/${modelId}`, model_id: 'm-other' },
      { source: 'models:/m-nobody' },
      { source: `runs:/${runId}/model`, run_id: otherRun },
      { source: '/etc' },
      { source: 'file:///etc', run_id: runId },
      { source: 'http://169.254.169.254/x' },
      { source: '/etc', tags: [{ key: 'mlflow.prompt.is_prompt', value: 'true' }] },
    ]) {
      invalid(await engine.call('POST', `${versions}/create`, { name: 'm', ...fields }), /source/i);
    }
    missing(
      await engine.call('POST', `${versions}/create`, { name: 'nobody', source: 's3://b/x' }),
      /name=nobody/,
    );
    missing(
      await engine.call('POST', `${versions}/create`, { name: 'm', source: 'models:/m/77' }),
      /version=77/,
    );
    invalid(await engine.call('POST', `${versions}/create`, { name: 'm' }), /'source'/);
  });

  it('moves versions between stages, in any case, and archives only when told to', async () => {
    await ok('POST', `${models}/create`, { name: 'm' });
    for (let i = 0; i < 3; i++) await createVersion('m');
    const move = (version: string, stage: string, archive: boolean) =>
      engine.call('POST', `${versions}/transition-stage`, {
        name: 'm',
        version,
        stage,
        archive_existing_versions: archive,
      });
    assert.partialDeepStrictEqual((await move('1', 'production', false)).body, {
      model_version: { current_stage: 'Production' },
    });
    await move('2', 'Production', false);
    assert.equal((await move('3', 'PRODUCTION', true)).status, 200);
    assert.deepEqual(
      engine.registry.versions('m').map(({ stage }) => stage),
      ['Production', 'Archived', 'Archived'],
    );
    invalid(
      await move('1', 'foo', false),
      'Invalid Model Version stage: foo. Value must be one of None, Staging, Production, Archived.',
    );
    invalid(await move('1', 'Archived', true), /is not an Active stage/);
    missing(await move('9', 'Staging', false), 'Model Version (name=m, version=9) not found');
    assert.deepEqual(
      engine.registry.transitions('m').map(({ version, to, who }) => `${version} ${to} ${who}`),
      [
        '3 Production MLflow client',
        '2 Archived MLflow client',
        '1 Archived MLflow client',
        '2 Production MLflow client',
        '1 Production MLflow client',
      ],
    );
  });

  it('gives the latest version of each stage, by POST and by GET', async () => {
    await ok('POST', `${models}/create`, { name: 'm' });
    for (let i = 0; i < 4; i++) await createVersion('m');
    for (const version of ['1', '2']) {
      await ok('POST', `${versions}/transition-stage`, {
        name: 'm',
        version,
        stage: 'Staging',
        archive_existing_versions: false,
      });
    }
    const latest = {
      model_versions: [
        { version: '2', current_stage: 'Staging' },
        { version: '4', current_stage: 'None' },
      ],
    };
    assert.partialDeepStrictEqual(await ok('POST', `${models}/get-latest-versions`, { name: 'm' }), latest);
    assert.partialDeepStrictEqual(
      await ok('GET', `${models}/get-latest-versions`, { name: 'm', stages: ['staging', 'None'] }),
      latest,
    );
    assert.deepEqual(
      await ok('POST', `${models}/get-latest-versions`, { name: 'm', stages: ['Production'] }),
      {},
    );
    missing(await engine.call('POST', `${models}/get-latest-versions`, { name: 'x' }), /name=x/);
  });

  it('sets, follows, moves and deletes aliases', async () => {
    const path = `${models}/alias`;
    await ok('POST', `${models}/create`, { name: 'm' });
    await createVersion('m');
    await createVersion('m');
    await ok('POST', path, { name: 'm', alias: 'Champion', version: '1' });
    assert.partialDeepStrictEqual(await ok('GET', path, { name: 'm', alias: 'champion' }), {
      model_version: { version: '1', aliases: ['Champion'] },
    });
    await ok('POST', path, { name: 'm', alias: 'champion', version: '2' });
    assert.partialDeepStrictEqual(await ok('GET', `${models}/get`, { name: 'm' }), {
      registered_model: { aliases: [{ alias: 'champion', version: '2' }] },
    });
    assert.partialDeepStrictEqual(await ok('GET', path, { name: 'm', alias: 'latest' }), {
      model_version: { version: '2' },
    });
    await ok('DELETE', path, { name: 'm', alias: 'champion' });
    invalid(
      await engine.call('GET', path, { name: 'm', alias: 'champion' }),
      'Registered model alias champion not found.',
    );
    invalid(
      await engine.call('POST', path, { name: 'm', alias: 'Latest', version: '1' }),
      "'latest' alias name (case insensitive) is reserved.",
    );
    invalid(
      await engine.call('POST', path, { name: 'm', alias: 'v1', version: '1' }),
      "Version alias name 'v1' is reserved.",
    );
    invalid(
      await engine.call('POST', path, { name: 'm', alias: 'a b', version: '1' }),
      "Invalid alias name: 'a b'. Names may only contain alphanumerics, underscores (_), and dashes (-).",
    );
    invalid(
      await engine.call('POST', path, { name: 'm', alias: 'x'.repeat(256), version: '1' }),
      "'Registered model alias name' exceeds the maximum length of 255 characters",
    );
    invalid(
      await engine.call('POST', path, { name: 'm', alias: 'a', version: 'one' }),
      /'version' must be an integer/,
    );
    missing(
      await engine.call('POST', path, { name: 'm', alias: 'a', version: '9' }),
      'Model Version (name=m, version=9) not found',
    );
  });

  it('searches models by name and tags, in order and page by page', async () => {
    for (const name of ['alpha', 'Beta', 'beta_2', 'gamma']) {
      await ok('POST', `${models}/create`, {
        name,
        tags: [{ key: 'team name', value: name.length > 5 ? 'long' : 'short' }],
      });
    }
    await ok('POST', `${models}/create`, {
      name: 'prompt',
      tags: [{ key: 'mlflow.prompt.is_prompt', value: 'true' }],
    });
    const names = async (fields: object) => {
      const body = await ok('GET', `${models}/search`, fields);
      return [...JSON.stringify(body).matchAll(/"name":"(\w+)"/g)].map(([, name]) => name);
    };
    assert.deepEqual(await names({}), ['Beta', 'alpha', 'beta_2', 'gamma']);
    assert.deepEqual(await names({ filter: "name LIKE 'b%'" }), ['beta_2']);
    assert.deepEqual(await names({ filter: "name ILIKE 'B%'" }), ['Beta', 'beta_2']);
    assert.deepEqual(await names({ filter: "name = 'alpha'" }), ['alpha']);
    assert.deepEqual(await names({ filter: "name IN ('alpha', 'gamma')", order_by: ['name DESC'] }), [
      'gamma',
      'alpha',
    ]);
    assert.deepEqual(await names({ filter: "tags.`team name` = 'long'" }), ['beta_2']);
    assert.deepEqual(await names({ filter: "tag.`team name` != 'long' AND name != 'gamma'" }), [
      'Beta',
      'alpha',
    ]);
    assert.deepEqual(await names({ filter: "tag.`mlflow.prompt.is_prompt` != 'true'", max_results: 100 }), [
      'Beta',
      'alpha',
      'beta_2',
      'gamma',
    ]);
    assert.deepEqual(await names({ filter: "tags.`mlflow.prompt.is_prompt` = 'true'" }), ['prompt']);
    assert.deepEqual(
      await names({ order_by: ['last_updated_timestamp ASC', 'name DESC'], max_results: 1 }).then(
        (n) => n.length,
      ),
      1,
    );
    const seen: unknown[] = [];
    let token: string | undefined;
    do {
      const { body } = await engine.call('GET', `${models}/search`, {
        max_results: 1,
        ...(token && { page_token: token }),
      });
      const text = JSON.stringify(body);
      seen.push(/"name":"(\w+)"/.exec(text)?.[1]);
      token = /"next_page_token":"([^"]+)"/.exec(text)?.[1];
    } while (token !== undefined);
    assert.deepEqual(seen, ['Beta', 'alpha', 'beta_2', 'gamma']);
    for (const fields of [
      { max_results: 1001 },
      { max_results: 0 },
      { filter: "run_id = 'x'" },
      { filter: 'name = 1' },
      { filter: "name > 'a'" },
      { filter: "constructor = 'a'" },
      { order_by: ['foo'] },
      { order_by: ['name; DROP TABLE runs'] },
      { order_by: ['name', 'name DESC'] },
      { page_token: '!' },
    ]) {
      invalid(await engine.call('GET', `${models}/search`, fields), /./);
    }
  });

  it('searches versions by model, run, source, number and tags', async () => {
    const runId = engine.createRun();
    const modelId = await engine.createLoggedModel(runId);
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
      invalid(await engine.call('GET', `${versions}/search`, { filter }), /./);
    }
  });

  it('answers 400 to what would be too much for the database', async () => {
    const many = Array.from({ length: 1100 }, () => "'a'").join(',');
    for (const filter of [
      `name IN (${many})`,
      Array.from({ length: 120 }, () => "name = 'a'").join(' AND '),
    ]) {
      const { status } = await engine.call('GET', `${models}/search`, { filter });
      assert.equal(status, 400);
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
        await engine.call('GET', `${versions}/${path}`, { name: 'm', version: '1' }),
        'Model Version (name=m, version=1) not found',
      );
    }
    assert.partialDeepStrictEqual(await createVersion('m'), { model_version: { version: '2' } });
  });
});
