import assert from 'node:assert/strict';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { maskedCrc32c } from '../../../src/worker/import/tensorboard/crc32c.ts';
import { importedRuns } from '../../interop/importedRuns.ts';
import { type ImportEngine, openImportEngine } from '../importEngine.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

describe('Importing runs that do not say when they end', function () {
  this.timeout(60_000);
  let engine: ImportEngine;
  let folder: string;
  const now = Date.now();
  beforeEach(() => {
    engine = openImportEngine();
    folder = join(engine.folder, 'source', 'experiments');
  });
  afterEach(() => engine.close());

  /** Writes an event file of TensorBoard with one event. */
  const writeRun = (run: string, eventTime: number, fileTime: number) => {
    const file = join(folder, run, 'events.out.tfevents.1700000000.host');
    mkdirSync(join(folder, run), { recursive: true });
    writeFileSync(file, eventFile(eventTime));
    utimesSync(file, fileTime / 1000, fileTime / 1000);
  };
  const statuses = (experiment: string) =>
    Object.fromEntries(
      Object.entries(importedRuns(engine, experiment)).map(([name, { status, endTime }]) => [
        name,
        [status, endTime],
      ]),
    );

  it('takes those of an old folder of TensorBoard as finished at once, and one that is being written as running', async () => {
    writeRun('old', now - 2 * day, now - 2 * day);
    writeRun('copied', now - 3 * day, now);
    writeRun('by a wrong clock', now + minute, now - day);
    writeRun('by another', now + 30 * day, now + 30 * day);
    writeRun('live', now - minute, now);
    await engine.importAll(folder);
    assert.deepEqual(statuses('experiments'), {
      old: ['FINISHED', now - 2 * day],
      copied: ['FINISHED', now - 3 * day],
      'by a wrong clock': ['FINISHED', now + minute],
      'by another': ['FINISHED', now + 30 * day],
      live: ['RUNNING', null],
    });
    // The next import finds that it was silent.
    writeRun('live', now - minute, now - 11 * minute);
    const { runs } = await engine.importAll(folder);
    assert.equal(runs, 1);
    assert.deepEqual(statuses('experiments').live, ['FINISHED', now - minute]);
  });

  it('takes a copy of an old folder of DVCLive as finished at once', async () => {
    const write = (run: string, time: number) => {
      const live = join(folder, run, 'dvclive');
      mkdirSync(join(live, 'plots', 'metrics'), { recursive: true });
      writeFileSync(join(live, 'metrics.json'), '{"loss": 0.5, "step": 0}');
      writeFileSync(join(live, 'plots', 'metrics', 'loss.tsv'), `timestamp\tstep\tloss\n${time}\t0\t0.5\n`);
    };
    write('copied', now - day);
    write('live', now);
    await engine.importAll(folder);
    assert.deepEqual(statuses('experiments'), {
      'copied/dvclive': ['FINISHED', now - day],
      'live/dvclive': ['RUNNING', null],
    });
  });
});

/** A TFRecord file with an event that has the value 0.5 of a metric `loss`. */
function eventFile(time: number): Uint8Array {
  const value = Buffer.concat([Buffer.from('\x0a\x04loss\x15', 'latin1'), floatBytes(0.5)]);
  const summary = Buffer.concat([Buffer.from([0x0a, value.length]), value]);
  const wallTime = Buffer.alloc(9, 0x09);
  wallTime.writeDoubleLE(time / 1000, 1);
  const event = Buffer.concat([wallTime, Buffer.from([0x2a, summary.length]), summary]);
  const header = Buffer.alloc(12);
  header.writeBigUInt64LE(BigInt(event.length));
  header.writeUInt32LE(maskedCrc32c(header.subarray(0, 8)), 8);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE(maskedCrc32c(event));
  return Buffer.concat([header, event, checksum]);
}

function floatBytes(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}
