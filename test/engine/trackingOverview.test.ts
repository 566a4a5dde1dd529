import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { SlipwayError } from '../../src/protocol/errors.ts';
import { errorOfKind } from '../errorOfKind.ts';
import { openTrackingEngine, type TrackingEngine } from './trackingEngine.ts';

const isNotFound = errorOfKind('notFound');

describe('What the editor asks about experiments and runs', () => {
  let engine: TrackingEngine;
  let experimentId: string;
  let clock = 1_000_000;
  beforeEach(async () => {
    engine = await openTrackingEngine();
    experimentId = engine.tracking.createExperiment({ name: 'bikes', tags: [] });
    engine.changed();
  });
  afterEach(() => engine.close());

  const start = (name: string, options: { parent?: string; experiment?: string } = {}) => {
    clock += 1;
    const tags = options.parent === undefined ? [] : [{ key: 'mlflow.parentRunId', value: options.parent }];
    const experiment = options.experiment ?? experimentId;
    return engine.tracking.createRun({
      experimentId: experiment,
      name,
      userId: 'ana',
      startTime: clock,
      tags,
    }).info.runId;
  };
  const log = (runId: string, key: string, value: number, step = 0) =>
    engine.tracking.logMetric(runId, { key, value, timestamp: 1, step });
  const names = (parentRunId: string | null = null) =>
    engine.tracking.runs({ experimentId, parentRunId, cursor: null, limit: 100 }).runs.map((run) => run.name);

  it('lists experiments by activity, and "Default" only when it has runs', () => {
    const quiet = engine.tracking.createExperiment({ name: 'quiet', tags: [] });
    const deleted = engine.tracking.createExperiment({ name: 'deleted', tags: [] });
    engine.tracking.deleteExperiment(deleted);
    clock = Date.now() + 1_000_000;
    start('a');
    engine.tracking.updateRun(start('b'), { status: 'FINISHED', endTime: clock });
    assert.deepEqual(
      engine.tracking.experiments().map((e) => [e.name, e.runCount, e.runningCount]),
      [
        ['bikes', 2, 1],
        ['quiet', 0, 0],
      ],
    );
    assert.equal(engine.tracking.experiments()[0]?.lastActivity, clock);
    start('c', { experiment: '0' });
    assert.deepEqual(
      engine.tracking.experiments().map((e) => e.name),
      ['Default', 'bikes', 'quiet'],
    );
    engine.tracking.deleteExperiment(quiet);
    assert.equal(engine.tracking.experiments().length, 2);
  });

  it('lists runs newest first, in pages, with children below their parent', () => {
    const parent = start('parent');
    const child = start('child', { parent });
    start('grandchild', { parent: child });
    for (let n = 0; n < 5; n += 1) start(`run ${n}`);
    assert.deepEqual(names(), ['run 4', 'run 3', 'run 2', 'run 1', 'run 0', 'parent']);
    assert.deepEqual(names(parent), ['child']);
    assert.deepEqual(names(child), ['grandchild']);

    const pages: (readonly string[])[] = [];
    let cursor: string | null = null;
    do {
      const page = engine.tracking.runs({ experimentId, parentRunId: null, cursor, limit: 4 });
      pages.push(page.runs.map((run) => run.name));
      cursor = page.nextCursor;
    } while (cursor !== null);
    assert.deepEqual(pages, [
      ['run 4', 'run 3', 'run 2', 'run 1'],
      ['run 0', 'parent'],
    ]);
    assert.throws(() => engine.tracking.runs({ experimentId, parentRunId: null, cursor: 'x', limit: 1 }));
  });

  it('shows a run at the top when its parent is deleted, elsewhere, or itself', () => {
    const parent = start('parent');
    start('orphan', { parent });
    start('stranger', { parent: start('other', { experiment: '0' }) });
    const itself = start('itself');
    engine.tracking.setTag(itself, 'mlflow.parentRunId', itself);
    engine.tracking.deleteRun(parent);
    assert.deepEqual(names(), ['itself', 'stranger', 'orphan']);
    assert.deepEqual(names(itself), []);
    engine.tracking.deleteTag(itself, 'mlflow.parentRunId');
    assert.deepEqual(names(), ['itself', 'stranger', 'orphan']);
  });

  it('guesses anew when a metric is logged for the first time, or a run comes or goes', () => {
    const mainMetric = () => engine.tracking.experiments()[0]?.mainMetric?.key;
    const first = start('first');
    assert.equal(mainMetric(), undefined);
    log(first, 'loss', 1);
    assert.equal(mainMetric(), 'loss');
    log(first, 'loss', 2, 1);
    log(first, 'val_f1', 0.5);
    assert.equal(mainMetric(), 'val_f1');
    engine.tracking.deleteRun(first);
    assert.equal(mainMetric(), undefined);
    log(start('second'), 'rmse', 1);
    assert.equal(mainMetric(), 'rmse');
  });

  it('guesses the main metric, and keeps the one that was chosen', () => {
    const runId = start('a');
    log(runId, 'val_rmse', 0.5);
    log(runId, 'train_rmse', 0.1);
    log(runId, 'system/cpu', 99);
    const other = start('b');
    const mainMetrics = () => [
      engine.tracking.experiments()[0]?.mainMetric,
      engine.tracking.runSummary(runId).mainMetric,
      engine.tracking.runSummary(other).mainMetric,
    ];
    assert.deepEqual(mainMetrics(), [
      { key: 'val_rmse', higherIsBetter: false },
      { key: 'val_rmse', value: 0.5 },
      null,
    ]);
    engine.changed();
    engine.tracking.setMainMetric({ experimentId, key: 'train_rmse', higherIsBetter: true });
    assert.deepEqual(engine.changed(), [experimentId]);
    assert.deepEqual(mainMetrics(), [
      { key: 'train_rmse', higherIsBetter: true },
      { key: 'train_rmse', value: 0.1 },
      null,
    ]);
    assert.throws(
      () => engine.tracking.setMainMetric({ experimentId: '99', key: 'a', higherIsBetter: true }),
      isNotFound,
    );
  });

  it('shows all of a run', async () => {
    const { tracking, artifacts } = engine;
    const runId = start('full');
    log(runId, 'loss', Number.NaN, 1);
    log(runId, 'loss', 3, 0);
    tracking.logParameter(runId, 'depth', '3');
    for (const [key, value] of [
      ['mlflow.source.name', 'train.py'],
      ['mlflow.source.git.commit', 'abc'],
      ['mlflow.user', 'ana'],
      ['mlflow.note.content', 'a note'],
      ['colour', 'red'],
    ] as const) {
      tracking.setTag(runId, key, value);
    }
    const dataset = {
      name: 'd',
      digest: '1',
      sourceType: 'local',
      source: '{}',
      schema: null,
      profile: null,
    };
    tracking.logInputs(runId, [{ dataset, tags: [{ key: 'mlflow.data.context', value: 'training' }] }], []);
    const { model } = tracking.createLoggedModel({
      experimentId,
      name: 'tree',
      modelType: '',
      sourceRunId: runId,
      tags: [],
      parameters: [],
    });
    const versions =
      '[{"name": "Bikes", "version": 1}, {"name": "Bikes", "version": "1"}, {"name": 3}, null]';
    tracking.setLoggedModelTag(model.modelId, 'mlflow.modelVersions', versions);

    const detail = tracking.runDetail(runId);
    assert.deepEqual(detail.models, [
      { modelId: model.modelId, name: 'tree', flavors: [], registeredAs: [{ name: 'Bikes', version: 1 }] },
    ]);
    const mlmodel = 'flavors:\n  onnx:\n    data: model.onnx\n';
    await artifacts.write(artifacts.pathOf(model.artifactUri, 'MLmodel'), Readable.from([mlmodel]));
    assert.deepEqual(tracking.runDetail(runId).models[0]?.flavors, ['onnx']);

    assert.equal(detail.run.modelCount, 1);
    assert.equal(detail.experimentName, 'bikes');
    assert.equal(detail.user, 'ana');
    assert.equal(detail.sourceName, 'train.py');
    assert.equal(detail.sourceCommit, 'abc');
    assert.deepEqual(detail.parameters, [{ key: 'depth', value: '3' }]);
    assert.deepEqual(detail.metrics, [
      { key: 'loss', value: Number.NaN, timestamp: 1, step: 1, pointCount: 2 },
    ]);
    assert.deepEqual(detail.tags, [
      { key: 'colour', value: 'red' },
      { key: 'mlflow.note.content', value: 'a note' },
    ]);
    assert.deepEqual(detail.datasets, [
      { name: 'd', digest: '1', sourceType: 'local', source: '{}', context: 'training' },
    ]);
    assert.deepEqual(tracking.runDatasets(runId), detail.datasets);
    assert.deepEqual(
      tracking.runsWithModels(10).map((run) => run.name),
      ['full'],
    );
    assert.deepEqual(
      tracking.loggedModelsOfRun(runId).map(({ modelId }) => modelId),
      [model.modelId],
    );
    tracking.deleteLoggedModel(model.modelId);
    assert.deepEqual(tracking.runsWithModels(10), []);
    assert.throws(() => tracking.runDetail('f'.repeat(32)), isNotFound);
  });

  it('shows a run although the files of its models cannot be read', async () => {
    const { tracking, artifacts } = engine;
    const location = 'mlflow-artifacts://elsewhere:5000/x';
    const elsewhere = tracking.createExperiment({ name: 'elsewhere', artifactLocation: location, tags: [] });
    for (const experiment of [experimentId, elsewhere]) {
      const runId = start('broken', { experiment });
      const { model } = tracking.createLoggedModel({
        experimentId: experiment,
        name: 'tree',
        modelType: '',
        sourceRunId: runId,
        tags: [],
        parameters: [],
      });
      if (experiment === experimentId) {
        await artifacts.write(artifacts.pathOf(model.artifactUri, 'MLmodel'), Readable.from(['- no map']));
      }
      assert.deepEqual(tracking.runDetail(runId).models[0]?.flavors, []);
    }
  });

  it('lists artifacts, folders first, and says where a file lies', async () => {
    const { tracking, artifacts } = engine;
    const runId = start('files');
    const { artifactUri } = tracking.run(runId);
    for (const path of ['b.txt', 'a.txt', 'z/c.txt']) {
      await artifacts.write(artifacts.pathOf(artifactUri, path), Readable.from(['hello']));
    }
    assert.deepEqual(tracking.artifactEntries(runId, ''), [
      { path: 'z', isDirectory: true, size: 0 },
      { path: 'a.txt', isDirectory: false, size: 5 },
      { path: 'b.txt', isDirectory: false, size: 5 },
    ]);
    assert.deepEqual(
      tracking.artifactEntries(runId, 'z').map((entry) => entry.path),
      ['z/c.txt'],
    );
    assert.ok(tracking.artifactFile(runId, 'z/c.txt').file.endsWith('c.txt'));
    for (const path of ['nope', 'z', '']) assert.throws(() => tracking.artifactFile(runId, path), isNotFound);
    assert.throws(() => tracking.artifactFile(runId, '../../../store.db'), SlipwayError);
  });
});
