import assert from 'node:assert/strict';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ImportEngine, openImportEngine, unwatched } from '../engine/importEngine.ts';
import { dumpStore } from '../engine/storeDump.ts';
import { pythonWithPeers } from '../python.ts';
import { importedRuns, until } from './importedRuns.ts';
import { runTracker } from './trackerScript.ts';

const series = (...values: readonly number[]) => values.map((value, step) => [step, value]);

describe('Importing what DVC and DVCLive wrote', function () {
  this.timeout(120_000);
  let python: string;
  let home: string;
  let project: string;
  let engine: ImportEngine;
  before(async function () {
    python = pythonWithPeers(this, 'SLIPWAY_TEST_PYTHON_TRACKERS');
    home = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-dvc-')));
    project = join(home, 'bikes');
    await runTracker(python, 'dvc_project.py', project);
  });
  after(() => home && rmSync(home, { recursive: true, force: true }));
  beforeEach(() => {
    engine = openImportEngine();
  });
  afterEach(() => engine.close());

  it("takes a folder of DVCLive and a pipeline's metrics for runs", async () => {
    const report = await engine.importAll(project);
    const { 'training/dvclive': live, pipeline } = importedRuns(engine, 'bikes');
    assert.ok(live && pipeline);
    assert.deepEqual(live.params, { lr: '0.1', 'opt.name': 'adam', layers: '[1, 2]' });
    assert.deepEqual(live.metrics, {
      'train/loss': series(1, 0.5, 1 / 3, 0.25),
      accuracy: series(0, 0.25, 0.5, 0.75),
      'system/cpu/usage percent': series(50, 51, 52, 53),
      odd: [[4, Number.NaN]],
      plain: [[4, 3.5]],
      best: [[4, 0.75]],
    });
    assert.equal(live.status, 'FINISHED');
    assert.deepEqual([...live.artifacts].sort(), [
      'model.bin',
      'plots/custom/curve.json',
      'plots/images/image.png',
    ]);

    assert.deepEqual(pipeline.params, {
      'train.lr': '0.001',
      'train.epochs': '10',
      'other.yaml:seed': '42',
      'top.json:a.b': '2',
    });
    assert.deepEqual(pipeline.metrics, {
      auc: [[0, 0.5]],
      'nested.f1': [[0, 0.25]],
      odd: [[0, Number.NaN]],
      size: [[0, 1.5]],
    });
    assert.deepEqual(pipeline.artifacts, ['roc.csv']);
    assert.deepEqual(report.omissions, [
      {
        subject: 'run training/dvclive/metrics/system/cpu/usage (%)',
        reason: 'keyChanged',
        values: { key: 'system/cpu/usage percent' },
      },
    ]);
  });

  it('changes nothing the second time, nor when the project was moved', async () => {
    await engine.importAll(project);
    const before = dumpStore(engine.database);
    const second = await engine.importAll(project);
    assert.deepEqual([second.runs, second.points, second.unchangedParts], [0, 0, 2]);
    const moved = join(home, 'elsewhere', 'bikes');
    cpSync(project, moved, { recursive: true });
    const third = await engine.importAll(moved);
    rmSync(join(home, 'elsewhere'), { recursive: true });
    assert.deepEqual([third.runs, third.points], [0, 0]);
    assert.deepEqual(dumpStore(engine.database), before);
  });

  it('takes another training into the same folder for another run', async () => {
    const copy = join(home, 'again', 'bikes');
    cpSync(project, copy, { recursive: true });
    const source = { kind: 'dvc', path: copy } as const;
    await engine.interop.import({ ...source, remaps: [], keepInSync: true }, unwatched);
    const count = () => engine.database.prepare<[], { n: number }>('SELECT count(*) AS n FROM runs').get()?.n;
    assert.equal(count(), 2);
    await runTracker(python, 'dvc_project.py', copy, 'again');
    await until(() => count() === 3);
    await engine.interop.stopSync(source);
    rmSync(join(home, 'again'), { recursive: true });
  });

  it('follows no path out of the project, and is not exhausted by aliases', async () => {
    const copy = join(home, 'hostile', 'bikes');
    cpSync(join(project, 'pipeline'), copy, { recursive: true });
    writeFileSync(join(home, 'secret.json'), '{"secret": 1}');
    symlinkSync(join(home, 'secret.json'), join(copy, 'linked.json'));
    appendFileSync(join(copy, 'dvc.yaml'), '- linked.json\n- ../../secret.json\n- aliases.yaml\n- gone.py\n');
    const levels = Array.from(
      { length: 9 },
      (_, level) => `l${level + 1}: &l${level + 1} [${Array(9).fill(`*l${level}`).join(', ')}]`,
    );
    writeFileSync(join(copy, 'aliases.yaml'), ['l0: &l0 [x]', ...levels].join('\n'));
    rmSync(join(copy, 'dvc.lock'));

    const report = await engine.importAll(copy);
    const [run] = Object.values(importedRuns(engine, 'bikes'));
    assert.equal(run?.params['train.lr'], '1e-3');
    assert.ok(!JSON.stringify(run?.params).includes('secret'));
    assert.deepEqual(
      report.omissions.map(({ subject, reason }) => [subject, reason]),
      [
        ['dvc.yaml/params/aliases.yaml', 'unreadable'],
        ['dvc.yaml/params/gone.py', 'unreadable'],
        ['dvc.yaml/linked.json', 'leadsOutside'],
        ['dvc.yaml/../../secret.json', 'leadsOutside'],
      ],
    );
    rmSync(join(home, 'hostile'), { recursive: true });
  });
});
