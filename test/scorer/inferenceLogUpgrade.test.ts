import assert from 'node:assert/strict';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { createLoggedValuesReader, type StoredValues } from '../../src/protocol/loggedValues.ts';
import { inferenceLogOptions } from '../../src/protocol/scorer.ts';
import { createLogRetention } from '../../src/scorer/inferenceLogRetention.ts';
import { upgradeInferenceLog } from '../../src/scorer/inferenceLogSchema.ts';
import { openInferenceLogWriter } from '../../src/scorer/inferenceLogWriter.ts';
import { createRequestPacker, unpackRequests } from '../../src/scorer/packedRequests.ts';
import { layOutValues } from '../../src/scorer/valueLayouts.ts';
import { readLoggedRequests } from '../../src/worker/loggedRequests.ts';
import { readLog } from './inferenceLogRows.ts';
import { removeFolder, temporaryFolder } from './scorerProcess.ts';

describe('An inference log that an older Slipway wrote', () => {
  let folder: string;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => removeFolder(folder));

  const x = { name: 'x', datatype: 'INT64' as const, shape: [-1] };
  const { description, hidden } = layOutValues({ inputs: [x], outputs: [], layout: null }, new Set());
  const packer = createRequestPacker();
  const asked = (requestId: string, value: bigint) => {
    const feeds = [{ datatype: 'INT64' as const, shape: [1], data: BigInt64Array.of(value) }];
    packer.add(
      {
        requestId,
        receivedAt: 1,
        status: 200,
        latencyMicroseconds: 1,
        model: 0,
        variant: 'stable',
        values: { feeds, outputs: [] },
      },
      hidden,
    );
    return unpackRequests(packer.take(null));
  };
  const open = (file: string) => openInferenceLogWriter(inferenceLogOptions.parse({ file }), assert.fail);
  const writeOld = (file: string) => {
    const old = new BetterSqlite3(file);
    old.exec(`
      CREATE TABLE requests (id INTEGER PRIMARY KEY, request_id TEXT NOT NULL, received_at INTEGER NOT NULL,
        model_name TEXT, model_version INTEGER NOT NULL, variant TEXT NOT NULL DEFAULT 'stable',
        row_count INTEGER NOT NULL, status INTEGER NOT NULL, latency_us INTEGER NOT NULL,
        inputs TEXT, outputs TEXT) STRICT;
      CREATE INDEX requests_by_time ON requests (received_at);
      CREATE TABLE feedback (id INTEGER PRIMARY KEY, request_id TEXT NOT NULL, received_at INTEGER NOT NULL,
        truth TEXT, reward REAL) STRICT;
      CREATE INDEX feedback_by_time ON feedback (received_at);
      INSERT INTO requests VALUES (1, 'old', 5, 'wine', 2, 'stable', 1, 200, 10, '{"x":[7]}', '{}');
      PRAGMA user_version = 2;`);
    old.close();
  };

  it('is read as it is, and beside new requests once a scorer has opened it', () => {
    const file = join(folder, 'second.db');
    writeOld(file);
    const told = () => readLog(file).map(({ request_id, inputs }) => [request_id, inputs]);
    assert.deepEqual(told(), [['old', '{"x":[7]}']]);
    const writer = open(file);
    writer.announce(0, { name: 'wine', version: 3, layout: JSON.stringify(description) });
    assert.equal(writer.write(asked('new', 9007199254740993n), []), true);
    writer.close();
    assert.deepEqual(told(), [
      ['old', '{"x":[7]}'],
      ['new', '{"x":[9007199254740993]}'],
    ]);
  });

  it('gives values of both kinds by name', () => {
    const file = join(folder, 'values.db');
    writeOld(file);
    const writer = open(file);
    writer.announce(0, { name: 'wine', version: 3, layout: JSON.stringify(description) });
    writer.write(asked('new', 8n), []);
    writer.close();
    const database = new BetterSqlite3(file, { readonly: true });
    const reader = createLoggedValuesReader(database);
    const rows = database
      .prepare<[], StoredValues>(`SELECT ${reader.columns} FROM requests ORDER BY id`)
      .all();
    const values = rows.map((row) => [...(reader.values(row, 'inputs') ?? [])]);
    database.close();
    assert.deepEqual(values, [[['x', [7]]], [['x', [8n]]]]);
  });

  it('is one with its new requests for who studies inputs', async () => {
    const file = join(folder, 'studied.db');
    writeOld(file);
    const writer = open(file);
    writer.announce(0, { name: 'wine', version: 3, layout: JSON.stringify(description) });
    writer.write(asked('new', 8n), []);
    writer.close();
    const window = { endpoint: 'wine', inferenceLog: file, from: 0, to: 10 };
    const { rowCount, columns } = await readLoggedRequests(window, () => undefined);
    assert.equal(rowCount, 2);
    assert.deepEqual([...(columns.get('x')?.numbers ?? [])].sort(), [7, 8]);
  });

  it('describes the values of a model once, however often it is served', () => {
    const file = join(folder, 'again.db');
    for (const id of ['1', '2', '3']) {
      const writer = open(file);
      writer.announce(0, { name: 'wine', version: 3, layout: JSON.stringify(description) });
      writer.write(asked(id, 1n), []);
      writer.close();
    }
    const database = new BetterSqlite3(file, { readonly: true });
    const counts = database
      .prepare('SELECT (SELECT count(*) FROM layouts), count(layout) FROM requests')
      .raw()
      .get();
    database.close();
    assert.deepEqual(counts, [1, 3]);
  });
});

describe('The size of an inference log', () => {
  let folder: string;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => removeFolder(folder));

  it('counts what clients told later, and forgets the oldest of it', () => {
    const keepBytes = 256 * 1024;
    const database = new BetterSqlite3(join(folder, 'feedback.db'));
    upgradeInferenceLog(database);
    const insert = database.prepare("INSERT INTO feedback VALUES (NULL, 'a', ?, ?, NULL)");
    database.transaction(() => {
      for (let index = 0; index < 4000; index++) insert.run(index, `"${'x'.repeat(200)}"`);
    })();
    const retention = createLogRetention(database, { keepMilliseconds: null, keepBytes });
    for (let time = 1; time < 20; time++) retention.apply(time * 10_000);
    const used =
      (Number(database.pragma('page_count', { simple: true })) -
        Number(database.pragma('freelist_count', { simple: true }))) *
      Number(database.pragma('page_size', { simple: true }));
    const [first, count] = database
      .prepare('SELECT min(received_at), count(*) FROM feedback')
      .raw()
      .get() as [number, number];
    database.close();
    assert.ok(used <= keepBytes, `${used}`);
    assert.ok(count > 500, `${count} are left`);
    assert.equal(first, 4000 - count);
  });
});
