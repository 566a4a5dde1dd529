import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ImportEngine, openImportEngine } from '../engine/importEngine.ts';
import { dumpStore } from '../engine/storeDump.ts';
import { pythonWithPeers } from '../python.ts';
import { importedRuns } from './importedRuns.ts';
import { runTracker } from './trackerScript.ts';

const series = (...values: readonly number[]) => values.map((value, step) => [step, value]);

describe('Importing experiments that DVC keeps in Git', function () {
  this.timeout(300_000);
  let home: string;
  let project: string;
  let engine: ImportEngine;
  before(async function () {
    const python = pythonWithPeers(this, 'SLIPWAY_TEST_PYTHON_TRACKERS');
    home = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-dvc-')));
    project = join(home, 'bikes');
    await runTracker(python, 'dvc_experiments.py', project);
  });
  after(() => home && rmSync(home, { recursive: true, force: true }));
  beforeEach(() => {
    engine = openImportEngine();
  });
  afterEach(() => engine.close());

  it('takes each for a run of its name, with what it changed, and the workspace for the one it is', async () => {
    const report = await engine.importAll(project);
    assert.deepEqual(report.omissions, []);
    const runs = importedRuns(engine, 'bikes');
    assert.deepEqual(Object.keys(runs).sort(), ['fast/dvclive', 'fast/scoring', 'longer', 'scoring', 'slow']);
    const { slow, longer } = runs;
    assert.deepEqual(slow?.params, { lr: '0.125', 'net.depth': '2' });
    assert.deepEqual(slow?.metrics, { loss: series(1, 0.875, 0.75), best: [[2, 0.75]] });
    assert.equal(slow?.status, 'FINISHED');
    assert.match(slow?.tags['mlflow.source.git.commit'] ?? '', /^[0-9a-f]{40}$/);
    assert.deepEqual(longer?.metrics.loss, series(1, 0.75, 0.5, 0.25));
    assert.deepEqual(runs['fast/dvclive']?.params, { lr: '0.25', 'net.depth': '3' });
    assert.deepEqual(runs['fast/dvclive']?.metrics.loss, series(1, 0.75, 0.5));
    assert.deepEqual(runs['fast/scoring']?.params, { threshold: '0.5' });
    assert.deepEqual(runs['fast/scoring']?.metrics, { auc: [[0, 0.5]], 'all.f1': [[0, 0.5]] });
    assert.deepEqual(runs['fast/scoring']?.artifacts, ['roc.csv']);
    assert.deepEqual(runs.scoring?.params, { threshold: '0.25' });
  });

  it('changes nothing the second time, nor when the project was moved', async () => {
    await engine.importAll(project);
    const before = dumpStore(engine.database);
    const second = await engine.importAll(project);
    assert.deepEqual([second.runs, second.points, second.artifacts, second.unchangedParts], [0, 0, 0, 5]);
    const moved = join(home, 'elsewhere', 'bikes');
    cpSync(project, moved, { recursive: true });
    const third = await engine.importAll(moved);
    rmSync(join(home, 'elsewhere'), { recursive: true });
    assert.deepEqual([third.runs, third.points], [0, 0]);
    assert.deepEqual(dumpStore(engine.database), before);
  });
});
