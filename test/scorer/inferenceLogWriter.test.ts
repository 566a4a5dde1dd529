import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import BetterSqlite3 from 'better-sqlite3';
import { type InferenceLogOptions, inferenceLogOptions } from '../../src/protocol/scorer.ts';
import { openInferenceLog } from '../../src/scorer/inferenceLog.ts';
import { openInferenceLogWriter } from '../../src/scorer/inferenceLogWriter.ts';
import type { LogEntries } from '../../src/scorer/logEntries.ts';
import { createBlockBuilder } from '../../src/scorer/requestBlock.ts';
import { readLog } from './inferenceLogRows.ts';
import { removeFolder, temporaryFolder } from './scorerProcess.ts';

describe('The writer of an inference log', () => {
  let folder: string;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => removeFolder(folder));

  const refused = (requestId: string, receivedAt = 1) => ({
    requestId,
    receivedAt,
    status: 400,
    latencyMicroseconds: 1,
    variant: 'version',
    values: null,
  });
  const entries = (requestIds: readonly string[], feedback: LogEntries['feedback'] = [], receivedAt = 1) => {
    const builder = createBlockBuilder();
    for (const id of requestIds) builder.add(refused(id, receivedAt), null);
    return { requests: builder.take(null), feedback };
  };
  const open = (
    file: string,
    warnings: string[],
    options: Partial<InferenceLogOptions> = {},
    written: (entries: LogEntries) => void = () => undefined,
  ) =>
    openInferenceLogWriter(inferenceLogOptions.parse({ file, ...options }), {
      warn: (message) => warnings.push(message),
      written,
    });
  const hold = (file: string) => {
    const holder = new BetterSqlite3(file);
    holder.exec('BEGIN IMMEDIATE');
    return holder;
  };

  it('opens a file that another process holds while it opens it, too', async () => {
    const file = join(folder, 'opened.db');
    const holder = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       const database = require(workerData.driver)(workerData.file);
       database.exec('BEGIN EXCLUSIVE');
       parentPort.postMessage('held');
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
       database.exec('COMMIT');
       database.close();`,
      {
        eval: true,
        workerData: { file, driver: createRequire(import.meta.url).resolve('better-sqlite3') },
      },
    );
    await once(holder, 'message');
    const writer = open(file, []);
    writer.write(entries(['1']));
    writer.close();
    assert.equal(readLog(file).length, 1);
  });

  it('tells what is in the file in the order in which it came, those that waited for it, too', async () => {
    const file = join(folder, 'told.db');
    const written: number[] = [];
    const all = [entries(['1']), entries(['2', '3']), entries(['4'])];
    const writer = open(file, [], {}, (each) => written.push(all.indexOf(each)));
    const holder = hold(file);
    for (const each of all) writer.write(each);
    assert.deepEqual(written, []);
    holder.close();
    while (written.length < all.length) await delay(50);
    assert.deepEqual(written, [0, 1, 2]);
    assert.deepEqual(
      readLog(file).map(({ id, requestId }) => [id, requestId]),
      ['1', '2', '3', '4'].map((requestId, index) => [index + 1, requestId]),
    );
    writer.close();
  });

  it('deletes what becomes too old while no request comes', async () => {
    const file = join(folder, 'idle.db');
    const writer = open(file, [], { keepMilliseconds: 2_000 });
    writer.write(entries(['1'], [], Date.now()));
    assert.equal(readLog(file).length, 1);
    while (readLog(file).length > 0) await delay(100);
    writer.close();
  });

  it('waits once for a file that is held, not again for each request that comes meanwhile', () => {
    const file = join(folder, 'held.db');
    const warnings: string[] = [];
    const writer = open(file, warnings);
    const holder = hold(file);
    for (const id of ['1', '2', '3']) writer.write(entries([id]));
    assert.deepEqual(warnings, [`The inference log ${file} cannot be written: database is locked`]);
    holder.close();
    writer.close();
    assert.deepEqual(
      readLog(file).map(({ requestId }) => requestId),
      ['1', '2', '3'],
    );
  });

  it('leaves the file of a newer Slipway as it is', () => {
    const file = join(folder, 'newer.db');
    const database = new BetterSqlite3(file);
    database.exec(
      'CREATE TABLE requests (id INTEGER); INSERT INTO requests VALUES (1); PRAGMA user_version = 99',
    );
    assert.throws(() => open(file, []), /newer Slipway/);
    assert.equal(database.prepare('SELECT count(*) FROM requests').pluck().get(), 1);
    database.close();
  });

  it('says how many requests are lost when the file is held until the end', () => {
    const file = join(folder, 'lost.db');
    const warnings: string[] = [];
    const writer = open(file, warnings);
    const holder = hold(file);
    writer.write(entries(['1', '2']));
    writer.close();
    holder.close();
    assert.equal(warnings.at(-1), `2 requests are missing from the inference log ${file}.`);
    assert.deepEqual(readLog(file), []);
  });

  it('writes feedback that came while the file was held, without a request that follows, and says what is lost', async () => {
    const file = join(folder, 'feedback.db');
    const warnings: string[] = [];
    const writer = open(file, warnings);
    const told = (requestId: string) => ({ requestId, receivedAt: 1, truth: null, reward: 1 });
    const first = hold(file);
    writer.write(entries([], [told('1')]));
    first.close();
    await delay(1_300);
    const second = hold(file);
    writer.write(entries([], [told('2')]));
    writer.close();
    second.close();
    const database = new BetterSqlite3(file, { readonly: true });
    const written = database.prepare('SELECT request_id FROM feedback').pluck().all();
    database.close();
    assert.deepEqual(written, ['1']);
    assert.equal(warnings.at(-1), `1 pieces of feedback are missing from the inference log ${file}.`);
  });

  it('closes although its thread failed, which is said', async () => {
    const warnings: string[] = [];
    const log = await openInferenceLog(
      inferenceLogOptions.parse({ file: join(folder, 'failed.db') }),
      (message) => warnings.push(message),
    );
    // Feedback that SQLite cannot bind stands for whatever should never come to the thread.
    log.addFeedback({ requestId: '1', receivedAt: 1, truth: Object('1'), reward: 1 });
    await log.close();
    assert.match(warnings.join('\n'), /^The inference log .* ended: .*\. Restart/s);
    await log.close();
  });
});
