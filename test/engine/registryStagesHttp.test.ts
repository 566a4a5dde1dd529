import assert from 'node:assert/strict';
import { invalid, missing, models, registryOverHttp, versions } from './registryOverHttp.ts';

describe('stages of model versions over the MLflow dialect', () => {
  const { engine, call, ok, createVersion } = registryOverHttp();

  it('moves versions between stages, in any case, and archives only when told to', async () => {
    await ok('POST', `${models}/create`, { name: 'm' });
    for (let i = 0; i < 3; i++) await createVersion('m');
    const move = (version: string, stage: string, archive: boolean) =>
      call('POST', `${versions}/transition-stage`, {
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
      engine()
        .registry.versions('m')
        .map(({ stage }) => stage),
      ['Production', 'Archived', 'Archived'],
    );
    invalid(
      await move('1', 'foo', false),
      'Invalid Model Version stage: foo. Value must be one of None, Staging, Production, Archived.',
    );
    invalid(await move('1', 'Archived', true), /is not an Active stage/);
    missing(await move('9', 'Staging', false), 'Model Version (name=m, version=9) not found');
    assert.deepEqual(
      engine()
        .registry.transitions('m')
        .map(({ version, to, who }) => `${version} ${to} ${who}`),
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
    missing(await call('POST', `${models}/get-latest-versions`, { name: 'x' }), /name=x/);
  });
});
