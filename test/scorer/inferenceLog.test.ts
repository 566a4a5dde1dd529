import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { classifierModel, identityModel, linearModel } from '../fixtures/onnxFile.ts';
import { readLog, waitForRows } from './inferenceLogRows.ts';
import { forkScorer, removeFolder, startScorerProcess, temporaryFolder } from './scorerProcess.ts';

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
      rows.map(({ status, rowCount, version }) => ({ status, rowCount, version })),
      [
        { status: 200, rowCount: 2, version: 3 },
        { status: 200, rowCount: 1, version: 3 },
        { status: 400, rowCount: 0, version: 3 },
        { status: 400, rowCount: 0, version: 3 },
      ],
    );
    const [first, second, third] = rows;
    assert.equal(first?.requestId, 'mine');
    assert.equal(second?.requestId, 'yours');
    assert.deepEqual(JSON.parse(first?.inputs ?? ''), { acid: [1, null], sugar: [2, 4] });
    assert.deepEqual(JSON.parse(second?.inputs ?? ''), { acid: [-14.6], sugar: [8.6] });
    assert.deepEqual(JSON.parse(second?.outputs ?? ''), {
      label: ['b'],
      probability: [{ a: -14.6, b: 8.6, c: 6 }],
    });
    assert.equal(third?.inputs, null);
    assert.equal(third?.outputs, null);
    for (const { receivedAt, latencyMicroseconds } of rows) {
      assert.ok(receivedAt >= before && receivedAt <= Date.now());
      assert.ok(latencyMicroseconds > 0);
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
    assert.equal(new Set(readLog(file).map(({ requestId }) => requestId)).size, 700);

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
