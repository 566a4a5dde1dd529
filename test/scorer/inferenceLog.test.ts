import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import BetterSqlite3 from 'better-sqlite3';
import { type InferenceLogOptions, inferenceLogOptions } from '../../src/protocol/scorer.ts';
import { openInferenceLog } from '../../src/scorer/inferenceLog.ts';
import { createLogRetention } from '../../src/scorer/inferenceLogRetention.ts';
import { upgradeInferenceLog } from '../../src/scorer/inferenceLogSchema.ts';
import { openInferenceLogWriter } from '../../src/scorer/inferenceLogWriter.ts';
import type { LoggedRequest } from '../../src/scorer/loggedRequest.ts';
import { classifierModel, identityModel, linearModel } from '../fixtures/onnxFile.ts';
import { forkScorer, removeFolder, startScorerProcess, temporaryFolder } from './scorerProcess.ts';

interface LogRow {
  readonly request_id: string;
  readonly received_at: number;
  readonly model_version: number;
  readonly variant: string;
  readonly row_count: number;
  readonly status: number;
  readonly latency_us: number;
  readonly inputs: string | null;
  readonly outputs: string | null;
}

function readLog(file: string): LogRow[] {
  const database = new BetterSqlite3(file, { readonly: true });
  try {
    return database.prepare<[], LogRow>('SELECT * FROM requests ORDER BY id').all();
  } finally {
    database.close();
  }
}

/** Waits until the log has so many rows: they are written a moment after the answer. */
async function waitForRows(file: string, count: number): Promise<LogRow[]> {
  for (;;) {
    const rows = readLog(file);
    if (rows.length >= count) return rows;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('The inference log of a scorer', () => {
  let folder: string;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => removeFolder(folder));

  it('holds every request by column, refused ones too, after the process ended', async () => {
    const file = join(folder, 'deep', 'columns.db');
    const before = Date.now();
    const scorer = await startScorerProcess(folder, classifierModel(['a', 'b', 'c']), {
      columns: ['acid', 'sugar'],
      inferenceLog: file,
    });
    const data = [
      [1, 2],
      [null, 4],
    ];
    const body = { id: 'mine', inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 2], data }] };
    await scorer.ask('/v2/models/wine/infer', { body });
    const records = { dataframe_records: [{ sugar: 8.6, acid: -14.6 }] };
    await scorer.ask('/invocations', { body: records, headers: { 'x-request-id': 'yours' } });
    await scorer.ask('/invocations', { body: '{' });
    await scorer.ask('/v2/models/wine/infer', { body: {} });
    await scorer.ask('/v2/models/wine');
    await fetch(`${scorer.url}/invocations`, { method: 'POST', body: '{}' });
    await scorer.drain();

    const rows = readLog(file);
    assert.deepEqual(
      rows.map(({ status, row_count, model_version }) => ({ status, row_count, model_version })),
      [
        { status: 200, row_count: 2, model_version: 3 },
        { status: 200, row_count: 1, model_version: 3 },
        { status: 400, row_count: 0, model_version: 3 },
        { status: 400, row_count: 0, model_version: 3 },
      ],
    );
    const [first, second, third] = rows;
    assert.equal(first?.request_id, 'mine');
    assert.equal(second?.request_id, 'yours');
    assert.deepEqual(JSON.parse(first?.inputs ?? ''), { acid: [1, null], sugar: [2, 4] });
    assert.deepEqual(JSON.parse(second?.inputs ?? ''), { acid: [-14.6], sugar: [8.6] });
    assert.deepEqual(JSON.parse(second?.outputs ?? ''), {
      label: ['b'],
      probability: [{ a: -14.6, b: 8.6, c: 6 }],
    });
    assert.equal(third?.inputs, null);
    assert.equal(third?.outputs, null);
    for (const { received_at, latency_us } of rows) {
      assert.ok(received_at >= before && received_at <= Date.now());
      assert.ok(latency_us > 0);
    }
  });

  it('names tensors where columns have no names, and scalars where a row has one element', async () => {
    const file = join(folder, 'tensors.db');
    const scorer = await startScorerProcess(
      folder,
      identityModel([
        { name: 'wide', element: 'float', shape: ['rows', 2] },
        { name: 'narrow', element: 'int64', shape: ['rows', 1] },
      ]),
      { inferenceLog: file },
    );
    const inputs = [
      { name: 'wide', datatype: 'FP32', shape: [2, 2], data: [1, 2, 3, 4] },
      { name: 'narrow', datatype: 'INT64', shape: [2, 1], data: [5, '9007199254740993'] },
    ];
    await scorer.ask('/v2/models/wine/infer', { body: { inputs } });
    await scorer.drain();
    const [row] = readLog(file);
    assert.equal(row?.inputs, '{"wide":[[1,2],[3,4]],"narrow":[5,9007199254740993]}');
    assert.equal(row?.outputs, '{"wide_out":[[1,2],[3,4]],"narrow_out":[5,9007199254740993]}');
  });

  it('keeps what was flushed when the process is killed, and goes on where it was', async () => {
    const file = join(folder, 'killed.db');
    const options = { inferenceLog: file };
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }];
    const scorer = await startScorerProcess(folder, linearModel(), options);
    await Promise.all(
      Array.from({ length: 700 }, (_, id) =>
        scorer.ask('/v2/models/wine/infer', { body: { id: `${id}`, inputs } }),
      ),
    );
    await waitForRows(file, 700);
    scorer.process.kill('SIGKILL');
    await once(scorer.process, 'exit');
    assert.equal(new Set(readLog(file).map(({ request_id }) => request_id)).size, 700);

    const again = await startScorerProcess(folder, linearModel(), options);
    await again.ask('/v2/models/wine/infer', { body: { inputs } });
    await again.drain();
    assert.equal(readLog(file).length, 701);
  });

  it('answers while another process holds the file, and writes afterwards', async () => {
    const file = join(folder, 'held.db');
    const scorer = await startScorerProcess(folder, linearModel(), { inferenceLog: file });
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }];
    const holder = new BetterSqlite3(file);
    holder.exec('BEGIN IMMEDIATE');
    assert.equal((await scorer.ask('/v2/models/wine/infer', { body: { inputs } })).status, 200);
    while (!scorer.messages.some(({ type }) => type === 'warning')) await once(scorer.process, 'message');
    assert.equal((await scorer.ask('/v2/models/wine/infer', { body: { inputs } })).status, 200);
    holder.exec('COMMIT');
    holder.close();
    assert.equal((await waitForRows(file, 2)).length, 2);
    await scorer.drain();
  });

  it('stops the scorer from starting when it cannot be opened', async () => {
    const file = join(folder, `${crypto.randomUUID()}.onnx`);
    await writeFile(file, linearModel());
    const { child, first } = forkScorer(
      {
        endpoint: 'wine',
        models: [{ name: 'wine', version: 1, source: { type: 'onnx', file } }],
        host: '127.0.0.1',
        port: 0,
        token: null,
        inferenceLog: { file: folder },
      },
      () => undefined,
    );
    const exited = once(child, 'exit');
    const message = await first;
    assert.equal(message.type === 'failed' && message.error.kind, 'storeUnreadable');
    assert.deepEqual(await exited, [1, null]);
  });
});

describe('What an inference log keeps', () => {
  let folder: string;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => removeFolder(folder));

  const columns = ['acid', 'sugar', 'age'];
  const body = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }] };

  it('leaves out the values of redacted columns and outputs, and nothing else', async () => {
    const file = join(folder, 'redacted.db');
    const inferenceLog = { file, redact: ['sugar', 'y'] };
    const scorer = await startScorerProcess(folder, linearModel(), { columns, inferenceLog });
    assert.equal((await scorer.ask('/v2/models/wine/infer', { body })).json.outputs[0].data[0], 14.5);
    await scorer.drain();
    const [row] = readLog(file);
    assert.equal(row?.inputs, '{"acid":[1],"sugar":null,"age":[3]}');
    assert.equal(row?.outputs, '{"y":null}');
    assert.equal((await readFile(file)).includes('14.5'), false);
  });

  it('takes a sample of what went well, and all of what did not', async () => {
    const file = join(folder, 'sampled.db');
    const inferenceLog = { file, sample: 0.25 };
    const scorer = await startScorerProcess(folder, linearModel(), { columns, inferenceLog });
    for (let time = 0; time < 200; time++) await scorer.ask('/v2/models/wine/infer', { body });
    for (let time = 0; time < 7; time++) await scorer.ask('/v2/models/wine/infer', { body: {} });
    await scorer.drain();
    const statuses = readLog(file).map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 400).length, 7);
    const kept = statuses.filter((status) => status === 200).length;
    // Five standard deviations of a binomial distribution.
    assert.ok(Math.abs(kept - 50) < 5 * Math.sqrt(200 * 0.25 * 0.75), `${kept}`);
  });

  it('holds what clients told later', async () => {
    const file = join(folder, 'feedback.db');
    const scorer = await startScorerProcess(folder, linearModel(), { columns, inferenceLog: file });
    const { headers } = await scorer.ask('/v2/models/wine/infer', { body });
    const id = headers.get('x-request-id');
    const told = [
      { request_id: id, truth: [14] },
      { request_id: id, reward: 1.5 },
    ];
    assert.equal((await scorer.ask('/v2/feedback', { body: told })).status, 202);
    await scorer.drain();
    const log = new BetterSqlite3(file, { readonly: true });
    const rows = log.prepare('SELECT request_id, truth, reward FROM feedback ORDER BY id').raw().all();
    log.close();
    assert.deepEqual(rows, [
      [id, '[14]', null],
      [id, null, 1.5],
    ]);
  });

  it('is brought up to date when it is of the first version, with all that is in it', async () => {
    const file = join(folder, 'old.db');
    const old = new BetterSqlite3(file);
    old.exec(`
      CREATE TABLE requests (id INTEGER PRIMARY KEY, request_id TEXT NOT NULL, received_at INTEGER NOT NULL,
        model_version INTEGER NOT NULL, row_count INTEGER NOT NULL, status INTEGER NOT NULL,
        latency_us INTEGER NOT NULL, inputs TEXT, outputs TEXT) STRICT;
      CREATE INDEX requests_by_time ON requests (received_at);
      INSERT INTO requests VALUES (1, 'old', 5, 2, 1, 200, 10, '{}', '{}');
      PRAGMA user_version = 1;`);
    old.close();
    const scorer = await startScorerProcess(folder, linearModel(), { columns, inferenceLog: file });
    await scorer.ask('/v2/models/wine/infer', { body });
    await scorer.drain();
    assert.deepEqual(
      readLog(file).map(({ model_version, variant }) => [model_version, variant]),
      [
        [2, 'stable'],
        [3, 'stable'],
      ],
    );
  });

  it('deletes what is too old, oldest first, whatever came between', () => {
    const file = join(folder, 'aged.db');
    const writer = openInferenceLogWriter(
      inferenceLogOptions.parse({ file, keepMilliseconds: 60_000 }),
      () => undefined,
    );
    const now = Date.now();
    const at = (id: string, receivedAt: number): LoggedRequest => ({
      requestId: id,
      receivedAt,
      status: 400,
      latencyMicroseconds: 1,
      model: null,
      variant: 'version',
      values: null,
    });
    writer.write([at('old', now - 61_000), at('new', now - 1_000), at('older', now - 70_000)], []);
    writer.close();
    assert.deepEqual(
      readLog(file).map(({ request_id }) => request_id),
      ['new'],
    );
  });

  it('stays within its size, and keeps the newest', () => {
    const file = join(folder, 'sized.db');
    const keepBytes = 512 * 1024;
    const database = new BetterSqlite3(file);
    database.pragma('synchronous = OFF');
    upgradeInferenceLog(database);
    const insert = database.prepare(
      "INSERT INTO requests VALUES (NULL, ?, 1, 'wine', 1, 'stable', 1, 200, 1, ?, '{}')",
    );
    const retention = createLogRetention(database, { keepMilliseconds: null, keepBytes });
    let time = 0;
    for (let round = 0; round < 40; round++) {
      database.transaction(() => {
        for (let index = 0; index < 100; index++) insert.run(`${round * 100 + index}`, 'x'.repeat(500));
      })();
      time += 10_000;
      retention.apply(time);
    }
    const used =
      (Number(database.pragma('page_count', { simple: true })) -
        Number(database.pragma('freelist_count', { simple: true }))) *
      Number(database.pragma('page_size', { simple: true }));
    assert.ok(used <= keepBytes * 1.1, `${used}`);
    const ids = database
      .prepare<[], { request_id: string }>('SELECT request_id FROM requests ORDER BY id')
      .all();
    database.close();
    assert.equal(ids.at(-1)?.request_id, '3999');
    assert.ok(ids.length > 400, `${ids.length} are left`);
    assert.equal(Number(ids[0]?.request_id), 4000 - ids.length, 'those in the middle are there, too');
  });
});

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
    values: null,
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

  it('keeps a request whose values cannot be written, and all that come with it', () => {
    const file = join(folder, 'values.db');
    const warnings: string[] = [];
    const writer = open(file, warnings);
    const x = { name: 'x', datatype: 'FP32' as const, shape: [-1] };
    writer.announce(0, {
      name: 'wine',
      version: 3,
      inputs: [x],
      outputs: [{ ...x, labels: null }],
      layout: null,
    });
    const tensor = { datatype: 'FP32' as const, shape: [1], data: Float32Array.of(1) };
    const tooLong = {
      ...tensor,
      get data(): Float32Array<ArrayBuffer> {
        throw new RangeError('Invalid string length');
      },
    };
    const asked = (requestId: string, feed: typeof tensor): LoggedRequest => ({
      ...refused(requestId),
      status: 200,
      model: 0,
      values: { feeds: [feed], outputs: [tensor] },
    });
    writer.write([asked('1', tensor), asked('2', tooLong), asked('3', tensor)], []);
    writer.close();
    assert.deepEqual(
      readLog(file).map(({ request_id, inputs }) => [request_id, inputs]),
      [
        ['1', '{"x":[1]}'],
        ['2', null],
        ['3', '{"x":[1]}'],
      ],
    );
    assert.match(warnings.join(), /^The values of request "2" are missing .*: Invalid string length$/);
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
