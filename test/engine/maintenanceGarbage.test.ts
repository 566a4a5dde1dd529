import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SlipwayError } from '../../src/protocol/errors.ts';
import { inMaintainedStore, type MaintainedStore, unwatched } from './maintainedStore.ts';

describe('Deleting for good', function () {
  this.timeout(60_000);

  it(
    'takes a deleted run with all that was logged to it, and nothing else',
    inMaintainedStore(async ({ engine, run, model, hasArtifact, folderOf, rowCounts, collect, notes }) => {
      const { tracking } = engine;
      const before = rowCounts();
      const stays = run('0', 'stays');
      const after = rowCounts();
      const goes = run('0', 'goes');
      const modelId = model(goes, 'wine');
      tracking.logInputs(
        goes,
        [
          {
            dataset: {
              name: 'd',
              digest: '1',
              sourceType: 'local',
              source: '{}',
              schema: null,
              profile: null,
            },
            tags: [],
          },
        ],
        [],
      );
      const folders = [folderOf(tracking.run(goes)), folderOf(tracking.loggedModel(modelId))];
      tracking.deleteRun(goes);

      const report = await collect();

      assert.deepEqual(report.runs, [{ id: goes, name: 'goes' }]);
      assert.deepEqual(report.loggedModels, [{ id: modelId, name: 'wine' }]);
      assert.deepEqual(report.kept, []);
      assert.ok(report.artifactBytes > 10);
      assert.deepEqual(rowCounts(), after);
      assert.notDeepEqual(after, before);
      for (const folder of folders) assert.ok(!hasArtifact(folder), folder);
      assert.ok(!hasArtifact(`0/${goes}`), 'nor its empty folder');
      assert.ok(hasArtifact(folderOf(tracking.run(stays))));
      assert.deepEqual(notes(), []);
    }),
  );

  it(
    'takes a deleted experiment with its runs, models and folder, and frees its name',
    inMaintainedStore(async ({ engine, experiment, run, model, hasArtifact, rowCounts, collect, layout }) => {
      const before = rowCounts();
      const id = experiment('churn');
      model(run(id, 'one'), 'wine');
      run(id, 'two');
      writeFileSync(join(layout.artifacts, id, 'uploaded-by-hand'), 'x');
      engine.tracking.deleteExperiment(id);
      assert.throws(() => experiment('churn'), /permanently delete/);

      const report = await collect();

      assert.deepEqual(report.experiments, [{ id, name: 'churn' }]);
      assert.equal(report.runs.length, 2);
      assert.deepEqual(rowCounts(), before);
      assert.ok(!hasArtifact(id));
      assert.doesNotThrow(() => experiment('churn'));
    }),
  );

  it(
    'keeps what a version was made from, whichever way its source names it, and says so',
    inMaintainedStore(
      async ({ engine, experiment, run, model, version, hasArtifact, folderOf, collect, rowCounts }) => {
        const { tracking, registry } = engine;
        const id = experiment('churn');
        const byRun = run(id, 'by run');
        version('one', `runs:/${byRun}/model`);
        const byFolder = run(id, 'by folder');
        version('two', `${tracking.run(byFolder).artifactUri}/model`);
        const ofModel = run(id, 'of model');
        const byModel = model(ofModel, 'wine');
        version('three', `models:/${byModel}`);
        const byName = run(id, 'by name');
        const named = model(byName, 'named');
        version('four', `runs:/${byName}/named`);
        const copied = run(id, 'copied');
        const copiedModel = model(copied, 'copied');
        version('five', `models:/${copiedModel}`);
        version('six', 'models:/five/1');
        registry.deleteVersion('five', 1);
        const before = rowCounts();
        tracking.deleteExperiment(id);

        const report = await collect();

        assert.deepEqual([report.runs, report.loggedModels, report.experiments], [[], [], []]);
        assert.deepEqual(rowCounts(), before);
        for (const runId of [byRun, byFolder, ofModel, byName, copied]) {
          assert.ok(hasArtifact(folderOf(tracking.run(runId))), tracking.run(runId).name);
        }
        for (const modelId of [byModel, named, copiedModel]) {
          assert.ok(hasArtifact(folderOf(tracking.loggedModel(modelId))), modelId);
        }
        const told = report.kept.map(
          ({ kind, values }) => `${kind} ${values.run ?? values.experiment} ${values.model}`,
        );
        assert.deepEqual(told.filter((line) => line.startsWith('run')).sort(), [
          'runUsedByVersion by folder two',
          'runUsedByVersion by name four',
          'runUsedByVersion by run one',
          'runUsedByVersion copied six',
          'runUsedByVersion of model three',
        ]);
        assert.ok(told.includes('experimentStillNeeded churn undefined'));

        for (const name of ['one', 'two', 'three', 'four', 'six']) registry.deleteModel(name);
        const second = await collect();
        assert.equal(second.runs.length, 5);
        assert.deepEqual(second.experiments, [{ id, name: 'churn' }]);
        assert.ok(!hasArtifact(id));
      },
    ),
  );

  it(
    'keeps a model that another run uses, and a run whose files another run reads',
    inMaintainedStore(async ({ engine, run, model, hasArtifact, folderOf, collect }) => {
      const { tracking } = engine;
      const trained = run('0', 'trained');
      const modelId = model(trained, 'wine');
      const evaluates = run('0', 'evaluates');
      tracking.logInputs(evaluates, [], [modelId]);
      const prepared = run('0', 'prepared');
      const reads = run('0', 'reads');
      const source = JSON.stringify({ uri: `${tracking.run(prepared).artifactUri}/train.csv` });
      const dataset = { name: 'd', digest: '1', sourceType: 'local', source, schema: null, profile: null };
      tracking.logInputs(reads, [{ dataset, tags: [] }], []);
      for (const runId of [trained, prepared]) tracking.deleteRun(runId);

      const report = await collect();

      assert.deepEqual(
        report.runs.map(({ name }) => name),
        ['trained'],
      );
      assert.deepEqual(report.kept, [
        { kind: 'runUsedByRun', values: { run: 'prepared', other: 'reads' } },
        { kind: 'loggedModelUsedByRun', values: { loggedModel: 'wine', run: 'evaluates' } },
      ]);
      assert.ok(hasArtifact(folderOf(tracking.loggedModel(modelId))));
      assert.ok(hasArtifact(folderOf(tracking.run(prepared))));

      // When its users go too, nothing is left to keep it for.
      for (const runId of [evaluates, reads]) tracking.deleteRun(runId);
      tracking.deleteLoggedModel(modelId);
      const second = await collect();
      assert.deepEqual(second.kept, []);
      assert.deepEqual(second.runs.map(({ name }) => name).sort(), ['evaluates', 'prepared', 'reads']);
      assert.deepEqual(second.loggedModels, [{ id: modelId, name: 'wine' }]);
    }),
  );

  it(
    'keeps a folder in which another run keeps its files, too',
    inMaintainedStore(async ({ engine, experiment, run, hasArtifact, folderOf, collect }) => {
      const { tracking } = engine;
      const outer = run('0', 'outer');
      const inner = tracking.createExperiment({
        name: 'inner',
        artifactLocation: `${tracking.run(outer).artifactUri}/inner`,
        tags: [],
      });
      const nested = run(inner, 'nested');
      const other = experiment('other');
      tracking.deleteRun(outer);
      const report = await collect();
      assert.deepEqual(report.runs, []);
      assert.equal(report.kept[0]?.kind, 'folderShared');
      assert.ok(hasArtifact(folderOf(tracking.run(nested))));
      assert.equal(other.length, 1);
    }),
  );

  it(
    'takes only what was chosen, or is old enough, and only what was deleted',
    inMaintainedStore(async ({ engine, experiment, run, collect, find }) => {
      const { tracking } = engine;
      const [one, two, active] = [run('0', 'one'), run('0', 'two'), run('0', 'active')];
      const id = experiment('churn');
      run(id, 'three');
      for (const runId of [one, two]) tracking.deleteRun(runId);
      tracking.deleteExperiment(id);
      for (const selection of [
        { runIds: [active] },
        { runIds: ['f'.repeat(32)] },
        { experimentIds: ['0'] },
      ]) {
        await assert.rejects(
          collect(selection),
          (error) =>
            error instanceof SlipwayError &&
            error.kind === 'invalidParameter' &&
            /no deleted (run|experiment)/.test(error.message),
        );
      }
      assert.deepEqual((await find({ olderThan: 60_000 })).runs, []);
      const names = async (selection: object) => (await collect(selection)).runs.map(({ name }) => name);
      assert.deepEqual(await names({ olderThan: 60_000 }), []);
      assert.deepEqual(await names({ runIds: [two] }), ['two']);
      assert.deepEqual(await names({ experimentIds: [id] }), ['three']);
      assert.deepEqual(await names({}), ['one']);
      assert.equal(tracking.run(active).name, 'active');
    }),
  );

  it(
    'says beforehand what it would take, and changes nothing',
    inMaintainedStore(async ({ engine, experiment, run, model, rowCounts, hasArtifact, find, collect }) => {
      const id = experiment('churn');
      const runId = run(id, 'one');
      model(runId, 'wine');
      engine.tracking.deleteExperiment(id);
      const before = rowCounts();
      const found = await find();
      assert.deepEqual(rowCounts(), before);
      assert.ok(hasArtifact(`${id}/${runId}/artifacts/note.txt`));
      const done = await collect();
      assert.deepEqual({ ...found, storeBytes: 0, freeBytes: 0 }, { ...done, storeBytes: 0, freeBytes: 0 });
    }),
  );

  it(
    'takes the files of traces with their experiment',
    inMaintainedStore(async ({ engine, experiment, layout, hasArtifact, find, collect }) => {
      const id = experiment('churn');
      const { traceId } = engine.tracking.recordTrace({
        traceId: 'tr-1',
        experimentId: id,
        requestTime: 1,
        executionDuration: 1,
        state: 'OK',
        clientRequestId: null,
        requestPreview: null,
        responsePreview: null,
        metadata: [],
        tags: [],
        assessments: [],
      });
      const folder = join(layout.artifacts, id, 'traces', traceId, 'artifacts');
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'traces.json'), '{"spans": []}');
      engine.tracking.deleteExperiment(id);
      for (const report of [await find(), await collect()]) {
        assert.deepEqual([report.traceCount, report.artifactBytes], [1, 13]);
      }
      assert.ok(!hasArtifact(id));
    }),
  );

  it(
    'counts nothing of others for an experiment whose folder is the whole artifact store',
    inMaintainedStore(async ({ engine, run, hasArtifact, find, collect }) => {
      const { tracking } = engine;
      const all = { name: 'all', artifactLocation: 'mlflow-artifacts:/', tags: [] };
      const id = tracking.createExperiment(all);
      run(id, 'goes');
      const stays = run('0', 'stays');
      tracking.deleteExperiment(id);
      for (const report of [await find(), await collect()]) assert.equal(report.artifactBytes, 10);
      assert.ok(hasArtifact(`0/${stays}/artifacts/note.txt`));
    }),
  );

  it(
    'takes a model together with its run, whenever it is cancelled',
    inMaintainedStore(async ({ engine, run, model, collectControlled, collect, hasArtifact }) => {
      const { tracking } = engine;
      const runIds = manyRuns(run);
      const [first = ''] = runIds;
      const modelId = model(first, 'wine');
      for (const runId of runIds) tracking.deleteRun(runId);
      const abort = new AbortController();
      const collecting = collectControlled({ signal: abort.signal, progress: () => abort.abort() });
      await assert.rejects(collecting, /Cancelled/);
      assert.throws(() => tracking.run(first), /not found/);
      assert.throws(() => tracking.loggedModel(modelId), /not found/);
      assert.ok(engine.maintenance.deleted(1).runCount > 0, 'it was cancelled in the middle');
      await collect();
      assert.ok(!hasArtifact(`0/models/${modelId}`));
    }),
  );

  it(
    'keeps what a run uses that is restored meanwhile',
    inMaintainedStore(async ({ engine, run, model, collectControlled }) => {
      const { tracking } = engine;
      const runIds = manyRuns(run);
      const [trained, uses] = [run('0', 'trained'), run('0', 'uses')];
      const modelId = model(trained, 'wine');
      tracking.logInputs(uses, [], [modelId]);
      for (const runId of [...runIds, trained, uses]) tracking.deleteRun(runId);
      const report = await collectControlled({
        signal: unwatched.signal,
        progress: () => tracking.restoreRun(uses),
      });
      assert.equal(tracking.loggedModel(modelId).name, 'wine');
      assert.deepEqual(report.kept, [
        { kind: 'loggedModelUsedByRun', values: { loggedModel: 'wine', run: 'uses' } },
      ]);
    }),
  );

  it(
    'empties the experiment 0, and keeps it',
    inMaintainedStore(async ({ engine, run, collect, find }) => {
      run('0', 'one');
      engine.tracking.deleteExperiment('0');
      for (const report of [await find(), await collect()]) {
        assert.equal(report.runs.length, 1);
        assert.deepEqual(report.experiments, []);
        assert.deepEqual(report.kept, [{ kind: 'defaultExperimentKept', values: { experiment: 'Default' } }]);
      }
      engine.tracking.restoreExperiment('0');
      run('0', 'again');
    }),
  );

  it(
    'leaves files that do not lie in the store, and says where they are',
    inMaintainedStore(async ({ engine, collect }) => {
      const { tracking } = engine;
      const id = tracking.createExperiment({ name: 'far', artifactLocation: 's3://bucket/far', tags: [] });
      const { info } = tracking.createRun({ experimentId: id, name: 'one', userId: '', tags: [] });
      tracking.deleteExperiment(id);
      const report = await collect();
      assert.deepEqual(report.experiments, [{ id, name: 'far' }]);
      assert.deepEqual(report.kept, [
        { kind: 'artifactsElsewhere', values: { name: 'one', location: info.artifactUri } },
      ]);
    }),
  );

  it(
    'makes the file of the store smaller when much of it came free',
    inMaintainedStore(async ({ engine, run, collect }) => {
      const { tracking, maintenance } = engine;
      const runId = run('0', 'long');
      for (let batch = 0; batch < 60; batch += 1) {
        const metrics = Array.from({ length: 1000 }, (_, index) => {
          const step = batch * 1000 + index;
          return { key: 'loss', value: Math.random(), timestamp: step, step };
        });
        tracking.logBatch(runId, { metrics, parameters: [], tags: [] });
      }
      tracking.deleteRun(runId);
      const before = (await maintenance.diskUsage()).storeBytes;
      const { storeBytes } = await collect();
      assert.ok(storeBytes > 1_000_000, `${storeBytes} bytes smaller`);
      const after = await maintenance.diskUsage();
      assert.ok(after.storeBytes < before || before < 1_000_000);
      assert.equal(after.freeBytes, 0);
    }),
  );

  it(
    'finishes what a process that died had noted, and believes no note of what is still there',
    inMaintainedStore(async ({ engine, layout, run, hasArtifact, folderOf, collect, notes }) => {
      const { tracking } = engine;
      const stays = folderOf(tracking.run(run('0', 'stays')));
      for (const orphan of ['0/gone/artifacts', '9/x']) {
        mkdirSync(join(layout.artifacts, orphan), { recursive: true });
        writeFileSync(join(layout.artifacts, orphan, 'file'), 'left behind');
      }
      mkdirSync(layout.removals, { recursive: true });
      // No process has a number as large as this.
      const lines = ['"0/gone/artifacts"', '"9/x"', JSON.stringify(stays), '"0"', '"../.."', '"', ''];
      writeFileSync(join(layout.removals, '99999999-note'), lines.join('\n'));
      const report = await collect();
      assert.ok(!hasArtifact('0/gone'));
      assert.ok(!hasArtifact('9/x'));
      assert.ok(hasArtifact(`${stays}/note.txt`));
      assert.equal(report.artifactBytes, 22);
      assert.equal(report.kept.length, 1, 'the path that leads out');
      assert.equal(notes().length, 1);
    }),
  );
});

/** More than are deleted in one transaction. */
function manyRuns(run: MaintainedStore['run']): readonly string[] {
  return Array.from({ length: 201 }, (_, index) => run('0', `run ${index}`));
}
