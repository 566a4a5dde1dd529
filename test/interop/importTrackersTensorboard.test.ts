import assert from 'node:assert/strict';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ImportEngine, openImportEngine, unwatched } from '../engine/importEngine.ts';
import { dumpStore } from '../engine/storeDump.ts';
import { pythonWithPeers } from '../python.ts';
import { type ImportedRunView, importedRuns, pointsOf, until } from './importedRuns.ts';
import { runTracker, startTracker } from './trackerScript.ts';

const series = (...values: readonly number[]) => values.map((value, step) => [step, value]);

describe("Importing TensorBoard's event files", function () {
  this.timeout(120_000);
  let python: string;
  let home: string;
  let logs: string;
  let engine: ImportEngine;
  before(async function () {
    python = pythonWithPeers(this, 'SLIPWAY_TEST_PYTHON_TRACKERS');
    home = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-tensorboard-')));
    logs = join(home, 'experiments');
    await runTracker(python, 'tensorboard_runs.py', logs);
  });
  after(() => home && rmSync(home, { recursive: true, force: true }));
  beforeEach(() => {
    engine = openImportEngine();
  });
  afterEach(() => engine.close());

  it('takes each folder for a run, with what was written by tensorboardX and TensorBoard itself', async () => {
    const report = await engine.importAll(logs);
    assert.equal(report.runs, 6);
    const runs = importedRuns(engine, 'experiments');
    const run = (name: string): ImportedRunView => runs[name] ?? assert.fail(`no run ${name}`);

    assert.deepEqual(run('baseline').metrics, {
      loss: series(1, 0.5, Math.fround(1 / 3), 0.25, Math.fround(0.2)),
      odd____: [
        [0, Number.NaN],
        [1, Number.POSITIVE_INFINITY],
      ],
      negative_step: [[-3, 2.5]],
    });
    assert.equal(run('baseline').tags.note, 'hello **world**');
    assert.deepEqual(run('baseline').artifacts, ['images/digits/one/step-7.png', 'text/note/step-0.md']);
    assert.deepEqual(run('baseline/pair/val').metrics, { pair: series(0, 2, 4, 6, 8) });
    assert.equal(run('baseline/pair/val').parentRunId, run('baseline').runId);
    assert.deepEqual(run('baseline/trial').params, { lr: '0.1', opt: 'adam', nesterov: 'True' });
    assert.equal(run('baseline/trial').status, 'FINISHED');

    assert.deepEqual(run('deep/simple').metrics, { loss: series(1, 0.5, 0.25) });
    const tensors = run('deep/tensors');
    assert.deepEqual(tensors.metrics, {
      float32: series(0, 0.5, 1),
      float64: series(0, 0.1, 0.2),
      content: series(0, 0.25, 0.5),
      ...Object.fromEntries(
        Object.entries({ float16: 1.5, int32: -3, int64: -4, uint8: 200, bool: 1 }).flatMap(
          ([type, value]) => [
            [`types/${type}`, series(value)],
            [`contents/${type}`, series(value)],
          ],
        ),
      ),
    });
    assert.deepEqual(tensors.params, { lr: '0.1', units: '32', opt: 'adam', flag: 'True' });
    assert.deepEqual([tensors.status, tensors.endTime], ['FAILED', 1700000060500]);
    assert.equal(tensors.tags.text, 'first\n\nsecond');
    assert.deepEqual(tensors.artifacts, [
      'images/image/step-0-1.png',
      'images/image/step-0-2.png',
      'text/text/step-0.md',
    ]);
    assert.deepEqual(report.omissions, [
      { subject: 'run baseline', reason: 'notSupported', values: { detail: 'histograms (12)' } },
    ]);
  });

  it('changes nothing the second time, nor when the folder was moved', async () => {
    await engine.importAll(logs);
    const before = dumpStore(engine.database);
    const second = await engine.importAll(logs);
    assert.deepEqual([second.runs, second.points, second.artifacts, second.unchangedParts], [0, 0, 0, 6]);

    const moved = join(home, 'elsewhere', 'experiments');
    cpSync(logs, moved, { recursive: true });
    const third = await engine.importAll(moved);
    rmSync(join(home, 'elsewhere'), { recursive: true });
    assert.deepEqual([third.runs, third.points, third.artifacts], [0, 0, 0]);
    assert.deepEqual(dumpStore(engine.database), before);
  });

  it('takes what can be read of damaged files, and names the byte', async () => {
    const copy = join(home, 'damaged');
    cpSync(join(logs, 'deep'), copy, { recursive: true });
    const simple = eventFile(join(copy, 'simple'));
    const bytes = readFileSync(simple);
    const second = recordOffsets(bytes)[2] ?? 0;
    bytes[second + 20] = (bytes[second + 20] ?? 0) ^ 0xff;
    writeFileSync(simple, bytes);
    const tensors = eventFile(join(copy, 'tensors'));
    const size = readFileSync(tensors).length;
    truncateSync(tensors, size - 5);
    utimesSync(tensors, 1_600_000_000, 1_600_000_000);
    symlinkSync(eventFile(join(logs, 'baseline')), join(copy, 'simple', 'events.out.tfevents.1.outside'));

    const report = await engine.importAll(copy);
    const runs = importedRuns(engine, 'damaged');
    assert.equal(runs.simple?.metrics.loss?.length, 2);
    assert.deepEqual(runs.tensors?.metrics.float32?.length, 3);
    const last = recordOffsets(readFileSync(eventFile(join(logs, 'deep', 'tensors')))).at(-1) ?? 0;
    assert.deepEqual(
      report.omissions.map(({ subject, reason, values }) => [
        subject.split('/')[0],
        reason,
        values.offset ?? null,
      ]),
      [
        ['simple', 'damaged', second],
        ['tensors', 'damaged', last],
        ['simple', 'leadsOutside', null],
      ],
    );
    rmSync(copy, { recursive: true });
  });

  it('follows a run while it is written', async () => {
    const folder = join(home, 'growing');
    const source = { kind: 'tensorboard', path: folder } as const;
    const writer = await startTracker(python, 'tensorboard_runs.py', folder, false);
    try {
      await writer.log(0.5);
      await engine.interop.import({ ...source, remaps: [], keepInSync: true }, unwatched);
      const { live } = importedRuns(engine, 'growing');
      assert.equal(live?.status, 'RUNNING');
      const values = () => pointsOf(engine, live?.runId ?? '', 'loss').map(([, value]) => value);
      await writer.log(0.25);
      // The writer holds the newest value back until there is another one.
      await until(() => values().length === 1);
      await writer.log(0.125);
      await until(() => values().length === 2);
      await writer.end();
      await until(() => values().length === 3);
      assert.deepEqual(values(), [0.5, 0.25, 0.125]);
    } finally {
      await writer.end();
      await engine.interop.stopSync(source);
    }
  });
});

function eventFile(folder: string): string {
  const name = readdirSync(folder).find((entry) => entry.includes('tfevents'));
  return join(folder, name ?? '');
}

/** Where the records of a TFRecord file begin. */
function recordOffsets(bytes: Uint8Array): readonly number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const offsets: number[] = [];
  for (let at = 0; at < bytes.length; at += Number(view.getBigUint64(at, true)) + 16) offsets.push(at);
  return offsets;
}
