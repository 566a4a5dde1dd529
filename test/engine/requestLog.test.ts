import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Engine } from '../../src/engine/engine.ts';
import { type RequestFilterInput, requestFilter } from '../../src/protocol/requests.ts';
import { errorOfKind } from '../errorOfKind.ts';
import { classifierModel, linearModel } from '../fixtures/onnxFile.ts';
import { removeFolder, temporaryFolder } from '../scorer/scorerProcess.ts';
import { openWholeEngine, registerOnnx, storeToken } from './servedStore.ts';

const inputs = JSON.stringify(
  ['acid', 'sugar', 'age'].map((name) => ({ name, type: 'float', required: true })),
);
const mlmodel = `flavors:\n  onnx:\n    data: model.onnx\nsignature:\n  inputs: '${inputs}'\n`;
const control = { signal: new AbortController().signal, progress: () => undefined };
const filter = (some: RequestFilterInput = {}) => requestFilter.parse(some);

describe('What an endpoint was asked', function () {
  this.timeout(60_000);
  let workspace: string;
  let engine: Engine;
  before(async () => {
    workspace = await temporaryFolder();
    engine = await openWholeEngine(workspace);
    for (const bias of [0.5, 0.5, 3]) {
      registerOnnx(engine, workspace, 'wine', linearModel('rows', bias), { MLmodel: mlmodel });
    }
    registerOnnx(engine, workspace, 'wine', classifierModel(['a', 'b', 'c']));
    const { url } = await engine.serving.start({ modelName: 'wine', modelVersion: 1, port: null });
    const ask = async (body: unknown, id: string) => {
      const response = await fetch(`${url}/invocations`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${storeToken}`,
          'content-type': 'application/json',
          'x-request-id': id,
        },
        body: JSON.stringify(body),
      });
      await response.arrayBuffer();
      return response.status;
    };
    const columns = ['acid', 'sugar', 'age'];
    for (let index = 0; index < 10; index++) {
      const data = [
        [index, 1, 2],
        [index, 3, 4],
      ];
      assert.equal(await ask({ dataframe_split: { columns, data } }, `good-${index}`), 200);
    }
    assert.equal(await ask({ nonsense: 1 }, 'bad'), 400);
    await fetch(`${url}/v2/feedback`, {
      method: 'POST',
      headers: { authorization: `Bearer ${storeToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ request_id: 'good-3', truth: [7, 8], reward: 2 }),
    });
    await engine.serving.stop('wine');
  });
  after(async () => {
    await engine.close();
    await removeFolder(workspace);
  });

  it('is read page by page, newest first, and filtered', () => {
    const first = engine.requestLog.page('wine', filter(), null, 4);
    assert.deepEqual(
      first.requests.map(({ requestId }) => requestId),
      ['bad', 'good-9', 'good-8', 'good-7'],
    );
    const second = engine.requestLog.page('wine', filter(), first.before, 100);
    assert.equal(second.requests.length, 7);
    assert.equal(second.before, null);
    assert.deepEqual(second.requests.at(-1), {
      ...second.requests.at(-1),
      requestId: 'good-0',
      model: 'wine',
      version: 1,
      variant: 'stable',
      rowCount: 2,
      status: 200,
      inputs: '{"acid":[0,0],"sugar":[1,3],"age":[2,4]}',
      outputs: '{"y":[8.5,18.5]}',
    });
    const ids = (some: RequestFilterInput) =>
      engine.requestLog.page('wine', filter(some), null, 100).requests.map(({ requestId }) => requestId);
    assert.deepEqual(ids({ failed: true }), ['bad']);
    assert.equal(ids({ failed: false }).length, 10);
    assert.deepEqual(ids({ requestId: 'good-4' }), ['good-4']);
    assert.equal(ids({ version: 1, variant: 'stable' }).length, 11);
    assert.deepEqual(ids({ version: 2 }), []);
    assert.deepEqual(ids({ to: 5 }), []);
    assert.throws(() => engine.requestLog.page('beer', filter(), null, 1), errorOfKind('notFound'));
  });

  for (const format of ['parquet', 'csv', 'jsonl'] as const) {
    it(`is written as ${format}, one row for each row of a request, with what clients told later`, async () => {
      const output = join(workspace, `requests.${format}`);
      const report = await engine.requestLog.export(
        { endpoint: 'wine', filter: filter(), output, format: null },
        control,
      );
      assert.deepEqual(report, { output, requests: 11, rows: 21 });
      const database = await DuckDBInstance.create();
      const connection = await database.connect();
      const rows = await connection.runAndReadAll(
        `SELECT request_id, variant, status, row, "inputs.acid", "inputs.age", "outputs.y", truth, reward
         FROM '${output}' WHERE request_id IN ('good-3', 'bad') ORDER BY request_id, row`,
      );
      connection.closeSync();
      database.closeSync();
      const plain = rows
        .getRowsJson()
        .map((row) => row.map((value) => (value === null ? null : String(value))));
      const numbers = (row: readonly (string | null)[]) =>
        row.map((value) => (value !== null && /^[\d.]+$/.test(value) ? Number(value) : value));
      assert.deepEqual(plain.map(numbers), [
        ['bad', plain[0]?.[1] ?? '', 400, 0, null, null, null, null, null],
        ['good-3', 'stable', 200, 0, 3, 2, 11.5, 7, 2],
        ['good-3', 'stable', 200, 1, 3, 4, 21.5, 8, 2],
      ]);
    });
  }

  it('is asked of another version, and the differences are told', async () => {
    const replay = (modelVersion: number) =>
      engine.requestLog.replay({ endpoint: 'wine', filter: filter(), modelVersion, limit: 1000 }, control);
    const same = await replay(2);
    assert.deepEqual([same.requests, same.rows, same.equalRows, same.failedRequests], [10, 20, 20, 0]);
    const other = await replay(3);
    assert.deepEqual([other.rows, other.equalRows], [20, 0]);
    assert.deepEqual(other.outputs, [
      { name: 'y', equalRows: 0, meanAbsoluteDifference: 2.5, largestAbsoluteDifference: 2.5 },
    ]);
    assert.deepEqual(other.loggedVersions, [1]);
    assert.equal(other.examples.length, 20);
    assert.match(other.examples[0]?.before ?? '', /^\{"y":[\d.]+\}$/);
  });

  it('may not fit another version, which is said by request', async () => {
    const report = await engine.requestLog.replay(
      { endpoint: 'wine', filter: filter(), modelVersion: 4, limit: 3 },
      control,
    );
    assert.equal(report.requests, 3);
    assert.equal(report.failedRequests, 3);
    assert.match(report.failures[0]?.reason ?? '', /column|shape/i);
  });

  it('says when there is nothing, and what is no format', async () => {
    const output = join(workspace, 'nothing.csv');
    await assert.rejects(
      engine.requestLog.export(
        { endpoint: 'wine', filter: filter({ to: 5 }), output, format: null },
        control,
      ),
      errorOfKind('noLoggedRequests'),
    );
    assert.throws(() => readFileSync(output));
    await assert.rejects(
      engine.requestLog.export(
        { endpoint: 'wine', filter: filter(), output: join(workspace, 'a.xlsx'), format: null },
        control,
      ),
      /\.xlsx/,
    );
  });
});
