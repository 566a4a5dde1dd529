import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { linearModel, slowModel } from '../fixtures/onnxFile.ts';
import { answeredNumbers, createGrpcCaller, wineRequest } from '../scorer/grpcCaller.ts';
import { readLog } from '../scorer/inferenceLogRows.ts';
import { removeFolder, temporaryFolder } from '../scorer/scorerProcess.ts';
import { startHeadless } from './headless.ts';
import { endLeftProcesses } from './leftProcesses.ts';
import { openWholeEngine, registerOnnx } from './servedStore.ts';
import { runToEnd, type StartedProcess, startReady } from './startedProcess.ts';

const cli = join(import.meta.dirname, '../../dist/cli.cjs');

interface Ready {
  readonly url: string;
  readonly token: string | null;
  readonly model: string;
  readonly version: number;
  /** Where it was asked for. */
  readonly grpcPort?: number;
}

/** `y = x · [1, 2, 3] + 0.5` */
const question = JSON.stringify({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }],
});

describe('slipway serve', function () {
  this.timeout(120_000);
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
    file = join(folder, 'wine.onnx');
    writeFileSync(file, linearModel());
  });
  afterEach(async () => {
    await endLeftProcesses();
    await removeFolder(folder);
  });

  const serve = (...args: readonly string[]) => startReady<Ready>([cli, 'serve', ...args]);
  const refused = (...args: readonly string[]) => runToEnd([cli, 'serve', ...args]);
  const ask = ({ url, token, model }: Ready) =>
    fetch(`${url}/v2/models/${model}/infer`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        // One that is kept open would end with the process that it led to.
        connection: 'close',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      body: question,
    });
  const prediction = async (ready: Ready) => {
    const answer: { readonly outputs: readonly { readonly data: readonly number[] }[] } = JSON.parse(
      await (await ask(ready)).text(),
    );
    return answer.outputs[0]?.data[0];
  };

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`serves an ONNX file without a store, says one JSON line, and ends on ${signal}`, async () => {
      const { ready, end, errors } = await serve(file);
      assert.deepEqual(Object.keys(ready), ['url', 'token', 'model', 'version']);
      assert.deepEqual([ready.model, ready.version], ['wine', 1]);
      assert.match(ready.url, /^http:\/\/127\.0\.0\.1:\d+$/);
      assert.equal(await prediction(ready), 14.5);
      assert.equal((await ask({ ...ready, token: null })).status, 401);
      assert.equal(await end(signal), 0);
      assert.equal(errors(), '');
      assert.ok(!existsSync(join(folder, '.slipway')), 'no store was made');
      await assert.rejects(ask(ready));
    });
  }

  it('serves further host names where they are given, and no others', async () => {
    const statusBy = async ({ url, token }: Ready, host: string) => {
      const headers = { host, authorization: `Bearer ${token}`, origin: `https://${host}` };
      const sent = request(`${url}/v2`, { headers });
      sent.end();
      const [answer] = await once(sent, 'response');
      answer.resume();
      return answer.statusCode;
    };
    const names = ['--host-name', 'Models.example.com', '--host-name', '10.0.0.5'];
    const { ready, end } = await serve(file, '--processes', '2', ...names);
    for (const host of ['models.example.com', 'models.example.com:8443', '10.0.0.5']) {
      assert.equal(await statusBy(ready, host), 200, host);
    }
    assert.equal(await statusBy(ready, 'models.example.com.evil.example'), 403);
    assert.equal(await end('SIGTERM'), 0);

    const { code, stderr } = await refused(file, '--host-name', 'https://models.example.com');
    assert.equal(code, 2);
    assert.match(stderr, /--host-name: expected a host name such as .*, not https:\/\/models/);
  });

  it('serves the version that is named, beside an engine that runs in the same folder', async () => {
    const engine = await openWholeEngine(folder);
    registerOnnx(engine, folder, 'wine', linearModel());
    registerOnnx(engine, folder, 'wine', linearModel());
    registerOnnx(engine, folder, 'wine', linearModel());
    engine.registry.promote({ name: 'wine', version: 2, stage: 'Production', who: 'ana', why: '' });
    engine.registry.setAlias('wine', 'champion', 1);
    await engine.close();
    const running = await startHeadless(folder);
    for (const [named, version] of [
      ['wine', 2],
      ['wine/Production', 2],
      ['wine/3', 3],
      ['wine@champion', 1],
      ['wine@latest', 3],
    ] as const) {
      const { ready, end } = await serve(named, '--workspace', folder);
      assert.deepEqual([ready.model, ready.version], ['wine', version], named);
      assert.equal(await prediction(ready), 14.5);
      assert.equal(await end('SIGTERM'), 0);
    }
    assert.deepEqual(
      readLog(join(folder, '.slipway', 'inference', 'wine.db')).map(({ version }) => version),
      [2, 2, 3, 1, 3],
    );
    const unknown = await refused('wine@challenger', '--workspace', folder);
    assert.deepEqual([unknown.code, unknown.stdout], [1, '']);
    assert.match(unknown.stderr, /There is no version "wine@challenger" of the model "wine"\. It has 3, 2/);
    const other = await refused('beer', '--workspace', folder);
    assert.match(other.stderr, /^slipway: There is no model "beer"\. There are wine\./);
    assert.equal(await running.stop(), 0);
  });

  it('keeps its log where it is told, or none', async () => {
    const log = join(folder, 'logs', 'requests.db');
    const logging = await serve(file, '--log', log);
    await ask(logging.ready);
    await logging.end('SIGTERM');
    assert.deepEqual(
      readLog(log).map(({ status, rowCount }) => [status, rowCount]),
      [[200, 1]],
    );
    const engine = await openWholeEngine(folder);
    registerOnnx(engine, folder, 'wine', linearModel());
    await engine.close();
    const silent = await serve('wine', '--workspace', folder, '--no-log');
    await ask(silent.ready);
    await silent.end('SIGTERM');
    assert.ok(!existsSync(join(folder, '.slipway', 'inference', 'wine.db')));
  });

  const scorersOf = (served: StartedProcess<Ready>) =>
    readFileSync(`/proc/${served.pid}/task/${served.pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter((pid) => pid !== '')
      .map(Number);

  it('starts a scorer that crashed again, and nobody is refused meanwhile', async function () {
    if (process.platform !== 'linux') this.skip();
    const served = await serve(file);
    const [scorer = 0, ...others] = scorersOf(served);
    assert.deepEqual(others, []);
    process.kill(scorer, 'SIGKILL');
    assert.equal(await prediction(served.ready), 14.5);
    const [next] = scorersOf(served);
    assert.ok(next && next !== scorer);
    assert.equal(await served.end('SIGTERM'), 0);
    assert.match(served.errors(), /was ended by SIGKILL\. It is started again\.\nslipway: .*answers again/);
  });

  it('shares its ports among processes', async function () {
    if (process.platform !== 'linux') this.skip();
    const served = await serve(file, '--processes', '3', '--grpc-port', '0');
    assert.equal(scorersOf(served).length, 3);
    const answers = await Promise.all(Array.from({ length: 60 }, () => prediction(served.ready)));
    assert.deepEqual([...new Set(answers)], [14.5]);
    const headers = { authorization: `Bearer ${served.ready.token}` };
    const metrics = await fetch(`${served.ready.url}/metrics`, { headers });
    assert.match(await metrics.text(), /^nv_inference_request_success\{model="wine",version="1"\} 60$/m);
    const statistics = await fetch(`${served.ready.url}/v2/models/wine/stats`, { headers });
    assert.match(await statistics.text(), /"inference_count":60,.*"success":\{"count":60,/);
    for (const scorer of scorersOf(served).slice(1)) process.kill(scorer, 'SIGKILL');
    assert.equal(await prediction(served.ready), 14.5);
    const { grpcPort, token } = served.ready;
    const caller = createGrpcCaller(`127.0.0.1:${grpcPort}`, {}, token);
    const { bytes } = await caller.call('ModelInfer', wineRequest([[1, 2, 3]]));
    assert.deepEqual(answeredNumbers(bytes).y, [14.5]);
    caller.close();
    assert.equal(await served.end('SIGTERM'), 0);
  });

  it('answers what is under way when it is told to end', async () => {
    const slow = join(folder, 'slow.onnx');
    writeFileSync(slow, slowModel(1200, 3));
    const { ready, end } = await serve(slow, '--no-token');
    const sent = request(`${ready.url}/invocations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    const answered = once(sent, 'response');
    sent.end('{"inputs":[[0.001]]}');
    await once(sent, 'finish');
    await fetch(`${ready.url}/ping`);
    assert.equal(await end('SIGINT'), 0);
    const [response] = await answered;
    assert.equal(response.statusCode, 200);
    response.resume();
  });

  it('listens beyond this machine only with a token, or when it is told that none is wanted', async () => {
    const { code, stderr } = await refused(file, '--host', '0.0.0.0');
    assert.equal(code, 2);
    assert.match(stderr, /on 0\.0\.0\.0 other machines may reach it: give --token T, or --no-token/);
    const open = await serve(file, '--host', '0.0.0.0', '--no-token');
    assert.equal(open.ready.token, null);
    assert.equal(await prediction(open.ready), 14.5);
    await open.end('SIGTERM');
    assert.match(open.errors(), /listens on 0\.0\.0\.0 and asks for no token/);
    const guarded = await serve(file, '--host', '0.0.0.0', '--token', 'sixteen-or-more!');
    assert.equal((await ask({ ...guarded.ready, token: null })).status, 401);
    assert.equal((await ask(guarded.ready)).status, 200);
    await guarded.end('SIGTERM');
  });

  it('says what it does not understand, with exit code 2', async () => {
    for (const [args, sentence] of [
      [[], /serve takes one model/],
      [[file, file], /serve takes one model/],
      [[file, '--port', '80a'], /--port must be a whole number from 0 to 65535, not "80a"/],
      [[file, '--threads', '0'], /--threads must be a whole number from 1 to 256/],
      [[file, '--processes', '65'], /--processes must be a whole number from 1 to 64/],
      [[file, '--log', 'x', '--no-log'], /--log and --no-log exclude each other/],
      [[file, '--token', 'short'], /--token must have 16 characters or more/],
      [[file, '--python', 'python3'], /--python needs --allow-python/],
    ] as const) {
      const { code, stdout, stderr } = await refused(...args);
      assert.deepEqual([code, stdout], [2, ''], args.join(' '));
      assert.match(stderr, sentence);
    }
  });

  it('says why it cannot serve, with exit code 1', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = holder.address();
    const port = String(typeof address === 'object' && address?.port);
    mkdirSync(join(folder, 'empty'));
    writeFileSync(join(folder, 'broken.onnx'), 'no model');
    for (const [args, sentence] of [
      [[file, '--port', port], new RegExp(`port ${port} is taken by another program`)],
      [[join(folder, 'missing.onnx')], /missing\.onnx cannot be read/],
      [[join(folder, 'broken.onnx')], /The ONNX model of version 1 of "broken" cannot be loaded/],
      [['wine', '--workspace', join(folder, 'empty')], /There is no Slipway store in/],
    ] as const) {
      const { code, stdout, stderr } = await refused(...args);
      assert.deepEqual([code, stdout], [1, ''], args.join(' '));
      assert.match(stderr, sentence);
      assert.doesNotMatch(stderr, /^ +at /m, 'no stack');
    }
    holder.close();
    await once(holder, 'close');
  });
});
