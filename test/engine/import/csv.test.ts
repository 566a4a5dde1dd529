import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importedRuns } from '../../interop/importedRuns.ts';
import { type ImportEngine, openImportEngine } from '../importEngine.ts';

describe('Importing CSV files', function () {
  this.timeout(60_000);
  let engine: ImportEngine;
  let folder: string;
  beforeEach(() => {
    engine = openImportEngine();
    folder = join(engine.folder, 'source');
    mkdirSync(folder);
  });
  afterEach(() => engine.close());

  it('takes what the page of MLflow 3.17 downloads, with negative numbers and names that occur twice', async () => {
    const file = join(folder, 'bikes.csv');
    // Written by the page itself, of a server with three runs; path and user were changed.
    copyFileSync(join(import.meta.dirname, '../../fixtures/csv/mlflow-3.17-page.csv'), file);
    const report = await engine.importAll(file);
    assert.deepEqual([report.runs, report.points], [3, 6]);
    const { 'run "one", the': one, '-second': second, failing } = importedRuns(engine, 'bikes');
    assert.equal(one?.runId, '9d2372a44bb6401086c5fbaea1d0c702');
    assert.deepEqual(one?.params, { loss: 'mse', lr: '0.1', opt: 'adam', shift: '-2' });
    assert.deepEqual(one?.metrics, {
      log_likelihood: [[0, -12.5]],
      loss: [[0, 0.3333333333333333]],
      zero: [[0, 0]],
    });
    assert.equal(one?.tags.team, 'blue');
    assert.equal(one?.tags['mlflow.source.name'], '/home/me/train.py');
    assert.equal(one?.endTime, new Date('2026-11-21T12:46:25').getTime() + 600);
    assert.deepEqual(second?.params, { lr: '0.2', opt: 'two\nlines' });
    assert.deepEqual(second?.metrics, {
      log_likelihood: [[0, -3e-8]],
      loss: [[0, 0.25]],
      odd: [[0, Number.NaN]],
    });
    assert.deepEqual([failing?.status, failing?.metrics], ['FAILED', {}]);
    assert.deepEqual(report.omissions, [
      { subject: 'bikes.csv: loss, lr, opt, shift', reason: 'guessedRole', values: { role: 'parameters' } },
      {
        subject: 'bikes.csv: log_likelihood, loss, odd, zero',
        reason: 'guessedRole',
        values: { role: 'metrics' },
      },
      { subject: 'bikes.csv: team', reason: 'guessedRole', values: { role: 'tags' } },
    ]);
  });

  it("takes a chart's metrics over time as the page of MLflow downloads them", async () => {
    const file = join(folder, 'chart.csv');
    const id = '0'.repeat(31);
    writeFileSync(
      file,
      `"Run","Run ID","metric","step","timestamp","value"
"'-second","${id}1","gain","'-1","1795251718125","'-0.5"
"'-second","${id}1","gain","0","1795251718126","0.5"
`,
    );
    await engine.importAll(file);
    const runs = importedRuns(engine, 'chart');
    assert.deepEqual(runs['-second']?.metrics, {
      gain: [
        [-1, -0.5],
        [0, 0.5],
      ],
    });
  });

  it('leaves out the numbers of lines that pandas writes', async () => {
    const table = join(folder, 'sweep.csv');
    writeFileSync(table, ',model,accuracy\n0,rf,0.5\n1,svm,0.75\n');
    await engine.importAll(table);
    // Their names are made up, so they come in any order.
    const runs = Object.values(importedRuns(engine, 'sweep'));
    const forest = runs.find(({ params }) => params.model === 'rf');
    assert.deepEqual([forest?.params, forest?.metrics], [{ model: 'rf' }, { accuracy: [[0, 0.5]] }]);
    const history = join(folder, 'fit.csv');
    writeFileSync(history, ',epoch,loss\n0,0,0.5\n1,1,0.25\n');
    await engine.importAll(history);
    assert.deepEqual(Object.keys(importedRuns(engine, 'fit').fit?.metrics ?? {}), ['loss']);
  });

  it('says the same of a file that is imported again', async () => {
    const file = join(folder, 'sweep.csv');
    writeFileSync(
      file,
      'name,start,loss (%),accuracy\na,2025-01-01,0.5,1\nb,2025-01-02,1,2,3\nc,2025-01-03,0.5,1\n',
    );
    const first = await engine.importAll(file);
    assert.ok(first.omissions.some(({ reason }) => reason === 'keyChanged'));
    assert.ok(first.omissions.some(({ subject }) => subject === 'sweep.csv line 3'));
    const second = await engine.importAll(file);
    assert.deepEqual([second.runs, second.points, second.unchangedParts], [0, 0, 2]);
    assert.deepEqual(second.omissions, first.omissions);

    const history = join(folder, 'fit.csv');
    writeFileSync(history, 'epoch,a=b,loss\n0,1,0.5\n1,2,none\n2,1,0.25\n3,1,0.5\n4,2,1\n');
    const before = await engine.importAll(history);
    const after = await engine.importAll(history);
    assert.deepEqual(after.omissions, before.omissions);
  });
});
