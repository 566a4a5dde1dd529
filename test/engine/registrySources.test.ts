import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readModelSource } from '../../src/engine/registry/sources.ts';
import { SlipwayError } from '../../src/protocol/errors.ts';

/** Sources by which MLflow servers were made to read files or ask hosts that they should not. */
const evilSources = [
  '/etc',
  '/etc/passwd',
  'etc/passwd',
  '//etc',
  '../../etc',
  './x',
  'file:///etc/',
  'file:/etc',
  'file:////etc',
  'FILE:/etc',
  'File:///etc',
  ' file:///etc',
  'local:/etc',
  'C:/Windows',
  'C:\\Windows',
  '\\..\\..\\etc',
  '\\\\host\\share',
  'http://169.254.169.254/latest/meta-data',
  'https://host/api/2.0/mlflow-artifacts/artifacts/..',
  'http://host/api/2.0/mlflow-artifacts/artifacts/../../etc',
  'ftp://host/x',
  'sftp://host/x',
  'mlflow-artifacts:/a/../../b',
  'mlflow-artifacts:/..%2f..%2fetc',
  'mlflow-artifacts:/%2e%2e/etc',
  'mlflow-artifacts:/%252e%252e%252fetc',
  'mlflow-artifacts:/a%00b',
  'mlflow-artifacts:/a#/../../etc',
  'mlflow-artifacts:/a;..%2f..%2fetc',
  'mlflow-artifacts:/a?/../etc',
  'mlflow-artifacts://host/../../etc',
  'mlflow-artifacts:/',
  'mlflow-artifacts:a',
  'mlflow-artifacts:/.uploads/x',
  'models:/../../etc',
  'models:/a/../b',
  'models://host/a/1',
  'models:/a/b/c',
  'models:/',
  'models:/m;touch x',
  'runs:/id/../../etc',
  'runs://host/id/model',
  'runs:/id',
  'runs:/id/',
  'runs:/i d/x',
  's3://bucket/../../etc',
  's3://bucket/%2e%2e/x',
  's3://bucket/a?b',
  'javascript:alert(1)',
  'dbapi:x',
  '',
];

describe('source of a model version', () => {
  for (const source of evilSources) {
    it(`refuses ${JSON.stringify(source)}, as model and as prompt`, () => {
      assert.throws(() => readModelSource(source, false), { kind: 'invalidParameter' });
      assert.throws(() => readModelSource(source, true), { kind: 'invalidParameter' });
    });
  }

  it('reads what MLflow clients send', () => {
    assert.deepEqual(readModelSource('models:/m-1f', false), { kind: 'loggedModel', modelId: 'm-1f' });
    assert.deepEqual(readModelSource('models:/my model/3', false), {
      kind: 'version',
      name: 'my model',
      selector: { by: 'number', version: 3 },
    });
    assert.deepEqual(readModelSource('models:/m@champion', false), {
      kind: 'version',
      name: 'm',
      selector: { by: 'alias', alias: 'champion' },
    });
    assert.deepEqual(readModelSource('models:/m/Production', false), {
      kind: 'version',
      name: 'm',
      selector: { by: 'stage', stage: 'Production' },
    });
    assert.deepEqual(readModelSource('models:/m/latest', false), {
      kind: 'version',
      name: 'm',
      selector: { by: 'alias', alias: 'latest' },
    });
    assert.deepEqual(readModelSource('runs:/abc/a/model', false), {
      kind: 'run',
      runId: 'abc',
      path: 'a/model',
    });
    for (const source of [
      'mlflow-artifacts:/1/run/artifacts/model',
      'mlflow-artifacts:///1/run/artifacts/model',
    ]) {
      assert.deepEqual(readModelSource(source, false), { kind: 'artifacts', path: '1/run/artifacts/model' });
    }
    for (const source of [
      's3://bucket/a',
      'gs://b/a',
      'dbfs:/a',
      'wasbs://c@h.blob/x',
      'hdfs:/x',
      'mlflow-artifacts://host:5000/a',
    ]) {
      assert.deepEqual(readModelSource(source, false), { kind: 'remote' });
    }
  });

  it("takes a prompt's placeholder only for a prompt", () => {
    assert.deepEqual(readModelSource('dummy-source', true), { kind: 'prompt' });
    assert.throws(() => readModelSource('dummy-source', false), { kind: 'invalidParameter' });
  });

  it('lets no path through that leaves a folder, however it is written', () => {
    const piece = fc.oneof(
      fc.constantFrom('..', '/', '%2e', '%2f', '%5c', '%25', '%00', '\\', '\0', '#', ';', '?', ':', '@'),
      fc.string({ maxLength: 4 }),
    );
    const scheme = fc.constantFrom(
      'mlflow-artifacts:/',
      'runs:/',
      'models:/',
      's3://',
      'file:/',
      '',
      'http://',
    );
    fc.assert(
      fc.property(scheme, fc.array(piece, { maxLength: 10 }), (start, pieces) => {
        try {
          const source = readModelSource(start + pieces.join(''), false);
          assert.notEqual(start, 'file:/');
          if (source.kind === 'artifacts' || source.kind === 'run') {
            assert.doesNotMatch(source.path, /(^|\/)\.\.(\/|$)|[\\\0#?;]|^\//);
            assert.doesNotMatch(
              decodeURIComponent(source.path.replace(/%(?![0-9a-f]{2})/gi, '%25')),
              /(^|\/)\.\.(\/|$)/,
            );
          }
        } catch (error) {
          assert.ok(error instanceof SlipwayError && error.kind === 'invalidParameter', String(error));
        }
      }),
      { numRuns: 3000, examples: [['mlflow-artifacts:/', [' ', '..', '/', ' ']]] },
    );
  });
});
