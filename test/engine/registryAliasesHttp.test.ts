import assert from 'node:assert/strict';
import { invalid, missing, models, registryOverHttp } from './registryOverHttp.ts';

describe('aliases of model versions over the MLflow dialect', () => {
  const { call, ok, createVersion } = registryOverHttp();

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
      await call('GET', path, { name: 'm', alias: 'champion' }),
      'Registered model alias champion not found.',
    );
    invalid(
      await call('POST', path, { name: 'm', alias: 'Latest', version: '1' }),
      "'latest' alias name (case insensitive) is reserved.",
    );
    invalid(
      await call('POST', path, { name: 'm', alias: 'v1', version: '1' }),
      "Version alias name 'v1' is reserved.",
    );
    invalid(
      await call('POST', path, { name: 'm', alias: 'a b', version: '1' }),
      "Invalid alias name: 'a b'. Names may only contain alphanumerics, underscores (_), and dashes (-).",
    );
    invalid(
      await call('POST', path, { name: 'm', alias: 'x'.repeat(256), version: '1' }),
      "'Registered model alias name' exceeds the maximum length of 255 characters",
    );
    invalid(
      await call('POST', path, { name: 'm', alias: 'a', version: 'one' }),
      /'version' must be an integer/,
    );
    missing(
      await call('POST', path, { name: 'm', alias: 'a', version: '9' }),
      'Model Version (name=m, version=9) not found',
    );
  });
});
