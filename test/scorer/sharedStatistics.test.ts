import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { modelRequest, modelStatisticsResponse } from '../../src/scorer/grpc/describingMessages.ts';
import type { ModelStatistics } from '../../src/scorer/protocols/openInferenceStatistics.ts';
import type { Doors } from '../../src/supervision/door.ts';
import { closeDoors, leadInTurn, openDoors } from '../../src/supervision/doors.ts';
import { type ScorerProcess, startScorerProcess } from '../../src/supervision/scorerProcess.ts';
import { linearModel } from '../fixtures/onnxFile.ts';
import { createGrpcCaller, type GrpcCaller, wineRequest } from './grpcCaller.ts';
import { serverToken } from './inferenceServer.ts';
import { modelFile, removeFolder, scorerScript, temporaryFolder } from './scorerProcess.ts';

const rows = [
  [1, 2, 3],
  [4, 5, 6],
];

/** Each has doors of its own here, so that it is known which one answers. */
interface SharingScorer {
  readonly process: ScorerProcess;
  readonly doors: Doors;
  readonly url: string;
  readonly grpc: GrpcCaller;
}

describe('Statistics of several processes', function () {
  this.timeout(60_000);
  let folder: string;
  let file: string;
  let scorers: readonly SharingScorer[] = [];
  before(async () => {
    folder = await temporaryFolder();
    file = await modelFile(folder, linearModel());
  });
  beforeEach(async () => {
    scorers = await Promise.all([1, 2, 3].map(start));
    await Promise.all(scorers.map(({ process }) => process.ready));
  });
  afterEach(async () => {
    await Promise.all(scorers.map(end));
  });
  after(() => removeFolder(folder));

  const model = (version: number) => ({ name: 'wine', version, source: { type: 'onnx' as const, file } });
  const start = async (): Promise<SharingScorer> => {
    const doors = await openDoors('127.0.0.1', 0, 0);
    const process = startScorerProcess(
      scorerScript,
      {
        endpoint: 'wine',
        models: [model(3)],
        host: '127.0.0.1',
        token: serverToken,
        shared: true,
        inferenceLog: null,
      },
      doors,
      {
        running: () => scorers.map((scorer) => scorer.process),
        statistics: () => undefined,
        log: () => undefined,
      },
    );
    leadInTurn(doors, () => [process]);
    return {
      process,
      doors,
      url: `http://127.0.0.1:${doors.http.port}/v2/models`,
      grpc: createGrpcCaller(`127.0.0.1:${doors.grpc?.port}`),
    };
  };
  const end = async ({ process, doors, grpc }: SharingScorer) => {
    grpc.close();
    await process.drain();
    await closeDoors(doors);
  };
  const headers = { authorization: `Bearer ${serverToken}`, connection: 'close' };
  const predict = async ({ url }: SharingScorer, question: readonly (readonly number[])[], version = 3) => {
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [question.length, 3], data: question.flat() }];
    const body = JSON.stringify({ inputs });
    const answer = await fetch(`${url}/wine/versions/${version}/infer`, { method: 'POST', headers, body });
    return answer.status;
  };
  const overHttp = async ({ url }: SharingScorer, path: string): Promise<readonly ModelStatistics[]> => {
    const answer = await fetch(`${url}/${path}`, { headers });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    return JSON.parse(text).model_stats;
  };
  const overGrpc = async ({ grpc }: SharingScorer, name = '', version = '') => {
    const { code, details, bytes } = await grpc.call(
      'ModelStatistics',
      modelRequest.encode({ name, version }),
    );
    assert.equal(code, status.OK, details);
    return modelStatisticsResponse.decode(bytes ?? Buffer.alloc(0)).model_stats;
  };
  /** What all of them say, each over both protocols; it is the same. */
  const toldByAll = async (path: string, name?: string, version?: string) => {
    const [first = [], ...others] = await Promise.all(scorers.map((scorer) => overHttp(scorer, path)));
    const calls = await Promise.all(scorers.map((scorer) => overGrpc(scorer, name, version)));
    for (const other of [...others, ...calls]) {
      assert.deepEqual(withoutDurations(other), withoutDurations(first));
      const expected = durations(first);
      // They add fractions of a nanosecond in orders of their own.
      durations(other).forEach((ns, index) => {
        assert.ok(Math.abs(ns - (expected[index] ?? 0)) <= 1, `${ns} instead of ${expected[index]}`);
      });
    }
    return first;
  };

  it('are those of all of them, over HTTP and gRPC', async () => {
    const [one, two] = scorers;
    assert.ok(one && two);
    const before = Date.now();
    for (const question of [rows, rows.slice(1), rows]) assert.equal(await predict(one, question), 200);
    assert.equal((await two.grpc.call('ModelInfer', wineRequest(rows))).code, status.OK);
    assert.equal(await predict(two, [[1, 2, 3, 4]]), 400);
    const [alone] = (await two.process.reading()).versions;
    assert.ok(alone && alone.lastInference >= before);

    const [told, ...others] = await toldByAll('stats');
    assert.ok(told);
    assert.deepEqual([others.length, told.name, told.version], [0, 'wine', '3']);
    assert.deepEqual([told.inference_count, told.execution_count], [7, 4]);
    assert.equal(told.last_inference, alone.lastInference);
    const { success, fail, queue, compute_infer } = told.inference_stats;
    assert.deepEqual([success.count, fail.count, queue.count, compute_infer.count], [4, 1, 4, 4]);
    assert.deepEqual(
      told.batch_stats.map((batch) => [batch.batch_size, batch.compute_infer.count]),
      [
        [1, 1],
        [2, 3],
      ],
    );
    assert.ok(success.ns > alone.success.microseconds * 1000 && fail.ns > 0);
    assert.deepEqual(await toldByAll('wine/stats', 'wine'), [told]);
    assert.deepEqual(await toldByAll('wine/versions/3/stats', 'wine', '3'), [told]);
  });

  it('leave out a process that has ended', async () => {
    const [one, ...left] = scorers;
    const [other] = left;
    assert.ok(one && other);
    assert.deepEqual([await predict(one, rows), await predict(other, rows)], [200, 200]);
    const counted = async () => (await overHttp(other, 'wine/stats'))[0]?.inference_count;
    assert.equal(await counted(), 4);
    await one.process.drain();
    assert.equal(await counted(), 2);
  });

  it('tell of a version that only one of them has', async () => {
    const [, two] = scorers;
    assert.ok(two);
    await two.process.order({ type: 'load', model: model(4) });
    assert.equal(await predict(two, rows, 4), 200);
    const versions = (told: readonly { readonly version: string; readonly inference_count: number }[]) =>
      told.map(({ version, inference_count }) => [version, inference_count]);
    assert.deepEqual(versions(await toldByAll('stats')), [
      ['3', 0],
      ['4', 2],
    ]);
    assert.deepEqual(versions(await toldByAll('wine/stats', 'wine')).length, 2);
    assert.deepEqual(versions(await toldByAll('wine/versions/4/stats', 'wine', '4')), [['4', 2]]);
    for (const { url, grpc } of scorers) {
      for (const missing of ['5', '4.0']) {
        const answer = await fetch(`${url}/wine/versions/${missing}/stats`, { headers });
        assert.equal(answer.status, 404, await answer.text());
        const call = await grpc.call(
          'ModelStatistics',
          modelRequest.encode({ name: 'wine', version: missing }),
        );
        assert.equal(call.code, status.NOT_FOUND);
      }
    }
  });
});

function withoutDurations(told: readonly object[]): unknown {
  return JSON.parse(JSON.stringify(told), (key, value) => (key === 'ns' ? null : value));
}

/** All of them in nanoseconds, in the order in which they stand. */
function durations(told: readonly object[]): readonly number[] {
  return [...JSON.stringify(told).matchAll(/"ns":(\d+)/g)].map(([, ns]) => Number(ns));
}
