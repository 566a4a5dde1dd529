import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExportRequest } from '../../../src/engine/interop/exporting.ts';
import type { TraceInfo } from '../../../src/engine/tracking/traceTypes.ts';
import type { ImportedLoggedModel, ImportedRun } from '../../../src/protocol/importing.ts';
import { type ImportEngine, openImportEngine, unwatched } from '../importEngine.ts';
import { dumpStore } from '../storeDump.ts';
import { experimentMeta, writeFiles } from './fileStore.ts';

describe('Exporting to an mlruns folder', function () {
  this.timeout(60_000);
  let engine: ImportEngine;
  let folder: string;
  let experimentId: string;
  beforeEach(() => {
    engine = openImportEngine();
    folder = join(engine.folder, 'out', 'inner');
    experimentId = engine.tracking.createExperiment({ name: 'wine', tags: [] });
  });
  afterEach(() => engine.close());

  const createRun = () =>
    engine.tracking.createRun({ experimentId, userId: 'somebody', name: '', tags: [] }).info.runId;
  const createModel = (sourceRunId: string, tags = [{ key: 'team', value: 'blue' }]) =>
    engine.tracking.createLoggedModel({
      experimentId,
      name: 'champion',
      modelType: '',
      sourceRunId,
      tags,
      parameters: [],
    }).model.modelId;
  const recordTrace = (traceId: string, more: Partial<TraceInfo> = {}) =>
    engine.tracking.recordTrace({
      traceId,
      experimentId,
      requestTime: 1_700_000_000_000,
      executionDuration: 5,
      state: 'OK',
      clientRequestId: null,
      requestPreview: null,
      responsePreview: null,
      metadata: [],
      tags: [],
      assessments: [],
      ...more,
    });
  const exportIt = (request: Partial<ExportRequest> = {}) =>
    engine.interop.export({ runId: null, experimentId, folder, ...request }, unwatched);
  /** What another store has after it imported what was exported. */
  const importedElsewhere = async () => {
    const other = openImportEngine();
    try {
      assert.deepEqual((await other.importAll(folder)).omissions, []);
      return dumpStore(other.database);
    } finally {
      await other.close();
    }
  };

  it('writes deleted logged models as deleted', async () => {
    const run = createRun();
    const [kept, deleted] = [createModel(run), createModel(run)];
    engine.tracking.deleteLoggedModel(deleted);
    for (const runId of [null, run]) {
      const { loggedModels, omissions } = await exportIt({ runId, folder: join(folder, String(runId)) });
      assert.deepEqual([loggedModels, omissions], [2, []]);
    }
    assert.deepEqual(await exportIt(), {
      ...{ folder: join(folder, 'mlruns'), runs: 1, points: 0, artifacts: 0, loggedModels: 2, traces: 0 },
      omissions: [],
    });
    const meta = (id: string) =>
      readFileSync(join(folder, 'mlruns', experimentId, 'models', id, 'meta.yaml'), 'utf8');
    assert.match(meta(deleted), /^lifecycle_stage: "deleted"$/m);
    assert.match(meta(kept), /^lifecycle_stage: "active"$/m);
    const { loggedModels, loggedModelTags } = await importedElsewhere();
    const here = dumpStore(engine.database);
    assert.deepEqual([loggedModels, loggedModelTags], [here.loggedModels, here.loggedModelTags]);
  });

  it('writes traces with all that the folder has a place for, and names the rest', async () => {
    const run = createRun();
    const source = { source_id: 'me', source_type: 'HUMAN' };
    const times = { create_time: '2025-01-02T03:04:05.600Z', last_update_time: '2025-01-02T03:04:05.600Z' };
    const feedback = { name: 'score', kind: 'feedback', valid: true } as const;
    recordTrace('tr-1', {
      state: 'STATE_UNSPECIFIED',
      executionDuration: null,
      requestPreview: 'ünï "quoted"\n\u0085',
      metadata: [{ key: 'mlflow.sourceRun', value: run }],
      tags: [
        { key: 'nested/key', value: '' },
        { key: '../../../../escaped', value: 'x' },
      ],
      assessments: [
        {
          ...{ ...feedback, assessmentId: 'a-1', value: 1e-7 },
          fields: { source, ...times, metadata: { '1e3': 'on' }, feedback: { value: 1e-7 } },
        },
        {
          ...{ ...feedback, assessmentId: '../../../../escaped', value: 1 },
          fields: { source, ...times, feedback: { value: 1 } },
        },
        { ...{ ...feedback, assessmentId: 'a-2', value: 1 }, fields: { ...times, feedback: { value: 1 } } },
      ],
    });
    recordTrace('tr-2');
    recordTrace('tr-3');
    engine.tracking.linkTracesToRun(['tr-1', 'tr-2'], run);
    engine.tracking.linkPromptsToTrace('tr-2', ['greeting/3']);
    const ofRun = await exportIt({ runId: run, folder: join(folder, 'run') });
    assert.deepEqual(readdirSync(join(folder, 'run', 'mlruns', experimentId, 'traces')).sort(), [
      'tr-1',
      'tr-2',
    ]);
    assert.equal(ofRun.traces, 2);

    const { traces, omissions } = await exportIt();
    assert.equal(traces, 3);
    assert.deepEqual(omissions, ofRun.omissions);
    assert.deepEqual(
      omissions.map(({ subject, reason }) => [subject, reason]),
      [
        ['trace tr-1/tags/../../../../escaped', 'invalidKey'],
        ['trace tr-1/assessments/../../../../escaped', 'noPlaceThere'],
        ['trace tr-1/assessments/a-2', 'noPlaceThere'],
        ['trace tr-2', 'noPlaceThere'],
        ['trace tr-2', 'noPlaceThere'],
      ],
    );
    assert.deepEqual(
      omissions.slice(2).map(({ values }) => values.detail),
      ['it has no source', `its link to the run ${run}`, 'its link to the prompt greeting/3'],
    );
    const there = await importedElsewhere();
    const here = dumpStore(engine.database);
    assert.deepEqual(there.traces, here.traces);
    assert.deepEqual(there.traceMetadata, here.traceMetadata);
    const without = (rows: readonly unknown[] | undefined, ...left: readonly string[]) =>
      rows?.filter((row) => !left.some((text) => JSON.stringify(row).includes(`"${text}"`)));
    assert.deepEqual(there.traceTags, without(here.traceTags, '../../../../escaped'));
    assert.deepEqual(there.traceAssessments, without(here.traceAssessments, '../../../../escaped', 'a-2'));
  });

  it('writes nothing outside of the folder, whatever ids and keys say', async () => {
    const upwards = '../../../../../escaped';
    const run = createRun();
    engine.tracking.logOutputs(run, [{ modelId: upwards, step: 0 }]);
    const modelId = createModel(run, [{ key: upwards, value: 'x' }]);
    engine.tracking.logLoggedModelParameters(modelId, [{ key: upwards, value: 'x' }]);
    // As an import took them once.
    engine.database
      .prepare("UPDATE logged_models SET model_uuid = '../../../m' WHERE model_uuid = ?")
      .run(createModel(run));
    const { omissions } = await exportIt();
    assert.deepEqual(
      omissions.map(({ subject, reason }) => [subject, reason]),
      [
        [`run ${run}/outputs/${upwards}`, 'invalidKey'],
        [`logged model ${modelId}/params/${upwards}`, 'invalidKey'],
        [`logged model ${modelId}/tags/${upwards}`, 'invalidKey'],
        ['logged models/../../../m', 'invalidKey'],
      ],
    );
    assert.deepEqual(readdirSync(engine.folder).sort(), ['out', 'store.db', 'store.db-shm', 'store.db-wal']);
    assert.deepEqual(readdirSync(join(engine.folder, 'out')), ['inner']);
    assert.deepEqual(readdirSync(folder), ['mlruns']);
  });

  it('names a metric of a logged model whose file would be another one’s folder', async () => {
    const run = createRun();
    const modelId = createModel(run);
    const metrics = ['loss', 'loss/train'].map((key) => ({ key, value: 1, timestamp: 1, step: 1, modelId }));
    engine.tracking.logBatch(run, { metrics, parameters: [], tags: [] });
    const { points, omissions } = await exportIt();
    assert.equal(points, 2);
    assert.deepEqual(
      omissions.map(({ subject }) => subject),
      [`run ${run}/metrics/loss/train`, `logged model ${modelId}/metrics/loss/train`],
    );
  });

  it('can be done twice at once into one folder', async () => {
    const ids = [createRun(), createRun(), createRun()];
    const reports = await Promise.all(ids.map((runId) => exportIt({ runId })));
    assert.deepEqual(
      reports.map(({ runs, omissions }) => [runs, omissions]),
      ids.map(() => [1, []]),
    );
    const home = join(folder, 'mlruns', experimentId);
    assert.ok(ids.every((runId) => existsSync(join(home, runId, 'meta.yaml'))));
    assert.deepEqual(readdirSync(join(folder, 'mlruns')).sort(), ['.trash', experimentId]);
  });

  it('takes no id that an experiment in the trash of the folder has', async () => {
    createRun();
    const mlruns = join(folder, 'mlruns');
    mkdirSync(mlruns, { recursive: true });
    writeFiles(mlruns, { [`.trash/${experimentId}/meta.yaml`]: experimentMeta(experimentId, 'beer') });
    await exportIt();
    assert.deepEqual(
      readdirSync(mlruns).filter((name) => name === experimentId),
      [],
    );
    assert.equal(readdirSync(mlruns).length, 2);
  });

  it('ends when it is cancelled, and leaves nothing half written', async () => {
    const run = createRun();
    const metric = { key: 'loss', value: 1, timestamp: 1, step: 1 };
    engine.tracking.logBatch(run, { metrics: [metric], parameters: [], tags: [] });
    const abort = new AbortController();
    const control = { signal: abort.signal, progress: () => abort.abort() };
    const cancelled = engine.interop.export({ runId: null, experimentId, folder }, control);
    await assert.rejects(cancelled, { kind: 'cancelled' });
    assert.deepEqual(readdirSync(join(folder, 'mlruns')).sort(), ['.trash', experimentId]);
    assert.deepEqual(readdirSync(join(folder, 'mlruns', experimentId)).sort(), ['meta.yaml', 'tags']);
  });
});

describe('Importing what cannot be called so', () => {
  let engine: ImportEngine;
  before(() => {
    engine = openImportEngine();
  });
  after(() => engine.close());

  const run: ImportedRun = {
    ...{ type: 'run', runId: '../../x', experimentId: '0', name: 'a', userId: '', status: 'FINISHED' },
    ...{ startTime: 1, endTime: 2, lifecycleStage: 'active', deletedTime: null, artifactUri: null },
    ...{ parameters: [], tags: [], datasets: [], modelInputs: [], modelOutputs: [] },
  };
  const model: ImportedLoggedModel = {
    ...{ type: 'loggedModel', modelId: '../../x', experimentId: '0', name: 'a', modelType: '' },
    ...{ status: 'LOGGED_MODEL_READY', statusMessage: '', sourceRunId: null, creationTime: 1 },
    ...{ lastUpdateTime: 1, lifecycleStage: 'active', parameters: [], tags: [], artifactUri: null },
  };

  it('does not take a run or a logged model whose id could be taken for a path', () => {
    const { tracking } = engine;
    for (const imported of [tracking.importRun(run, '0', {}), tracking.importLoggedModel(model, '0', {})]) {
      assert.equal(imported.outcome, 'same');
      assert.deepEqual(
        imported.omissions.map(({ reason }) => reason),
        ['invalidValue'],
      );
    }
    const { runs, loggedModels } = dumpStore(engine.database);
    assert.deepEqual([runs, loggedModels], [[], []]);
  });
});
