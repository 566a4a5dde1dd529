import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ImportEngine, openImportEngine } from '../engine/importEngine.ts';
import { dumpStore } from '../engine/storeDump.ts';
import { pythonWithPeers } from '../python.ts';
import { importedRuns } from './importedRuns.ts';
import { runTracker } from './trackerScript.ts';

describe('Importing CSV files of MLflow', function () {
  this.timeout(120_000);
  let folder: string;
  let engine: ImportEngine;
  before(async function () {
    const python = pythonWithPeers(this);
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-csv-')));
    await runTracker(python, 'mlflow_csv.py', folder);
  });
  after(() => folder && rmSync(folder, { recursive: true, force: true }));
  beforeEach(() => {
    engine = openImportEngine();
  });
  afterEach(() => engine.close());

  it('takes what the command line of MLflow wrote, under the ids and with the files of the runs', async () => {
    const report = await engine.importAll(join(folder, 'cli.csv'));
    const runs = importedRuns(engine, 'cli (experiment 1)');
    assert.deepEqual(Object.keys(runs).sort(), ['failing', 'run "0", the', 'run "1", the', 'run "2", the']);
    const run = runs['run "2", the'];
    assert.deepEqual(run?.params, { lr: '0.2', opt: 'adam', text: 'two\nlines' });
    assert.deepEqual(run?.metrics, { loss: [[0, 0.2]] });
    assert.equal(run?.tags.team, 'blue');
    assert.deepEqual(run?.artifacts, ['notes/hello.txt']);
    assert.equal(runs.failing?.status, 'FAILED');
    assert.ok(
      report.omissions.every(({ reason }) => reason === 'filesMissing'),
      JSON.stringify(report.omissions),
    );

    const before = dumpStore(engine.database);
    const second = await engine.importAll(join(folder, 'cli.csv'));
    assert.deepEqual([second.runs, second.points, second.unchangedParts], [0, 0, 4]);
    assert.deepEqual(dumpStore(engine.database), before);
  });

  it('adds nothing to the history of runs that are here already', async () => {
    await engine.importAll(join(folder, 'mlflow.db'));
    const before = importedRuns(engine, 'bikes');
    assert.equal(before['run "0", the']?.metrics.loss?.length, 3);
    const report = await engine.importAll(join(folder, 'frame.csv'));
    assert.deepEqual([report.runs, report.points], [0, 0]);
    assert.deepEqual(importedRuns(engine, 'bikes'), before);
  });

  it('takes tables of other tools, and says what it took their columns for', async () => {
    const file = join(folder, 'sweep.csv');
    const line = '2025-11-13T09:48:11.000Z,9910';
    writeFileSync(
      file,
      `Name,State,Notes,User,Tags,Created,Runtime,Sweep,lr,model,artifact/name,val_loss
one,finished,good,me,a,${line},sweep1,0.1,unet,m:v1,0.5
two,crashed,-,me,,${line},sweep1,0.2,unet,,NaN
`,
    );
    const report = await engine.importAll(file);
    const { one, two } = importedRuns(engine, 'sweep');
    assert.deepEqual([one?.params, one?.metrics], [{ lr: '0.1', model: 'unet' }, { val_loss: [[0, 0.5]] }]);
    assert.equal(one?.endTime, Date.UTC(2025, 10, 13, 9, 48, 11) + 9_910_000);
    assert.deepEqual([two?.status, two?.metrics], ['FAILED', { val_loss: [[0, Number.NaN]] }]);
    assert.deepEqual(report.omissions, [
      { subject: 'sweep.csv: lr, model', reason: 'guessedRole', values: { role: 'parameters' } },
      { subject: 'sweep.csv: val_loss', reason: 'guessedRole', values: { role: 'metrics' } },
      { subject: 'sweep.csv: artifact/name', reason: 'guessedRole', values: { role: 'tags' } },
    ]);
  });

  it('takes histories of metrics, and goes on when they grow', async () => {
    const file = join(folder, 'training.csv');
    writeFileSync(file, 'epoch,loss,val_loss\n0,1,2\n1,0.5,1\n2,0.25,');
    await engine.importAll(file);
    const name = `${folder.split(/[/\\]/).at(-1)}/training`;
    const metrics = () => importedRuns(engine, name)[name]?.metrics;
    assert.deepEqual(metrics(), {
      loss: [
        [0, 1],
        [1, 0.5],
      ],
      val_loss: [
        [0, 2],
        [1, 1],
      ],
    });
    writeFileSync(file, 'epoch,loss,val_loss\n0,1,2\n1,0.5,1\n2,0.25,0.75\n');
    const report = await engine.importAll(file);
    assert.equal(report.points, 2);
    assert.deepEqual(metrics()?.val_loss, [
      [0, 2],
      [1, 1],
      [2, 0.75],
    ]);
  });
});
