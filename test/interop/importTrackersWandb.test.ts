import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type ImportEngine, openImportEngine, unwatched } from '../engine/importEngine.ts';
import { dumpStore } from '../engine/storeDump.ts';
import { pythonWithPeers } from '../python.ts';
import { importedRuns, pointsOf, until } from './importedRuns.ts';
import { runTracker, startTracker } from './trackerScript.ts';

describe('Importing run folders of Weights & Biases', function () {
  this.timeout(120_000);
  let python: string;
  let home: string;
  let folder: string;
  let runName: string;
  let engine: ImportEngine;
  before(async function () {
    python = pythonWithPeers(this, 'SLIPWAY_TEST_PYTHON_TRACKERS');
    home = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-wandb-')));
    folder = join(home, 'project');
    const output = await runTracker(python, 'wandb_run.py', folder);
    runName = /^id (\S+)$/m.exec(output)?.[1] ?? assert.fail(output);
  });
  after(() => home && rmSync(home, { recursive: true, force: true }));
  beforeEach(() => {
    engine = openImportEngine();
  });
  afterEach(() => engine.close());

  it('takes configuration, history, summary, system metrics, files and how it ended', async () => {
    const report = await engine.importAll(folder);
    assert.deepEqual([report.experiments, report.runs], [1, 2]);
    const { 'first try': run, failing } = importedRuns(engine, 'bikes');
    assert.ok(run && failing);
    assert.deepEqual(run.params, {
      lr: '0.1',
      layers: '[1,2]',
      'opt.name': 'adam',
      'opt.eps': '1e-8',
      none: 'None',
      flag: 'True',
      added: '3',
    });
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
    const series = (...values: readonly number[]) => values.map((value, step) => [step, value]);
    const own = Object.entries(run.metrics).filter(([key]) => !key.startsWith('system/'));
    assert.deepEqual(Object.fromEntries(own), {
      loss: series(1, 0.5, 1 / 3, 0.25, 0.2),
      'nest.acc': series(0, 0.25, 0.5, 0.75, 1),
      odd: series(nan, infinity, -infinity, 1.5, 2.5),
      done: series(0, 0, 0, 0, 1),
      late: [[100, 1.5]],
      a_b: [[101, 1]],
      best: [[101, 0.125]],
      'summary/loss': [[101, 0.0625]],
    });
    assert.ok(run.metrics['system/system_memory_usage_percentage']?.length, Object.keys(run.metrics).join());
    assert.equal(run.tags['mlflow.note.content'], 'some notes');
    assert.equal(run.tags['wandb.tags'], 'a, b');
    assert.equal(run.tags['wandb.group'], 'g1');
    assert.equal(run.tags['wandb.run_id'], runName);
    assert.equal(run.tags['wandb.summary.verdict'], 'good');
    assert.equal(run.status, 'FINISHED');
    assert.ok(run.artifacts.includes('output.log'), run.artifacts.join());
    assert.ok(run.artifacts.some((path) => /^media\/images\/image_5_.*\.png$/.test(path)));
    assert.deepEqual(
      [failing.status, failing.params, failing.metrics.loss],
      ['FAILED', { lr: '0.2' }, [[0, 1]]],
    );

    const subject = `run ${runName}`;
    const omissions = report.omissions.map(({ subject: of, reason, values }) => [
      of,
      reason,
      values.detail ?? '',
    ]);
    for (const expected of [
      [`${subject}/files/elsewhere.bin`, 'leadsOutside', ''],
      [`${subject}/artifact weights`, 'filesElsewhere', ''],
      [`${subject}/artifact weights/data.csv`, 'filesRemote', ''],
      [`${subject}/metrics/a=b`, 'keyChanged', ''],
      [subject, 'notSupported', 'texts in the history of "text" (5)'],
      [subject, 'notSupported', 'texts in the history of "big" (1)'],
      [subject, 'notSupported', 'values of type histogram of "histogram" (1)'],
      [subject, 'notSupported', 'other x axes ("epoch" for "by_epoch") (1)'],
      [subject, 'notSupported', 'alerts (1)'],
    ]) {
      assert.ok(
        omissions.some((omission) => omission.join('|') === expected.join('|')),
        `${expected.join(' ')} in ${JSON.stringify(omissions)}`,
      );
    }
    assert.equal(omissions.length, 9, JSON.stringify(omissions));
  });

  it('takes logged artifacts from the folder of which the person says where it is', async () => {
    const first = await engine.importAll(folder);
    const location = first.omissions.find(({ reason }) => reason === 'filesElsewhere')?.values.location;
    const second = await engine.importAll(folder, [{ from: String(location), to: String(location) }]);
    assert.equal(second.artifacts, 1);
    const { 'first try': run } = importedRuns(engine, 'bikes');
    assert.ok(run?.artifacts.includes('artifacts/weights/elsewhere.bin'), run?.artifacts.join());
  });

  it('changes nothing the second time, nor when the folder was moved', async () => {
    await engine.importAll(folder);
    const before = dumpStore(engine.database);
    const moved = join(home, 'elsewhere');
    cpSync(folder, moved, { recursive: true, verbatimSymlinks: true });
    const report = await engine.importAll(join(moved, 'wandb'));
    rmSync(moved, { recursive: true });
    assert.deepEqual([report.runs, report.points], [0, 0]);
    assert.deepEqual(dumpStore(engine.database), before);
  });

  it('takes what can be read of a damaged file, and names the byte', async () => {
    const copy = join(home, 'damaged');
    cpSync(join(folder, 'wandb'), copy, { recursive: true, verbatimSymlinks: true });
    const file = logFile(copy, 'failing');
    const bytes = readFileSync(file);
    const history = bytes.indexOf('loss', bytes.indexOf('loss') + 4);
    bytes[history] = 0;
    writeFileSync(file, bytes);
    const report = await engine.importAll(dirname(file));
    assert.equal(report.runs, 1);
    const { failing } = importedRuns(engine, 'bikes');
    assert.deepEqual(failing?.params, { lr: '0.2' });
    const [omission] = report.omissions;
    assert.equal(omission?.reason, 'damaged');
    const offset = Number(omission?.values.offset);
    assert.ok(offset < history && history - offset < 1000, `${offset} for ${history}`);
    assert.equal(omission?.values.detail, 'a part of a record does not match its checksum');
    rmSync(copy, { recursive: true });
  });

  it('takes from the files beside a log what is left when nothing in it can be read', async () => {
    const copy = join(home, 'run-20250101_000000-lost');
    mkdirSync(join(copy, 'files'), { recursive: true });
    writeFileSync(join(copy, 'run-lost.wandb'), 'nothing that is known');
    writeFileSync(join(copy, 'files', 'config.yaml'), 'lr:\n  value: 1e-3\nopt:\n  value:\n    name: adam\n');
    writeFileSync(join(copy, 'files', 'wandb-summary.json'), '{"loss": 0.5, "odd": NaN, "_step": 9}');
    const metadata = { startedAt: '2025-01-01T00:00:00.000000', program: 'train.py', git: { commit: 'abc' } };
    writeFileSync(join(copy, 'files', 'wandb-metadata.json'), JSON.stringify(metadata));
    const report = await engine.importAll(copy);
    const { lost } = importedRuns(engine, 'uncategorized');
    assert.deepEqual(lost?.params, { lr: '1e-3', 'opt.name': 'adam' });
    assert.deepEqual(lost?.metrics, { loss: [[0, 0.5]], odd: [[0, Number.NaN]] });
    assert.deepEqual([lost?.status, lost?.endTime], ['FAILED', Date.UTC(2025, 0, 1)]);
    assert.equal(lost?.tags['mlflow.source.git.commit'], 'abc');
    assert.deepEqual(
      report.omissions.map(({ reason, values }) => [reason, values.offset]),
      [['damaged', 0]],
    );
    rmSync(copy, { recursive: true });
  });

  it('follows a run while it is written', async () => {
    const growing = join(home, 'growing');
    const source = { kind: 'wandb', path: growing } as const;
    const writer = await startTracker(python, 'wandb_run.py', growing, true);
    try {
      for (const value of [0.5, 0.25, 0.125]) await writer.log(value);
      await until(() => readFileSync(logFile(join(growing, 'wandb'), 'living')).includes('loss'));
      await engine.interop.import({ ...source, remaps: [], keepInSync: true }, unwatched);
      const run = () => importedRuns(engine, 'bikes').living;
      assert.equal(run()?.status, 'RUNNING');
      for (const value of [0.0625, 0.03125, 0.015625]) await writer.log(value);
      await writer.end();
      await until(() => run()?.status === 'FINISHED');
      await until(() => pointsOf(engine, run()?.runId ?? '', 'loss').length === 6);
      assert.deepEqual(
        pointsOf(engine, run()?.runId ?? '', 'loss').map(([, value]) => value),
        [0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625],
      );
    } finally {
      await writer.kill();
      await engine.interop.stopSync(source);
    }
  });

  it('copies nothing that lies outside of the folder', async () => {
    // A link in its files and an artifact of the run both lead to a file that holds "weights".
    const report = await engine.importAll(folder);
    const stored = engine.artifactFolder;
    const texts = readdirSync(stored, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
    assert.ok(!texts.includes('weights'), 'a file outside was copied');
    assert.ok(report.omissions.some(({ reason }) => reason === 'leadsOutside'));
  });
});

function logFile(folder: string, run: string): string {
  const name = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((path) =>
    path.endsWith(`run-${run}.wandb`),
  );
  return join(folder, name ?? '');
}
