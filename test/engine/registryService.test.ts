import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openRegistryEngine, type RegistryEngine } from './registryEngine.ts';

describe('model registry', () => {
  let engine: RegistryEngine;
  let runId: string;
  let modelId: string;

  beforeEach(async () => {
    engine = await openRegistryEngine();
    runId = engine.createRun();
    modelId = await engine.createLoggedModel(runId);
  });
  afterEach(() => engine.close());

  const register = (name = 'churn') => engine.registry.register({ name, runId, modelId });
  const promote = (version: number, stage: 'None' | 'Staging' | 'Production' | 'Archived', why = '') =>
    engine.registry.promote({ name: 'churn', version, stage, who: 'ana', why });
  const stagesOf = () => engine.registry.versions('churn').map(({ version, stage }) => `${version} ${stage}`);

  it("registers a run's logged model, and makes the registered model when it is not there", () => {
    engine.tracking.setTag(runId, 'mlflow.runName', 'bold-run-1');
    const version = register();
    assert.deepEqual(
      { ...version, createdAt: 0 },
      {
        name: 'churn',
        version: 1,
        stage: 'None',
        aliases: [],
        runId,
        runName: 'bold-run-1',
        mainMetric: null,
        flavors: ['onnx', 'python_function'],
        createdAt: 0,
      },
    );
    assert.equal(register().version, 2);
    assert.deepEqual(
      engine.registry.versions('churn').map((v) => v.version),
      [2, 1],
    );
    assert.deepEqual(engine.changedModels(), ['churn']);
    const [summary] = engine.registry.models();
    assert.partialDeepStrictEqual(summary, {
      name: 'churn',
      versionCount: 2,
      latestVersion: 2,
      productionVersion: null,
    });
  });

  it('notes the versions on the logged model, as MLflow does', () => {
    register();
    register('other');
    const { tags } = engine.tracking.loggedModelData(modelId);
    assert.deepEqual(JSON.parse(tags.find(({ key }) => key === 'mlflow.modelVersions')?.value ?? ''), [
      { name: 'churn', version: 1 },
      { name: 'other', version: 1 },
    ]);
  });

  it('finds the folder with the MLmodel file', () => {
    register();
    const folder = engine.registry.modelFolder('churn', 1);
    assert.ok(existsSync(join(folder, 'MLmodel')));
    assert.throws(() => engine.registry.modelFolder('churn', 2), { kind: 'notFound' });
    assert.throws(() => engine.registry.modelFolder('nobody', 1), { kind: 'notFound' });
  });

  it('refuses to register what is not there, or of another run, and leaves nothing behind', () => {
    const otherRun = engine.createRun();
    const request = { name: 'churn', runId, modelId };
    assert.throws(() => engine.registry.register({ ...request, runId: otherRun }), { kind: 'runHasNoModel' });
    assert.throws(() => engine.registry.register({ ...request, modelId: 'm-nobody' }), { kind: 'notFound' });
    assert.throws(() => engine.registry.register({ ...request, name: 'a/b' }), { kind: 'invalidParameter' });
    assert.deepEqual(engine.registry.models(), []);
  });

  it('refuses a model that another run logged', async () => {
    const otherRun = engine.createRun();
    await engine.createLoggedModel(otherRun);
    assert.throws(() => engine.registry.register({ name: 'churn', runId: otherRun, modelId }), {
      kind: 'invalidParameter',
    });
  });

  it('archives who held Production or Staging, says whom, and keeps every transition', () => {
    register();
    register();
    register();
    assert.deepEqual(promote(1, 'Production', 'best so far').archived, []);
    const { promoted, archived } = promote(2, 'Production', 'better');
    assert.equal(promoted.stage, 'Production');
    assert.deepEqual(archived, [1]);
    promote(3, 'Staging');
    promote(3, 'Archived');
    promote(1, 'None');
    assert.deepEqual(stagesOf(), ['3 Archived', '2 Production', '1 None']);
    assert.deepEqual(
      engine.registry.transitions('churn').map((t) => [t.name, t.version, t.from, t.to, t.who, t.why]),
      [
        ['churn', 1, 'Archived', 'None', 'ana', ''],
        ['churn', 3, 'Staging', 'Archived', 'ana', ''],
        ['churn', 3, 'None', 'Staging', 'ana', ''],
        ['churn', 2, 'None', 'Production', 'ana', 'better'],
        ['churn', 1, 'Production', 'Archived', 'ana', 'better'],
        ['churn', 1, 'None', 'Production', 'ana', 'best so far'],
      ],
    );
    assert.equal(engine.registry.models()[0]?.productionVersion, 2);
  });

  it('changes nothing when a promotion fails', () => {
    register();
    promote(1, 'Production');
    engine.changedModels();
    assert.throws(() => promote(7, 'Production'), { kind: 'notFound' });
    assert.deepEqual(stagesOf(), ['1 Production']);
    assert.equal(engine.registry.transitions('churn').length, 1);
    assert.deepEqual(engine.changedModels(), []);
  });

  it('notes no transition where the stage stays', () => {
    register();
    promote(1, 'Production');
    assert.deepEqual(promote(1, 'Production').archived, []);
    assert.equal(engine.registry.transitions('churn').length, 1);
  });

  it('never uses the number of a deleted version again, and forgets all else of it', () => {
    register();
    register();
    promote(2, 'Production');
    engine.registry.setAlias('churn', 'champion', 2);
    engine.registry.setVersionTag('churn', 2, { key: 'k', value: 'v' });
    engine.registry.deleteVersion('churn', 2);
    assert.throws(() => engine.registry.version('churn', 2), { kind: 'notFound' });
    assert.throws(() => engine.registry.versionByAlias('churn', 'champion'), { kind: 'invalidParameter' });
    assert.equal(register().version, 3);
    assert.deepEqual(stagesOf(), ['3 None', '1 None']);
    const [row] = engine.database
      .prepare<[], unknown>('SELECT source, run_uuid FROM model_versions WHERE version = 2')
      .all();
    assert.deepEqual(row, { source: '', run_uuid: null });
    const [removal] = engine.registry.transitions('churn');
    assert.partialDeepStrictEqual(removal, { version: 2, from: 'Production', to: 'Archived' });
  });

  it('renames a model with its versions, aliases and transitions', () => {
    register();
    promote(1, 'Production');
    engine.registry.setAlias('churn', 'champion', 1);
    engine.changedModels();
    engine.registry.renameModel('churn', 'leavers');
    assert.deepEqual(engine.changedModels(), ['churn', 'leavers']);
    assert.throws(() => engine.registry.model('churn'), { kind: 'notFound' });
    assert.equal(engine.registry.versionByAlias('leavers', 'champion').version, 1);
    assert.equal(engine.registry.transitions('leavers').length, 1);
  });

  it('deletes a model with all of its versions, and keeps the transitions', () => {
    register();
    promote(1, 'Staging');
    engine.registry.deleteModel('churn');
    assert.deepEqual(engine.registry.models(), []);
    assert.throws(() => engine.registry.versions('churn'), { kind: 'notFound' });
    assert.deepEqual(
      engine.registry.transitions('churn').map(({ to }) => to),
      ['Archived', 'Staging'],
    );
  });

  it('leaves prompts out of the models', () => {
    engine.registry.createModel('greeting', '', [{ key: 'mlflow.prompt.is_prompt', value: 'true' }]);
    register();
    assert.deepEqual(
      engine.registry.models().map(({ name }) => name),
      ['churn'],
    );
    assert.throws(() => register('greeting'), { kind: 'alreadyExists' });
  });

  it('lists a version whose files or run are gone or lie elsewhere', () => {
    engine.registry.createModel('far', '', []);
    const base = { name: 'far', runId: null, modelId: null, runLink: '', description: '', tags: [] };
    engine.registry.createVersion({ ...base, source: 's3://bucket/model' });
    engine.registry.createVersion({ ...base, source: 'runs:/nobody/model' });
    engine.registry.createVersion({ ...base, source: 's3://bucket/x', runId: 'not a run id!' });
    for (const version of engine.registry.versions('far')) {
      assert.deepEqual(version.flavors, []);
      assert.equal(version.runName, null);
    }
    assert.throws(() => engine.registry.modelFolder('far', 1), { kind: 'invalidParameter' });
    assert.throws(() => engine.registry.modelFolder('far', 2), { kind: 'notFound' });
  });

  it('reads the MLmodel of a runs:/ source from the run, or from the logged model of that name', async () => {
    engine.registry.createModel('named', '', []);
    const base = { name: 'named', runId: null, modelId: null, runLink: '', description: '', tags: [] };
    engine.registry.createVersion({ ...base, source: `runs:/${runId}/model` });
    const version = engine.registry.version('named', 1);
    assert.equal(version.runId, runId);
    assert.deepEqual(version.flavors, ['onnx', 'python_function']);
    assert.ok(engine.registry.modelFolder('named', 1).endsWith(join('models', modelId, 'artifacts')));
  });
});
