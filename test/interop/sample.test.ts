import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { openDatabase } from '../../src/engine/database/connection.ts';
import { pythonWithPeers } from '../python.ts';
import { folderSize, machinePaths } from '../sample/machinePaths.ts';
import { openSampleEngine, type SampleEngine } from '../sample/sampleEngine.ts';
import { repository } from '../toolchain/cacheFolder.ts';
import { type SampleWorkspace, sampleWorkspace } from '../workbench/sampleWorkspace.ts';

const sample = join(repository, 'media', 'sample');
const modelName = 'flight-delays';
const delays = ['day_delay', 'recent_delay', 'week_delay'];

describe('The sample project', function () {
  this.timeout(300_000);

  let workspace: SampleWorkspace;
  let opened: SampleEngine;

  const open = async (recorded: boolean, python?: string) => {
    workspace = await sampleWorkspace(recorded);
    opened = await openSampleEngine(workspace.folder, python);
  };
  const close = async () => {
    await opened?.engine.close();
    await workspace?.remove();
  };

  describe('its scripts', () => {
    before(async function () {
      await open(false, pythonWithPeers(this));
    });
    after(close);

    for (const model of ['boosting', 'forest', 'logistic']) {
      it(`train.py --model ${model} logs curves, data and a model that can be served`, async () => {
        await opened.python('train.py', '--quick', '--model', model, '--run-name', model);

        const { tracking } = opened.engine;
        const run = tracking.runsWithModels(10).find(({ name }) => name === model);
        assert.ok(run);
        const detail = tracking.runDetail(run.runId);
        assert.equal(detail.experimentName, 'flight-delays');
        assert.equal(detail.run.status, 'FINISHED');
        assert.equal(detail.user, 'sample');
        assert.equal(detail.sourceName, 'train.py');
        assert.ok(detail.parameters.some(({ key, value }) => key === 'model' && value === model));

        const [curve] = await tracking.metricSeries({
          runId: run.runId,
          metrics: [{ key: 'val_loss', part: { kind: 'all' }, smoothing: 0 }],
          budget: 100,
        });
        assert.deepEqual(
          [...(curve?.steps ?? [])],
          Array.from({ length: 15 }, (_, epoch) => epoch + 1),
        );
        assert.ok((curve?.values ?? []).every((value) => value > 0 && value < 1));
        const metrics = new Map(detail.metrics.map(({ key, value }) => [key, value]));
        const area = metrics.get('best_val_auc');
        assert.ok(area !== undefined && area > 0.6, `better than chance on the last week: ${area}`);

        assert.deepEqual(
          detail.datasets.map(({ context, source }) => [context, JSON.parse(source)]),
          [['training', { uri: 'data/train.csv' }]],
        );
        assert.deepEqual(
          tracking
            .artifactEntries(run.runId, '')
            .map(({ path }) => path)
            .sort(),
          ['confusion_matrix.png', 'feature_importance.json'],
        );
        assert.deepEqual(
          detail.models.map(({ name, flavors }) => [name, [...flavors].sort()]),
          [['model', ['onnx', 'python_function']]],
        );
      });

      it(`replay.py sends later flights to a served ${model} model`, async () => {
        const { tracking, registry, serving, monitoring } = opened.engine;
        const run = tracking.runsWithModels(10).find(({ name }) => name === model);
        assert.ok(run);
        const [logged] = tracking.runDetail(run.runId).models;
        assert.ok(logged);
        const { version } = registry.register({ name: modelName, runId: run.runId, modelId: logged.modelId });
        await serving.start({ modelName, modelVersion: version, port: null });

        const before = monitoring.driftSources(modelName).rowCount;
        const printed = await opened.python('replay.py', '--rows', '310', '--batch', '25');
        assert.match(printed, /310 of 310 sent/);
        assert.match(printed, /Hit rate \d+\.\d%/);

        await serving.stop(modelName);
        const { rowCount, references } = monitoring.driftSources(modelName);
        assert.equal(rowCount - before, 310);
        assert.equal(references[0]?.file, join(workspace.folder, 'data', 'train.csv'));
      });
    }

    it('replay.py says in a sentence what is missing', async () => {
      await assert.rejects(opened.python('replay.py'), /No endpoint serves "flight-delays" in this folder/);
    });
  });

  describe('what was recorded', () => {
    before(() => open(true));
    after(close);

    it('is small, whole and says nothing of the machine that recorded it', async () => {
      assert.ok((await folderSize(sample)) < 2_000_000);
      const store = join(sample, 'recorded', '.slipway');
      assert.deepEqual(await machinePaths(store, [repository]), []);
      const files = await readdir(store, { recursive: true });
      assert.deepEqual(
        files.filter((file) => /-(wal|shm|journal)$|\.gitignore$/.test(file)),
        [],
      );
    });

    it('has the schema of a new store', async () => {
      const fresh = await sampleWorkspace(false);
      try {
        const store = (folder: string) => join(folder, '.slipway', 'store.db');
        await mkdir(dirname(store(fresh.folder)));
        openDatabase(store(fresh.folder)).close();
        assert.deepEqual(schema(store(workspace.folder)), schema(store(fresh.folder)));
      } finally {
        await fresh.remove();
      }
    });

    it('holds finished runs with curves, whose data lies in the project', async () => {
      const { tracking } = opened.engine;
      const [experiment] = tracking.experiments();
      assert.ok(experiment);
      assert.equal(experiment.name, 'flight-delays');
      const { runs } = tracking.runs({
        experimentId: experiment.experimentId,
        parentRunId: null,
        cursor: null,
        limit: 100,
      });
      assert.deepEqual(runs.map(({ name }) => name).sort(), [
        'boosting',
        'boosting-deep',
        'boosting-shallow',
        'forest',
        'logistic-baseline',
      ]);
      for (const run of runs) {
        const detail = tracking.runDetail(run.runId);
        assert.equal(detail.run.status, 'FINISHED');
        assert.equal(detail.user, 'sample');
        assert.match(detail.sourceCommit ?? '', /^[0-9a-f]{40}$/);
        assert.ok(detail.metrics.some(({ key, pointCount }) => key === 'val_loss' && pointCount >= 60));
        for (const { source } of detail.datasets) {
          assert.ok(existsSync(join(workspace.folder, JSON.parse(source).uri)));
        }
        const { file } = tracking.artifactFile(run.runId, 'confusion_matrix.png');
        assert.deepEqual((await readFile(file)).subarray(1, 4).toString(), 'PNG');
      }
    });

    it('holds a model in Production, one in Staging and one that was archived', () => {
      const versions = opened.engine.registry.versions(modelName);
      assert.deepEqual(
        versions.map(({ version, stage, aliases, runName }) => ({ version, stage, aliases, runName })),
        [
          { version: 3, stage: 'Staging', aliases: ['challenger'], runName: 'forest' },
          { version: 2, stage: 'Production', aliases: ['champion'], runName: 'boosting-shallow' },
          { version: 1, stage: 'Archived', aliases: [], runName: 'logistic-baseline' },
        ],
      );
      assert.ok(
        opened.engine.registry.transitions(modelName).every(({ who, why }) => who === 'sample' && why),
      );
    });

    it('holds an endpoint that does not run and can be started', async () => {
      const { serving } = opened.engine;
      assert.deepEqual(
        serving.endpoints().map(({ name, state }) => [name, state]),
        [[modelName, 'stopped']],
      );
      const started = await serving.start({ modelName, modelVersion: 3, port: null });
      assert.equal(started.state, 'ready');
      const { exampleRequest } = serving.describe(modelName);
      const { status } = await serving.sendRequest({ endpoint: modelName, body: exampleRequest });
      assert.equal(status, 200);
      await serving.stop(modelName);
    });

    it('shows drift in the three delay columns, and in no other', async () => {
      const { monitoring } = opened.engine;
      const { firstRequest, references } = monitoring.driftSources(modelName);
      assert.ok(firstRequest !== null);
      assert.equal(references[0]?.file, join(workspace.folder, 'data', 'train.csv'));
      const report = await monitoring.drift(
        // An hour from the first: the example request of another test comes later.
        { endpoint: modelName, referenceFile: null, from: firstRequest, to: firstRequest + 3_600_000 },
        { signal: new AbortController().signal, progress: () => {} },
      );
      assert.equal(report.referenceRows, 7000);
      assert.ok(report.currentRows >= 2000);
      assert.deepEqual(
        report.columns
          .filter(({ drifted }) => drifted)
          .map(({ name }) => name)
          .sort(),
        delays,
      );
      assert.deepEqual(
        report.columns.map(({ name }) => name).sort(),
        ['departures', 'distance', 'hour', 'origin', 'weekday', ...delays].sort(),
      );
    });
  });

  describe('its data', () => {
    it('is whole, in order of time, and later.csv comes after train.csv', async () => {
      const [train, later] = await Promise.all([readTable('train.csv'), readTable('later.csv')]);
      assert.deepEqual(train.header, later.header);
      assert.deepEqual([train.rows.length, later.rows.length], [7000, 4500]);
      for (const { rows, header } of [train, later]) {
        assert.ok(rows.every((row) => row.length === header.length && row.every((cell) => cell !== '')));
        const dates = rows.map(([date]) => date ?? '');
        assert.deepEqual(dates, [...dates].sort());
      }
      assert.ok((train.rows.at(-1)?.[0] ?? '') < (later.rows[0]?.[0] ?? ''));
    });
  });
});

function schema(file: string): unknown {
  const database = new BetterSqlite3(file, { readonly: true });
  try {
    return [
      database.pragma('user_version', { simple: true }),
      database.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name').all(),
    ];
  } finally {
    database.close();
  }
}

async function readTable(name: string): Promise<{ readonly header: string[]; readonly rows: string[][] }> {
  const lines = (await readFile(join(sample, 'data', name), 'utf8')).trimEnd().split('\n');
  const [header = [], ...rows] = lines.map((line) => line.split(','));
  return { header, rows };
}
