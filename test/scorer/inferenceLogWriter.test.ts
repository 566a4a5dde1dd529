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
import type { LoggedRequest } from '../../src/scorer/loggedRequest.ts';
import { readLog } from './inferenceLogRows.ts';
import { removeFolder, temporaryFolder } from './scorerProcess.ts';

describe('The writer of an inference log', () => {
  let folder: string;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => removeFolder(folder));

  const refused = (requestId: string): LoggedRequest => ({
    requestId,
    receivedAt: 1,
    status: 400,
    latencyMicroseconds: 1,
    model: null,
    variant: 'version',
    rowCount: 0,
    packed: null,
  });
  const open = (file: string, warnings: string[], options: Partial<InferenceLogOptions> = {}) =>
    openInferenceLogWriter(inferenceLogOptions.parse({ file, ...options }), (message) =>
      warnings.push(message),
    );
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
    writer.write([refused('1')], []);
    writer.close();
    assert.equal(readLog(file).length, 1);
  });

  it('keeps the latest requests while the file is held, as many as fit, and says how many are lost', () => {
    const file = join(folder, 'large.db');
    const warnings: string[] = [];
    const writer = open(file, warnings);
    const holder = hold(file);
    const large = (requestId: string): LoggedRequest => ({
      ...refused(requestId),
      packed: new Uint8Array(30 * 1024 * 1024),
    });
    assert.equal(writer.write([large('1'), large('2'), large('3')], []), false);
    holder.close();
    writer.close();
    assert.equal(warnings.at(-1), `1 requests are missing from the inference log ${file}.`);
    const database = new BetterSqlite3(file, { readonly: true });
    const written = database.prepare('SELECT request_id FROM requests ORDER BY id').pluck().all();
    database.close();
    assert.deepEqual(written, ['2', '3']);
  });

  it('deletes what becomes too old while no request comes', async () => {
    const file = join(folder, 'idle.db');
    const writer = open(file, [], { keepMilliseconds: 2_000 });
    writer.write([{ ...refused('1'), receivedAt: Date.now() }], []);
    assert.equal(readLog(file).length, 1);
    while (readLog(file).length > 0) await delay(100);
    writer.close();
  });

  it('waits once for a file that is held, not again for each request that comes meanwhile', () => {
    const file = join(folder, 'held.db');
    const warnings: string[] = [];
    const writer = open(file, warnings);
    const holder = hold(file);
    for (const id of ['1', '2', '3']) writer.write([refused(id)], []);
    assert.deepEqual(warnings, [`The inference log ${file} cannot be written: database is locked`]);
    holder.close();
    writer.close();
    assert.deepEqual(
      readLog(file).map(({ request_id }) => request_id),
      ['1', '2', '3'],
    );
  });

  it('says how many requests are lost when the file is held until the end', () => {
    const file = join(folder, 'lost.db');
    const warnings: string[] = [];
    const writer = open(file, warnings);
    const holder = hold(file);
    writer.write([refused('1'), refused('2')], []);
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
    writer.write([], [told('1')]);
    first.close();
    await delay(1_300);
    const second = hold(file);
    writer.write([], [told('2')]);
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
    // What SQLite cannot bind stands for whatever should never come to the thread.
    log.add({ ...refused('1'), requestId: Object('1'), loaded: null, values: null });
    await log.close();
    assert.match(warnings.join('\n'), /^The inference log .* ended: .*\. Restart/s);
    await log.close();
  });
});
