import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createChanges } from '../../src/engine/changes.ts';
import { createInteropService, type InteropService } from '../../src/engine/interop/service.ts';
import { type HttpEngine, openHttpEngine } from '../engine/httpEngine.ts';
import { openImportEngine, unwatched, workerScript } from '../engine/importEngine.ts';
import { dumpImports, dumpStore } from '../engine/storeDump.ts';
import { pythonWithPeers } from '../python.ts';
import type { PythonVariable } from '../toolchain/pythonPeers.ts';
import { type Description, openTrackedWork, type TrackedWork } from './trackedWork.ts';

const stores: readonly {
  readonly title: string;
  readonly peer: PythonVariable;
  readonly kind: 'mlruns' | 'mlflowdb';
}[] = [
  { title: 'an mlruns folder of MLflow 2', peer: 'SLIPWAY_TEST_PYTHON_MLFLOW2', kind: 'mlruns' },
  { title: 'an mlruns folder of MLflow 3', peer: 'SLIPWAY_TEST_PYTHON', kind: 'mlruns' },
  { title: 'an mlflow.db of MLflow 2', peer: 'SLIPWAY_TEST_PYTHON_MLFLOW2', kind: 'mlflowdb' },
  { title: 'an mlflow.db of MLflow 3', peer: 'SLIPWAY_TEST_PYTHON', kind: 'mlflowdb' },
];

for (const { title, peer, kind } of stores) {
  describe(`Importing ${title}`, () => {
    let client: TrackedWork;
    let engine: HttpEngine;
    let interop: InteropService;
    let work: string;
    let there: Description;
    let here: Description;

    before(async function () {
      this.timeout(300_000);
      const python = pythonWithPeers(this, peer);
      engine = await openHttpEngine(null);
      interop = createInteropService({ ...engine, changes: createChanges(), script: workerScript });
      work = join(engine.folder, 'work');
      mkdirSync(work);
      const uri = kind === 'mlruns' ? pathToFileURL(join(work, 'mlruns')).href : 'sqlite:///mlflow.db';
      client = openTrackedWork(python, work);
      await client.make(uri);
      there = await client.describe(uri);
      const found = await interop.detect(work, unwatched);
      assert.deepEqual(
        found.map((detection) => detection.kind),
        [kind],
      );
      for (const { path } of found) {
        const report = await interop.import({ kind, path, remaps: [], keepInSync: false }, unwatched);
        assert.deepEqual(report.omissions, []);
      }
      here = await client.describe(engine.url);
    });
    after(async () => {
      await client?.close();
      await interop?.close();
      await engine?.close();
    });

    it('gives a store of which the client says the same', () => {
      assert.ok(Object.keys(there.experiments).length >= 3);
      assert.deepEqual(here, there);
    });

    it('changes nothing the second time', async function () {
      this.timeout(60_000);
      const before = [dumpStore(engine.database), dumpImports(engine.database)];
      for (const { path } of await interop.detect(work, unwatched)) {
        await interop.import({ kind, path, remaps: [], keepInSync: false }, unwatched);
      }
      assert.deepEqual([dumpStore(engine.database), dumpImports(engine.database)], before);
    });

    it('can be exported to an mlruns folder of which the client says the same, and imported from there', async function () {
      this.timeout(180_000);
      const folder = join(engine.folder, 'exported');
      for (const { experimentId } of engine.tracking.searchExperiments(everything).items) {
        const report = await interop.export({ runId: null, experimentId, folder }, unwatched);
        assert.deepEqual(report.omissions, []);
      }
      const exported = await client.describe(pathToFileURL(join(folder, 'mlruns')).href);
      assert.deepEqual(exported.experiments, there.experiments);

      const other = openImportEngine();
      try {
        const report = await other.importAll(folder);
        assert.deepEqual(report.omissions, []);
        const tables = dumpStore(engine.database);
        const again = dumpStore(other.database);
        for (const table of trackingTables) assert.deepEqual(again[table], tables[table], table);
      } finally {
        await other.close();
      }
    });
  });
}

const everything = {
  filter: '',
  orderBy: [],
  maxResults: 100,
  pageToken: '',
  viewType: 'ALL',
} as const;

const trackingTables = [
  'experiments',
  'experiment_tags',
  'runs',
  'parameters',
  'tags',
  'series',
  'points',
  'datasets',
  'inputs',
  'outputs',
  'loggedModels',
  'loggedModelParameters',
  'loggedModelTags',
  'loggedModelMetrics',
];
