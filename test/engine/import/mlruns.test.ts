import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ImportEngine, openImportEngine } from '../importEngine.ts';
import { dumpImports, dumpStore } from '../storeDump.ts';
import { experimentMeta, idOf, runFiles, writeFiles } from './fileStore.ts';

describe('Importing an mlruns folder', function () {
  this.timeout(60_000);
  let engine: ImportEngine;
  let mlruns: string;
  beforeEach(() => {
    engine = openImportEngine();
    mlruns = join(engine.folder, 'source', 'mlruns');
    mkdirSync(mlruns, { recursive: true });
  });
  afterEach(() => engine.close());

  const pointsOf = (runId: string, key: string) =>
    engine.tracking
      .metricHistory({ runId, key, maxResults: 1000, pageToken: '' })
      .items.map(({ step, timestamp, value }) => [step, timestamp, value]);

  it('keeps ids, names, times, statuses and stages of every layout that MLflow wrote', async () => {
    const [one, two, three, four] = [idOf('1'), idOf('2'), idOf('3'), idOf('4')];
    writeFiles(mlruns, {
      '5/meta.yaml': experimentMeta(
        '5',
        '1e3',
        'creation_time: 1600000000000\nlast_update_time: 1600000000001\n',
      ),
      '5/tags/team/name': 'blue',
      ...runFiles('5', one, {
        'params/optimizer/name': 'adam',
        'params/text': 'ünï\ncode ',
        'tags/mlflow.note.content': '',
        'tags/mlflow.parentRunId': two,
      }),
      ...runFiles('5', two, {}, { status: '4', lifecycle_stage: 'deleted', deleted_time: '1700000002000' }),
      // MLflow 0.x and 1.x.
      '430286142390581023/meta.yaml': experimentMeta('430286142390581023', 'legacy').replace(
        /lifecycle_stage.*\n/,
        '',
      ),
      [`430286142390581023/${three}/meta.yaml`]: [
        `run_uuid: ${three}`,
        'experiment_id: 430286142390581023',
        'name: old name',
        'source_name: train.py',
        'source_version: abc123',
        'start_time: 1500000000000',
        'end_time: null',
        'user_id: null',
      ].join('\n'),
      [`430286142390581023/${three}/metrics/loss`]: '1500000000001 0.5\n1500000000002 0.25\n',
      [`430286142390581023/${three}/params/`]: '',
      [`430286142390581023/${three}/artifacts/`]: '',
      // A name for an id, and the trash.
      '.trash/my-experiment/meta.yaml': experimentMeta('my-experiment', 'thrown away').replace(
        'active',
        'deleted',
      ),
      ...Object.fromEntries(
        Object.entries(runFiles('my-experiment', four)).map(([k, v]) => [`.trash/${k}`, v]),
      ),
    });

    const report = await engine.importAll(mlruns);

    assert.deepEqual(report.omissions, []);
    assert.deepEqual([report.experiments, report.runs, report.points], [3, 4, 2]);
    const first = engine.tracking.wholeRun(one);
    assert.equal(first.info.experimentId, '5', 'an id that is free is kept');
    assert.deepEqual(
      [first.info.name, first.info.status, first.info.startTime, first.info.endTime, first.info.userId],
      ['a run', 'FINISHED', 1700000000000, 1700000001000, 'somebody'],
    );
    assert.deepEqual(first.parameters, [
      { key: 'optimizer/name', value: 'adam' },
      { key: 'text', value: 'ünï\ncode ' },
    ]);
    assert.equal(first.info.parentRunId, two);
    assert.equal(first.tags.find(({ key }) => key === 'mlflow.note.content')?.value, '');
    const experiment = engine.tracking.experimentByName('1e3');
    assert.deepEqual(
      [experiment.creationTime, experiment.lastUpdateTime, experiment.tags],
      [1600000000000, 1600000000001, [{ key: 'team/name', value: 'blue' }]],
    );
    const second = engine.tracking.run(two);
    assert.deepEqual([second.status, second.lifecycleStage], ['FAILED', 'deleted']);
    assert.equal(engine.tracking.deletedTime(two), 1700000002000);
    const legacy = engine.tracking.wholeRun(three);
    assert.deepEqual(
      [legacy.info.name, legacy.info.status, legacy.info.endTime, legacy.info.userId],
      ['old name', 'RUNNING', null, ''],
    );
    assert.deepEqual(
      ['mlflow.source.name', 'mlflow.source.git.commit'].map(
        (key) => legacy.tags.find((tag) => tag.key === key)?.value,
      ),
      ['train.py', 'abc123'],
    );
    assert.deepEqual(pointsOf(three, 'loss'), [
      [0, 1500000000001, 0.5],
      [0, 1500000000002, 0.25],
    ]);
    assert.equal(engine.tracking.experimentByName('thrown away').lifecycleStage, 'deleted');
    assert.equal(engine.tracking.run(four).lifecycleStage, 'deleted');
  });

  it('reads metric lines of all forms, and lists those that are none', async () => {
    const run = idOf('1');
    writeFiles(mlruns, {
      '1/meta.yaml': experimentMeta('1', 'metrics'),
      ...runFiles('1', run, {
        'metrics/a/b c': '10 1.5 3\n10 1.5 3\n10 nan 4\n10 inf 5\n10 -inf 6\n9 1e-3 -7\n',
        'metrics/data': '1 2.0 3 my data set abc123\n',
        'metrics/huge': `1 2.0 ${2n ** 62n}\n`,
        'metrics/broken': '1 2 3\nnonsense\n1 two 3\n\n1 2 3 4\n1 2 99999999999999999999\n-5 1.0 1\n7 8 9',
        'metrics/%41': '1 2 3\n',
      }),
    });
    const report = await engine.importAll(mlruns);
    assert.deepEqual(pointsOf(run, 'a/b c'), [
      [-7, 9, 0.001],
      [3, 10, 1.5],
      [4, 10, Number.NaN],
      [5, 10, Number.POSITIVE_INFINITY],
      [6, 10, Number.NEGATIVE_INFINITY],
    ]);
    assert.deepEqual(pointsOf(run, 'data'), [[3, 1, 2]]);
    assert.deepEqual(pointsOf(run, 'huge'), [[2n ** 62n, 1, 2]]);
    assert.deepEqual(pointsOf(run, 'broken'), [
      [3, 1, 2],
      [9, 7, 8],
    ]);
    assert.deepEqual(
      report.omissions
        .map(({ subject, reason }) => [subject.replace(run, 'RUN'), reason])
        .sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
      [
        ['run RUN/metrics/%41', 'invalidKey'],
        ['run RUN/metrics/broken', 'invalidValue'],
        ['run RUN/metrics/broken line 2', 'unreadable'],
        ['run RUN/metrics/broken line 3', 'unreadable'],
        ['run RUN/metrics/broken line 5', 'unreadable'],
        ['run RUN/metrics/broken line 6', 'unreadable'],
      ],
    );
  });

  it('changes nothing the second time, not even when everything is read again', async () => {
    writeFiles(mlruns, {
      '1/meta.yaml': experimentMeta('1', 'twice'),
      ...runFiles('1', idOf('1'), {
        'metrics/loss': '1 1 2\n1 1 1\n1 1 1\n',
        'metrics/bad': 'x\n',
        'params/lr': '1',
        'tags/a': 'b',
        'artifacts/f': 'f',
      }),
      'models/wine/meta.yaml': 'name: wine\ncreation_timestamp: 1\nlast_updated_timestamp: 2\n',
      'models/wine/tags/kind': 'red',
      'models/wine/aliases/champion': '1',
      'models/wine/version-1/meta.yaml': `name: wine\nversion: 1\ncurrent_stage: Production\nstatus: READY\ncreation_timestamp: 1\nrun_id: '${idOf('1')}'\nsource: /old/mlruns/1/${idOf('1')}/artifacts/f\n`,
      'models/wine/version-2/meta.yaml': 'name: wine\nversion: 2\ncurrent_stage: Deleted_Internal\n',
    });
    const first = await engine.importAll(mlruns);
    const [store, imports] = [dumpStore(engine.database), dumpImports(engine.database)];
    const second = await engine.importAll(mlruns);
    assert.deepEqual([dumpStore(engine.database), dumpImports(engine.database)], [store, imports]);
    assert.deepEqual([second.runs, second.points, second.artifacts, second.unchangedParts], [0, 0, 0, 2]);
    assert.deepEqual(second.omissions, first.omissions, 'what was not taken is told again');

    engine.database.prepare('DELETE FROM import_parts').run();
    const third = await engine.importAll(mlruns);
    assert.deepEqual([dumpStore(engine.database), dumpImports(engine.database)], [store, imports]);
    assert.deepEqual([third.runs, third.points, third.artifacts, third.modelVersions], [0, 0, 0, 0]);

    const version = engine.registry.modelVersion('wine', 1);
    assert.deepEqual(
      [version.stage, version.source, version.aliases],
      ['Production', `${engine.tracking.run(idOf('1')).artifactUri}/f`, ['champion']],
    );
    const next = engine.registry.createVersion({
      name: 'wine',
      source: `runs:/${idOf('1')}/f`,
      runId: null,
      modelId: null,
      runLink: '',
      description: '',
      tags: [],
    });
    assert.equal(next.version, 3, 'the number of a deleted version stays taken');
  });

  it('takes over what is new in the source, and lists what was changed on both sides', async () => {
    const run = idOf('1');
    const running = { status: '1', end_time: 'null' };
    writeFiles(mlruns, {
      '1/meta.yaml': experimentMeta('1', 'both'),
      ...runFiles(
        '1',
        run,
        { 'tags/a': '1', 'tags/b': '1', 'tags/c': '1', 'tags/d': '1', 'params/p': '1' },
        running,
      ),
    });
    await engine.importAll(mlruns);
    engine.tracking.setTag(run, 'b', 'mine');
    engine.tracking.setTag(run, 'c', 'mine');
    writeFiles(mlruns, {
      ...runFiles('1', run, {
        'tags/a': '2',
        'tags/b': '2',
        'params/p': '2',
        'params/q': '1',
        'metrics/m': '1 1 1\n',
        'artifacts/late': 'x',
      }),
    });
    renameSync(join(mlruns, '1', run, 'tags', 'd'), join(mlruns, '1', run, 'tags', 'e'));
    const report = await engine.importAll(mlruns);
    const { info, tags, parameters } = engine.tracking.wholeRun(run);
    assert.deepEqual([info.status, info.endTime], ['FINISHED', 1700000001000]);
    assert.deepEqual(
      tags.filter(({ key }) => key.length === 1).map(({ key, value }) => `${key}=${value}`),
      ['a=2', 'b=mine', 'c=mine', 'e=1'],
    );
    assert.deepEqual(
      parameters.map(({ key, value }) => `${key}=${value}`),
      ['p=1', 'q=1'],
    );
    assert.deepEqual([report.runs, report.points, report.artifacts], [1, 1, 1]);
    assert.deepEqual(report.omissions, [
      { subject: `run ${run}/params/p`, reason: 'conflict', values: { here: '1', there: '2' } },
      { subject: `run ${run}/tags/b`, reason: 'conflict', values: { here: 'mine', there: '2' } },
    ]);
  });

  it('merges into the experiment of the same name, unless that was deleted here', async () => {
    const [here, gone] = ['here', 'gone'].map((name) => engine.tracking.createExperiment({ name, tags: [] }));
    engine.tracking.deleteExperiment(gone ?? '');
    writeFiles(mlruns, {
      '7/meta.yaml': experimentMeta('7', 'here'),
      ...runFiles('7', idOf('1')),
      '8/meta.yaml': experimentMeta('8', 'gone'),
      ...runFiles('8', idOf('2')),
    });
    const first = await engine.importAll(mlruns);
    assert.equal(engine.tracking.run(idOf('1')).experimentId, here);
    assert.throws(() => engine.tracking.run(idOf('2')), /not found/);
    assert.deepEqual(
      first.omissions.map(({ reason }) => reason),
      ['experimentDeleted', 'missingExperiment'],
    );
    engine.tracking.restoreExperiment(gone ?? '');
    const second = await engine.importAll(mlruns);
    assert.equal(engine.tracking.run(idOf('2')).experimentId, gone);
    assert.deepEqual(second.omissions, []);
  });

  it('brings back what was deleted here for good, when it is asked to import again', async () => {
    writeFiles(mlruns, { '1/meta.yaml': experimentMeta('1', 'x'), ...runFiles('1', idOf('1')) });
    await engine.importAll(mlruns);
    engine.database.prepare('DELETE FROM runs').run();
    const report = await engine.importAll(mlruns);
    assert.equal(report.runs, 1);
    assert.equal(engine.tracking.run(idOf('1')).name, 'a run');
  });

  it('does not take half a line, and takes it when it is whole', async () => {
    const run = idOf('1');
    writeFiles(mlruns, {
      '1/meta.yaml': experimentMeta('1', 'torn'),
      ...runFiles('1', run, { 'metrics/m': '1 1 1\n2 2' }, { status: '1', end_time: 'null' }),
    });
    await engine.importAll(mlruns);
    assert.deepEqual(pointsOf(run, 'm'), [[1, 1, 1]]);
    appendFileSync(join(mlruns, '1', run, 'metrics', 'm'), '2.5 2\n');
    await engine.importAll(mlruns);
    assert.deepEqual(pointsOf(run, 'm'), [
      [1, 1, 1],
      [2, 2, 22.5],
    ]);
  });

  it('says what is wrong with the path', async () => {
    await assert.rejects(engine.importAll(join(mlruns, 'missing')), /there is no such file or folder/);
    writeFileSync(join(mlruns, 'note.txt'), 'no runs');
    await assert.rejects(engine.importAll(mlruns), /found \[\]/);
  });
});
