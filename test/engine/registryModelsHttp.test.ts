import assert from 'node:assert/strict';
import { invalid, missing, models, refused, registryOverHttp, versions } from './registryOverHttp.ts';

describe('registered models over the MLflow dialect', () => {
  const { call, ok, createVersion } = registryOverHttp();

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
    missing(await call('GET', `${models}/get`, { name: 'n' }), 'Registered Model with name=n not found');
  });

  it('answers as MLflow does when a name is taken, missing or wrong', async () => {
    await ok('POST', `${models}/create`, { name: 'm' });
    refused(
      await call('POST', `${models}/create`, { name: 'm' }),
      400,
      'RESOURCE_ALREADY_EXISTS',
      'Registered Model (name=m) already exists.',
    );
    refused(
      await call('POST', `${models}/create`, {
        name: 'm',
        tags: [{ key: 'mlflow.prompt.is_prompt', value: 'true' }],
      }),
      400,
      'RESOURCE_ALREADY_EXISTS',
      /Tried to create a prompt with name 'm'/,
    );
    invalid(await call('POST', `${models}/create`, {}), /Missing value for required parameter 'name'/);
    invalid(
      await call('POST', `${models}/create`, { name: 'a/b' }),
      "Invalid model name 'a/b'. Names cannot contain '/' or ':'.",
    );
    for (const name of ['a:b', '..', '.', 'x'.repeat(257)]) {
      invalid(await call('POST', `${models}/create`, { name }), /./);
    }
    invalid(await call('POST', `${models}/rename`, { name: 'm' }), /'new_name'/);
    await ok('POST', `${models}/create`, { name: 'n' });
    refused(
      await call('POST', `${models}/rename`, { name: 'm', new_name: 'n' }),
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
    const { body } = await call('GET', `${versions}/get`, { name: 'm', version: '1' });
    assert.ok(!JSON.stringify(body).includes('tags'));
    await ok('POST', `${versions}/set-tag`, {
      name: 'm',
      version: '1',
      key: 'long',
      value: 'x'.repeat(100_000),
    });
    invalid(
      await call('POST', `${versions}/set-tag`, {
        name: 'm',
        version: '1',
        key: 'k',
        value: 'x'.repeat(100_001),
      }),
      /'value' exceeds the maximum length of 100000/,
    );
    for (const key of ['a/../b', '/a', 'a//b', 'a\nb', 'x'.repeat(251)]) {
      invalid(await call('POST', `${models}/set-tag`, { name: 'm', key, value: '' }), /key/);
    }
    missing(
      await call('POST', `${versions}/set-tag`, { name: 'm', version: '9', key: 'k', value: '' }),
      /version=9/,
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
      const { body } = await call('GET', `${models}/search`, {
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
      invalid(await call('GET', `${models}/search`, fields), /./);
    }
  });

  it('answers 400 to what would be too much for the database', async () => {
    const clauses = (count: number) => Array.from({ length: count }, () => "name = 'a'").join(' AND ');
    const values = (count: number) => `name IN (${Array.from({ length: count }, () => "'a'").join(',')})`;
    for (const filter of [clauses(200), values(1000)]) {
      assert.equal((await call('GET', `${models}/search`, { filter })).status, 200);
    }
    for (const filter of [clauses(501)]) {
      const { status } = await call('GET', `${models}/search`, { filter });
      assert.equal(status, 400);
    }
  });
});
