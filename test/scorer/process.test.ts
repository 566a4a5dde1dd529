import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type ScorerOptionsInput, scorerOptionsVariable } from '../../src/protocol/scorer.ts';
import { linearModel, slowModel } from '../fixtures/onnxFile.ts';
import {
  forkScorer,
  removeFolder,
  scorerScript,
  startScorerProcess,
  temporaryFolder,
} from './scorerProcess.ts';

describe('The process of a scorer', () => {
  let folder: string;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => removeFolder(folder));

  const optionsFor = async (model: Buffer | string, port = 0): Promise<ScorerOptionsInput> => {
    const file = join(folder, `${crypto.randomUUID()}.onnx`);
    await writeFile(file, model);
    return {
      endpoint: 'wine',
      models: [{ name: 'wine', version: 1, source: { type: 'onnx', file } }],
      host: '127.0.0.1',
      port,
      token: null,
      inferenceLog: null,
    };
  };

  for (const [title, end] of [
    ['the command to drain', (process: ReturnType<typeof fork>) => process.send({ type: 'drain' })],
    ['SIGTERM', (process: ReturnType<typeof fork>) => process.kill('SIGTERM')],
    ['SIGINT', (process: ReturnType<typeof fork>) => process.kill('SIGINT')],
    ['the end of its parent', (process: ReturnType<typeof fork>) => process.disconnect()],
  ] as const) {
    it(`ends on ${title}, after it answered what was under way`, async () => {
      const scorer = await startScorerProcess(folder, slowModel(512, 20));
      const body = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1], data: [0] }] };
      const counted = once(scorer.process, 'message');
      // The first answer says that the next requests are on their way; they take a while.
      await scorer.ask('/v2/models/wine/infer', { body });
      await counted;
      const answers = [1, 2, 3].map(() => scorer.ask('/v2/models/wine/infer', { body }));
      await scorer.ask('/ping');
      const exited = once(scorer.process, 'exit');
      end(scorer.process);
      for (const { status } of await Promise.all(answers)) assert.equal(status, 200);
      assert.deepEqual(await exited, [0, null]);
      await assert.rejects(fetch(`${scorer.url}/ping`));
    });
  }

  it('says why it cannot load a model, and ends', async () => {
    for (const model of [Buffer.from('no model at all'), Buffer.alloc(0), linearModel().subarray(0, 60)]) {
      const { child, first } = forkScorer(await optionsFor(model), () => undefined);
      const exited = once(child, 'exit');
      const message = await first;
      assert.equal(message.type, 'failed');
      assert.equal(message.type === 'failed' && message.error.kind, 'modelUnreadable');
      assert.deepEqual(await exited, [1, null]);
    }
  });

  it('says that its port is taken, and ends', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = holder.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const { child, first } = forkScorer(await optionsFor(linearModel(), port), () => undefined);
    const exited = once(child, 'exit');
    const message = await first;
    assert.deepEqual(message.type === 'failed' && [message.error.kind, message.error.values], [
      'portTaken',
      { port },
    ]);
    assert.deepEqual(await exited, [1, null]);
    holder.close();
  });

  it('says what is wrong with its options', async () => {
    const child = fork(scorerScript, [], {
      env: { ...process.env, [scorerOptionsVariable]: '{}' },
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const [message] = await once(child, 'message');
    assert.equal(message.type, 'failed');
  });
});
