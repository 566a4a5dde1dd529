import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { inferenceLogOptions } from '../../src/protocol/scorer.ts';
import { createLogRetention } from '../../src/scorer/inferenceLogRetention.ts';
import { upgradeInferenceLog } from '../../src/scorer/inferenceLogSchema.ts';
import { openInferenceLogWriter } from '../../src/scorer/inferenceLogWriter.ts';
import type { LoggedRequest } from '../../src/scorer/loggedRequest.ts';
import { linearModel } from '../fixtures/onnxFile.ts';
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
      rowCount: 0,
      packed: null,
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
      "INSERT INTO requests VALUES (NULL, ?, 1, 'wine', 1, 'stable', 1, 200, 1, ?, '{}', NULL, NULL)",
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
