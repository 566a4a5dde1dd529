import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { createLogRetention } from '../../src/scorer/inferenceLogRetention.ts';
import { linearModel } from '../fixtures/onnxFile.ts';
import { writeInferenceLogFile } from '../inferenceLogFile.ts';
import { readLog } from './inferenceLogRows.ts';
import { removeFolder, startScorerProcess, temporaryFolder } from './scorerProcess.ts';

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

  it('takes another sample from the moment that it is told', async () => {
    const file = join(folder, 'resampled.db');
    const scorer = await startScorerProcess(folder, linearModel(), { columns, inferenceLog: file });
    const ids = [];
    for (const share of [1, 0, 1]) {
      assert.equal((await scorer.command({ type: 'sample', share })).type, 'done');
      ids.push((await scorer.ask('/v2/models/wine/infer', { body })).headers.get('x-request-id'));
    }
    await scorer.drain();
    assert.deepEqual(
      readLog(file).map(({ requestId }) => requestId),
      [ids[0], ids[2]],
    );
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

  it('is begun anew when it is from before the first release, which is said', async () => {
    const file = join(folder, 'old.db');
    const old = new BetterSqlite3(file);
    old.exec(`
      CREATE TABLE requests (id INTEGER PRIMARY KEY, request_id TEXT NOT NULL) STRICT;
      CREATE TABLE feedback (id INTEGER PRIMARY KEY, request_id TEXT NOT NULL, received_at INTEGER NOT NULL,
        truth TEXT, reward REAL) STRICT;
      INSERT INTO requests VALUES (1, 'old');
      PRAGMA user_version = 3;`);
    old.close();
    const scorer = await startScorerProcess(folder, linearModel(), { columns, inferenceLog: file });
    await scorer.ask('/v2/models/wine/infer', { body });
    await scorer.drain();
    assert.deepEqual(
      readLog(file).map(({ version, variant }) => [version, variant]),
      [[3, 'stable']],
    );
    const said = scorer.messages.flatMap((message) => (message.type === 'warning' ? [message.message] : []));
    assert.match(said.join(), /^1 requests, logged before the first release, were deleted/);
  });

  it('describes the values of a version once, however often it is served', async () => {
    const file = join(folder, 'again.db');
    for (let time = 0; time < 2; time++) {
      const scorer = await startScorerProcess(folder, linearModel(), { columns, inferenceLog: file });
      await scorer.ask('/v2/models/wine/infer', { body });
      await scorer.drain();
    }
    const log = new BetterSqlite3(file, { readonly: true });
    assert.equal(log.prepare('SELECT count(*) FROM models').pluck().get(), 1);
    log.close();
    assert.deepEqual(
      readLog(file).map(({ inputs }) => inputs),
      Array.from({ length: 2 }, () => '{"acid":[1],"sugar":[2],"age":[3]}'),
    );
  });
});

describe('The retention of an inference log', () => {
  let folder: string;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => removeFolder(folder));

  const usedBytes = (database: BetterSqlite3.Database) =>
    (Number(database.pragma('page_count', { simple: true })) -
      Number(database.pragma('freelist_count', { simple: true }))) *
    Number(database.pragma('page_size', { simple: true }));

  it('deletes what is too old, oldest first, whatever came between', () => {
    const file = join(folder, 'aged.db');
    const now = Date.now();
    const ages = { old: 61_000, new: 1_000, older: 70_000, alsoNew: 2_000 };
    const requests = Object.entries(ages).map(([id, age]) => ({ id, receivedAt: now - age }));
    writeInferenceLogFile(file, requests, [], 1);
    const database = new BetterSqlite3(file);
    createLogRetention(database, { keepMilliseconds: 60_000, keepBytes: null }).apply(now);
    database.close();
    assert.deepEqual(
      readLog(file).map(({ requestId }) => requestId),
      ['new', 'alsoNew'],
    );
  });

  it('stays within its size, and keeps the newest without a gap', () => {
    const file = join(folder, 'sized.db');
    const keepBytes = 2 * 1024 * 1024;
    const long = { x: ['x'.repeat(2000)] };
    let database: BetterSqlite3.Database | null = null;
    for (let round = 0; round < 40; round++) {
      writeInferenceLogFile(
        file,
        Array.from({ length: 100 }, (_, index) => ({
          id: `${round * 100 + index}`,
          receivedAt: 1,
          inputs: long,
        })),
        [],
        10,
      );
      database ??= new BetterSqlite3(file);
      createLogRetention(database, { keepMilliseconds: null, keepBytes }).apply(round);
      assert.ok(usedBytes(database) <= keepBytes, `${usedBytes(database)} in round ${round}`);
    }
    database?.close();
    const ids = readLog(file).map(({ id, requestId }) => [id, Number(requestId)]);
    assert.ok(ids.length > 500, `${ids.length} are left`);
    const first = 4000 - ids.length;
    assert.deepEqual(
      ids,
      ids.map((_, index) => [first + index + 1, first + index]),
    );
  });

  it('counts what clients told later, and forgets the oldest of it', () => {
    const keepBytes = 1024 * 1024;
    const file = join(folder, 'feedback.db');
    const truth = `"${'x'.repeat(200)}"`;
    const told = Array.from({ length: 10_000 }, (_, index) => ({ id: 'a', receivedAt: index, truth }));
    writeInferenceLogFile(file, [], told);
    const database = new BetterSqlite3(file);
    const retention = createLogRetention(database, { keepMilliseconds: null, keepBytes });
    for (let time = 1; time < 20; time++) retention.apply(time * 10_000);
    const used = usedBytes(database);
    const [first, count] = database
      .prepare<[], [number, number]>('SELECT min(received_at), count(*) FROM feedback')
      .raw()
      .get() ?? [Number.NaN, Number.NaN];
    database.close();
    assert.ok(used <= keepBytes, `${used}`);
    assert.ok(count > 500, `${count} are left`);
    assert.equal(first, 10_000 - count);
  });
});
