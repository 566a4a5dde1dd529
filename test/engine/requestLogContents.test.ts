import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import BetterSqlite3 from 'better-sqlite3';
import { inferenceLogFile, storeLayout } from '../../src/engine/layout.ts';
import { createRequestLog } from '../../src/engine/serving/requestLog.ts';
import { createWorkerProcesses } from '../../src/engine/workerProcess.ts';
import { requestFilter } from '../../src/protocol/requests.ts';
import { exportRequests } from '../../src/worker/requests/exportRequests.ts';
import { openRequestRows } from '../../src/worker/requests/requestRows.ts';
import { errorOfKind } from '../errorOfKind.ts';
import { removeFolder, temporaryFolder } from '../scorer/scorerProcess.ts';
import { type WrittenFeedback, type WrittenRequest, writeRequests } from './writtenRequests.ts';

/** Logs of all kinds, as files. */
describe('An export of logged requests', function () {
  this.timeout(60_000);
  let folder: string;
  let log: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
    log = join(folder, 'wine.db');
  });
  afterEach(() => removeFolder(folder));

  const exportTo = (output: string) =>
    exportRequests(
      {
        type: 'exportRequests',
        endpoint: 'wine',
        inferenceLog: log,
        filter: requestFilter.parse({}),
        limit: 1000,
        output,
        format: null,
        temporaryFolder: join(folder, 'temporary'),
        unfinished: join(output, '..', '.unfinished'),
      },
      () => undefined,
    );
  const exported = async (
    requests: readonly WrittenRequest[],
    columns: string,
    feedback: readonly WrittenFeedback[] = [],
  ) => {
    writeRequests(log, requests, feedback);
    const output = join(folder, 'requests.parquet');
    await exportTo(output);
    const database = await DuckDBInstance.create();
    const connection = await database.connect();
    const reader = await connection.runAndReadAll(`SELECT ${columns} FROM '${output}' ORDER BY ALL`);
    const answer = { types: reader.columnTypes().map(String), rows: reader.getRowsJson() };
    connection.closeSync();
    database.closeSync();
    return answer;
  };

  it('keeps every digit of long integers', async () => {
    const { types, rows } = await exported(
      [
        { id: 'a', inputs: '{"id":[9007199254740993]}', outputs: '{"y":[18446744073709551615]}' },
        { id: 'b', inputs: '{"id":[-9223372036854775808]}', outputs: '{"y":[1]}' },
      ],
      'request_id, "inputs.id", "outputs.y"',
    );
    assert.deepEqual(types, ['VARCHAR', 'BIGINT', 'UBIGINT']);
    assert.deepEqual(rows, [
      ['a', '9007199254740993', '18446744073709551615'],
      ['b', '-9223372036854775808', '1'],
    ]);
  });

  it('leaves texts as they are, whatever they look like', async () => {
    const texts = ['2026-03-01', '01/02/2026', 'ABCDEF00-0000-4000-8000-00000000000A', '007', '\ud800'];
    const { types, rows } = await exported(
      texts.map((text, index) => ({
        id: index === 0 ? 'ABCDEF00-0000-4000-8000-00000000000B' : `r${index}`,
        inputs: JSON.stringify({ text: [text] }),
        outputs: '{"y":[true]}',
      })),
      'request_id, "inputs.text", "outputs.y", received_at',
    );
    assert.deepEqual(types, ['VARCHAR', 'VARCHAR', 'BOOLEAN', 'TIMESTAMP']);
    assert.deepEqual(
      rows.map((row) => row[1]),
      [...texts.slice(0, 4), '\ufffd'],
    );
    assert.deepEqual(rows[0]?.slice(0, 1), ['ABCDEF00-0000-4000-8000-00000000000B']);
    assert.equal(rows[0]?.[3], '2026-03-01 00:00:00');
  });

  it('has null for a redacted column, and infinite numbers among the others', async () => {
    const { types, rows } = await exported(
      [{ id: 'a', inputs: '{"name":null,"x":[0.5,"-Infinity",null]}', outputs: '{"y":[1,2,3]}' }],
      'row, "inputs.name", "inputs.x", "outputs.y"',
    );
    assert.deepEqual(types, ['BIGINT', 'VARCHAR', 'DOUBLE', 'BIGINT']);
    assert.deepEqual(rows, [
      ['0', null, 0.5, '1'],
      ['1', null, '-Infinity', '2'],
      ['2', null, null, '3'],
    ]);
  });

  it('has a column for each class, tells names apart by case, and keeps tensors as lists', async () => {
    const { rows, types } = await exported(
      [
        {
          id: 'a',
          inputs: '{"Age":[1],"age":[2],"image":[[[1,2],[3,4.5]]]}',
          outputs: '{"probability":[{"it\'s \\"red\\"":0.25,"white":0.75}]}',
        },
      ],
      '*',
    );
    assert.deepEqual(rows[0]?.slice(8), [
      '1',
      '2',
      [
        [1, 2],
        [3, 4.5],
      ],
      0.25,
      0.75,
      null,
      null,
    ]);
    assert.equal(types[10], 'DOUBLE[][]');
  });

  it('has one row for a request without rows, and all of an output that has other rows than the request', async () => {
    const { rows } = await exported(
      [
        { id: 'empty', inputs: '{"x":[]}', outputs: '{"y":[]}' },
        { id: 'prompt', inputs: '{"x":["hi"]}', outputs: '{"y":[1,2,3]}' },
        { id: 'refused' },
      ],
      'request_id, status, version, "inputs.x", "outputs.y"',
    );
    assert.deepEqual(rows, [
      ['empty', 200, '1', null, null],
      ['prompt', 200, '1', 'hi', ['1', '2', '3']],
      ['refused', 400, null, null, null],
    ]);
  });

  it('has what clients told last, of a truth and of a reward', async () => {
    const { rows } = await exported(
      [
        { id: 'a', inputs: '{"x":[1,2]}', outputs: '{"y":[1,2]}' },
        { id: 'b', inputs: '{"x":[1]}', outputs: '{"y":[1]}' },
        { id: 'c', inputs: '{"x":[1]}', outputs: '{"y":[1]}' },
      ],
      'request_id, row, truth, reward',
      [
        { id: 'a', truth: '["no","no"]', reward: 1 },
        { id: 'a', truth: '["red","white"]' },
        { id: 'a', reward: 3 },
        { id: 'b', truth: '"rosé"' },
        { id: 'of no request', truth: '1' },
      ],
    );
    assert.deepEqual(rows, [
      ['a', '0', 'red', 3],
      ['a', '1', 'white', 3],
      ['b', '0', 'rosé', null],
      ['c', '0', null, null],
    ]);
  });

  it('is valid JSON lines with infinite numbers, and compressed when its name says so', async () => {
    writeRequests(log, [{ id: 'a', inputs: '{"x":[1.5,"Infinity"]}', outputs: '{"y":["a,b","c"]}' }]);
    const output = join(folder, 'requests.jsonl.gz');
    assert.equal((await exportTo(output)).rows, 2);
    const lines = gunzipSync(readFileSync(output)).toString().trim().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)['inputs.x']),
      [1.5, 'Infinity'],
    );
    await exportTo(join(folder, 'requests.tsv'));
    const [header = '', first = ''] = readFileSync(join(folder, 'requests.tsv'), 'utf8').split('\n');
    assert.match(
      header,
      /^request_id\treceived_at\tmodel\tversion\tvariant\tstatus\tlatency_ms\trow\tinputs\.x/,
    );
    assert.match(first, /^a\t2026-03-01 00:00:00\twine\t1\tstable\t200\t1\.5\t0\t1\.5\ta,b/);
  });

  it('is of the latest that were there when it began, without those that the log forgets or that come since', () => {
    const written = (ids: readonly string[]) =>
      writeRequests(
        log,
        ids.map((id) => ({ id, status: id.startsWith('bad') ? 500 : 200 })),
      );
    written(['a', 'bad b', 'c', 'd', 'bad e', 'f', 'bad g']);
    const filter = requestFilter.parse({ failed: false });
    const selectedIn = (limit: number) => {
      const opened = openRequestRows(log, 'wine');
      const selected = opened.latest(filter, limit);
      return { ...selected, ids: () => [...selected.rows()].map(({ requestId }) => requestId), opened };
    };
    for (const [limit, expected] of [
      [0, []],
      [1, ['f']],
      [3, ['c', 'd', 'f']],
      [9, ['a', 'c', 'd', 'f']],
    ] as const) {
      const { count, ids, opened } = selectedIn(limit);
      assert.deepEqual([count, ids()], [expected.length, expected]);
      opened.close();
    }
    const { count, ids, opened } = selectedIn(4);
    const writer = new BetterSqlite3(log);
    writer.exec(
      `CREATE TEMP TABLE later AS SELECT * FROM blocks LIMIT 1; UPDATE later SET id = 1000;
       INSERT INTO blocks SELECT * FROM later`,
    );
    assert.deepEqual([count, ids()], [4, ['a', 'c', 'd', 'f']]);
    writer.exec('DELETE FROM blocks WHERE id < 1000');
    writer.close();
    assert.deepEqual(ids(), [], 'forgotten meanwhile');
    opened.close();
  });

  it('says what is wrong with a log that is damaged or old', async () => {
    const output = join(folder, 'requests.csv');
    writeFileSync(log, 'no log at all '.repeat(100));
    await assert.rejects(exportTo(output), errorOfKind('inferenceLogUnreadable'));

    await removeFolder(log);
    const old = new BetterSqlite3(log);
    old.exec('CREATE TABLE requests (id INTEGER PRIMARY KEY); PRAGMA user_version = 1;');
    old.close();
    assert.throws(() => openRequestRows(log, 'wine'), errorOfKind('inferenceLogUnreadable'));

    await removeFolder(log);
    const long = JSON.stringify({ x: ['x'.repeat(2000)] });
    const requests = Array.from({ length: 200 }, (_, index) => ({ id: `r${index}`, inputs: long }));
    writeRequests(log, requests);
    const bytes = readFileSync(log);
    bytes.fill(0xff, bytes.length / 2, bytes.length / 2 + 40_960);
    writeFileSync(log, bytes);
    await assert.rejects(exportTo(output), errorOfKind('inferenceLogUnreadable'));
    assert.ok(!readdirSync(folder).includes('requests.csv'));
  });

  it('says when the file cannot be written, and leaves what is there', async () => {
    writeRequests(log, [{ id: 'a', inputs: '{"x":[1]}', outputs: '{"y":[1]}' }]);
    await assert.rejects(exportTo(join(folder, 'nowhere', 'a.csv')), errorOfKind('requestsNotWritten'));
    const taken = join(folder, 'taken.csv');
    mkdirSync(taken);
    await assert.rejects(exportTo(taken), errorOfKind('requestsNotWritten'));
    await assert.rejects(exportTo(join(folder, 'requests')), errorOfKind('exportFormatUnknown'));
    assert.ok(!readdirSync(folder).includes('.unfinished'));
    await assert.rejects(exportTo(join(log, 'a.csv')), errorOfKind('requestsNotWritten'));
  });

  it('leaves nothing behind when it is cancelled', async () => {
    const layout = storeLayout(folder);
    const long = JSON.stringify({ x: Array.from({ length: 100 }, (_, index) => index) });
    const request = { inputs: long, outputs: long };
    writeRequests(
      inferenceLogFile(layout, 'wine'),
      Array.from({ length: 3000 }, (_, index) => ({ ...request, id: `r${index}` })),
    );
    const workers = createWorkerProcesses(join(import.meta.dirname, '../../src/worker/main.ts'));
    const requestLog = createRequestLog({
      layout,
      workers,
      modelOf: () => 'wine',
      loadable: () => Promise.reject(new Error('nothing is loaded')),
    });
    const cancellation = new AbortController();
    const written = requestLog.export(
      {
        endpoint: 'wine',
        filter: requestFilter.parse({}),
        output: join(folder, 'requests.csv'),
        format: null,
      },
      {
        signal: cancellation.signal,
        progress() {
          assert.equal(readdirSync(layout.cache).length, 1);
          cancellation.abort();
        },
      },
    );
    await assert.rejects(written, errorOfKind('cancelled'));
    assert.deepEqual(readdirSync(layout.cache), []);
    assert.deepEqual(readdirSync(folder), ['.slipway']);
    await workers.close();
  });

  it('is not the only one to say that a log cannot be read', async () => {
    const layout = storeLayout(folder);
    const file = inferenceLogFile(layout, 'wine');
    const workers = createWorkerProcesses('');
    const { page } = createRequestLog({
      layout,
      workers,
      modelOf: () => 'wine',
      loadable: () => Promise.reject(new Error('nothing is loaded')),
    });
    const look = () => page('wine', requestFilter.parse({}), null, 10);
    assert.deepEqual(look(), { requests: [], before: null });
    writeRequests(file, []);
    assert.deepEqual(look(), { requests: [], before: null });
    const log = new BetterSqlite3(file);
    log.pragma('user_version = 1');
    log.close();
    assert.throws(look, errorOfKind('inferenceLogUnreadable'));
    writeFileSync(file, 'no log at all '.repeat(100));
    assert.throws(look, errorOfKind('inferenceLogUnreadable'));
    await workers.close();
  });
});
