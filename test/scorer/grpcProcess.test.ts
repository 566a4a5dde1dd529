import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import {
  type ScorerMessage,
  type ScorerOptionsInput,
  scorerOptionsVariable,
} from '../../src/protocol/scorer.ts';
import { linearModel } from '../fixtures/onnxFile.ts';
import { answeredNumbers, createGrpcCaller, wineRequest } from './grpcCaller.ts';
import { serverToken } from './inferenceServer.ts';
import { forkScorer, modelFile, removeFolder, startScorerProcess, temporaryFolder } from './scorerProcess.ts';

describe('A scorer that answers gRPC', function () {
  this.timeout(60_000);
  let folder: string;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => removeFolder(folder));

  const options = async (grpcPort: number): Promise<ScorerOptionsInput> => ({
    endpoint: 'wine',
    models: [
      { name: 'wine', version: 3, source: { type: 'onnx', file: await modelFile(folder, linearModel()) } },
    ],
    host: '127.0.0.1',
    port: 0,
    grpcPort,
    token: serverToken,
    inferenceLog: null,
  });

  it('tells the port, counts what it is asked, and drains', async () => {
    const scorer = await startScorerProcess(folder, linearModel(), { grpcPort: 0, token: serverToken });
    const caller = createGrpcCaller(`127.0.0.1:${scorer.ready.grpcPort}`);
    const { code, bytes } = await caller.call('ModelInfer', wineRequest([[1, 2, 3]]));
    assert.equal(code, status.OK);
    assert.deepEqual(answeredNumbers(bytes).y, [14.5]);
    const { json } = await scorer.ask('/v2/models/wine/stats');
    assert.equal(json.model_stats[0].inference_stats.success.count, 1);
    assert.equal(json.model_stats[0].execution_count, 1);
    assert.equal(await scorer.drain(), 0);
    assert.equal((await caller.call('ServerLive', Buffer.alloc(0))).code, status.UNAVAILABLE);
    caller.close();
  });

  it('has no such door unless it is asked for', async () => {
    const scorer = await startScorerProcess(folder, linearModel());
    assert.equal(scorer.ready.grpcPort, null);
    assert.equal(await scorer.drain(), 0);
  });

  it('says when the port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const { first } = forkScorer(await options(port), () => {});
    const message = await first;
    assert.deepEqual(message.type === 'failed' && [message.error.kind, message.error.values], [
      'portTaken',
      { port },
    ]);
    taken.close();
  });

  it('answers from the bundle too', async () => {
    const script = join(import.meta.dirname, '../../dist/scorer.cjs');
    const child = fork(script, [], {
      env: { ...process.env, [scorerOptionsVariable]: JSON.stringify(await options(0)) },
      execArgv: [],
    });
    const [ready]: ScorerMessage[] = await once(child, 'message');
    assert.ok(ready?.type === 'ready', JSON.stringify(ready));
    const caller = createGrpcCaller(`127.0.0.1:${ready.grpcPort}`);
    const { code, bytes } = await caller.call('ModelInfer', wineRequest([[1, 2, 3]]));
    assert.equal(code, status.OK);
    assert.deepEqual(answeredNumbers(bytes).y, [14.5]);
    const wrong = await caller.call('ModelInfer', wineRequest([[1]]));
    assert.equal(wrong.code, status.INVALID_ARGUMENT);
    caller.close();
    const exited = once(child, 'exit');
    child.send({ type: 'drain' });
    assert.deepEqual(await exited, [0, null]);
  });
});
