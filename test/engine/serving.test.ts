import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { inferenceLogFile } from '../../src/engine/layout.ts';
import { worded } from '../../src/protocol/errorDetails.ts';
import type { EndpointState, EndpointSummary } from '../../src/protocol/serving.ts';
import { errorOfKind } from '../errorOfKind.ts';
import { categoryModel, classifierModel, linearModel, slowModel } from '../fixtures/onnxFile.ts';
import { readLog } from '../scorer/inferenceLogRows.ts';
import { removeFolder, temporaryFolder } from '../scorer/scorerProcess.ts';
import { forkServing, openServing, token, writeModel } from './servingEngine.ts';

describe('Serving', function () {
  this.timeout(60_000);
  let workspace: string;
  let engine: ReturnType<typeof openServing>;
  beforeEach(async () => {
    workspace = await temporaryFolder();
    writeModel(join(workspace, 'models/wine/1'), linearModel(), ['acid', 'sugar', 'salt']);
    writeModel(join(workspace, 'models/wine/2'), classifierModel(['a', 'b', 'c']));
    engine = openServing(workspace);
  });
  afterEach(async () => {
    await engine.close();
    await removeFolder(workspace);
  });

  const wine = (modelVersion: number, port: number | null = null) => ({
    modelName: 'wine',
    modelVersion,
    port,
  });
  const body = '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,3],"data":[1,2,3]}]}';

  /** Waits until the endpoint is in a state, on the events that say that it changed. */
  const waitFor = (state: EndpointState, also: (summary: EndpointSummary) => boolean = () => true) =>
    new Promise<EndpointSummary>((resolve) => {
      const look = () => {
        const summary = engine.serving.endpoint('wine');
        if (summary.state !== state || !also(summary)) return;
        subscription.dispose();
        clearInterval(keepAlive);
        resolve(summary);
      };
      // Gathered events do not keep the process alive by themselves.
      const keepAlive = setInterval(() => undefined, 1000);
      const subscription = engine.changes.listen((event) => {
        if (event === 'serving/changed') look();
      });
      look();
    });

  const lives = (processId: number): boolean => {
    try {
      return process.kill(processId, 0);
    } catch {
      return false;
    }
  };

  it('starts, describes, answers, counts and stops', async () => {
    assert.deepEqual(engine.serving.endpoints(), []);
    const started = await engine.serving.start(wine(1));
    assert.equal(started.state, 'ready');
    assert.match(started.url ?? '', /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.ok(started.readySince && started.readySince <= Date.now());
    assert.deepEqual(engine.serving.endpoints(), [started]);

    const description = engine.serving.describe('wine');
    assert.equal(description.inferUrl, `${started.url}/v2/models/wine/infer`);
    assert.equal(description.token, token);
    assert.deepEqual(description.inputs, [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }]);
    const example = await fetch(description.inferUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${description.token}` },
      body: description.exampleRequest,
    });
    assert.equal(example.status, 200);

    const answer = await engine.serving.sendRequest({ endpoint: 'wine', body });
    assert.equal(answer.status, 200);
    assert.deepEqual(JSON.parse(answer.body).outputs[0].data, [14.5]);
    assert.equal((await engine.serving.sendRequest({ endpoint: 'wine', body: '{}' })).status, 400);
    await waitFor('ready', ({ requestCount, errorCount }) => requestCount === 3 && errorCount === 1);

    const stopped = await engine.serving.stop('wine');
    assert.deepEqual([stopped.state, stopped.url, stopped.failure], ['stopped', null, null]);
    assert.equal(stopped.requestCount, 3);
    await assert.rejects(fetch(`${started.url}/ping`));
    assert.throws(() => engine.serving.describe('wine'), errorOfKind('endpointNotReady'));
    await assert.rejects(
      engine.serving.sendRequest({ endpoint: 'wine', body }),
      errorOfKind('endpointNotReady'),
    );

    const [, second] = readLog(inferenceLogFile(engine.layout, 'wine'));
    assert.equal(second?.inputs, '{"acid":[1],"sugar":[2],"salt":[3]}');
  });

  it('moves to another version on the same port, and starts again there', async () => {
    const first = await engine.serving.start(wine(1));
    const second = await engine.serving.start(wine(2));
    assert.equal(second.url, first.url);
    assert.equal(second.modelVersion, 2);
    assert.equal(engine.serving.describe('wine').outputs.length, 2);
    await engine.serving.stop('wine');
    assert.equal((await engine.serving.start(wine(2))).url, first.url);
  });

  it('takes the port that it is told, or says that it is taken', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = holder.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await assert.rejects(engine.serving.start(wine(1, port)), errorOfKind('portTaken'));
    const { state, failure } = engine.serving.endpoint('wine');
    assert.deepEqual([state, failure?.kind, failure?.values], ['failed', 'portTaken', { port }]);
    holder.close();
    await once(holder, 'close');
    assert.equal((await engine.serving.start(wine(1, port))).url, `http://127.0.0.1:${port}`);
  });

  it('takes another port when its old one is taken meanwhile', async () => {
    const { url } = await engine.serving.start(wine(1));
    await engine.serving.stop('wine');
    const holder = createServer().listen(Number(new URL(url ?? '').port), '127.0.0.1');
    await once(holder, 'listening');
    const again = await engine.serving.start(wine(1));
    assert.equal(again.state, 'ready');
    assert.notEqual(again.url, url);
    holder.close();
  });

  it('refuses what cannot be served, and leaves what runs alone', async () => {
    const { url } = await engine.serving.start(wine(1));
    mkdirSync(join(workspace, 'models/wine/3'), { recursive: true });
    await assert.rejects(engine.serving.start(wine(3)), errorOfKind('versionNotServable'));
    writeFileSync(join(workspace, 'models/wine/3/MLmodel'), 'flavors:\n  sklearn: {}\n');
    await assert.rejects(engine.serving.start(wine(3)), /no ONNX model in it \(sklearn\)/);
    await assert.rejects(engine.serving.start(wine(99)), errorOfKind('notFound'));
    await assert.rejects(engine.serving.stop('beer'), errorOfKind('notFound'));
    assert.throws(() => engine.serving.endpoint('beer'), errorOfKind('notFound'));
    for (const data of ['../1/model.onnx', '/etc/passwd', 'missing.onnx', 'link.onnx']) {
      writeFileSync(join(workspace, 'models/wine/3/MLmodel'), `flavors:\n  onnx:\n    data: ${data}\n`);
      rmSync(join(workspace, 'models/wine/3/link.onnx'), { force: true });
      symlinkSync(join(workspace, 'models/wine/1/model.onnx'), join(workspace, 'models/wine/3/link.onnx'));
      await assert.rejects(engine.serving.start(wine(3)), errorOfKind('versionNotServable'), data);
    }
    assert.deepEqual(
      [engine.serving.endpoint('wine').state, engine.serving.endpoint('wine').url],
      ['ready', url],
    );
  });

  it("asks for an example with the first row of the model's own", async () => {
    writeModel(join(workspace, 'models/wine/6'), categoryModel(['green', 'red']));
    const serve = async (info: string) => {
      const folder = join(workspace, 'models/wine/6');
      writeFileSync(join(folder, 'example.json'), '{"inputs":{"colour":[["red"],["green"]]}}');
      writeFileSync(
        join(folder, 'MLmodel'),
        `flavors:\n  onnx:\n    data: model.onnx\nsaved_input_example_info:\n  ${info}\n`,
      );
      await engine.serving.start(wine(6));
      return JSON.parse(engine.serving.describe('wine').exampleRequest).inputs[0].data;
    };
    assert.deepEqual(await serve('artifact_path: example.json'), ['red']);
    const both = 'artifact_path: missing.json\n  serving_input_path: example.json';
    assert.deepEqual(await serve(both), ['red']);
    assert.deepEqual(await serve('artifact_path: ../../../models/wine/6/example.json'), ['red']);
    writeFileSync(join(workspace, 'models/outside.json'), '{"inputs":{"colour":[["green"]]}}');
    assert.deepEqual(await serve('artifact_path: ../../outside.json'), [''], 'not outside of the folder');
  });

  it('shows why a model cannot be loaded', async () => {
    writeModel(join(workspace, 'models/wine/4'), Buffer.from('no model at all'));
    await assert.rejects(engine.serving.start(wine(4)), errorOfKind('modelUnreadable'));
    const { state, failure } = engine.serving.endpoint('wine');
    assert.deepEqual([state, failure?.kind], ['failed', 'modelUnreadable']);
    assert.equal((await engine.serving.start(wine(1))).failure, null);
  });

  it('starts a killed scorer again on its port, but not for ever', async () => {
    const { url, readySince } = await engine.serving.start(wine(1));
    await engine.serving.sendRequest({ endpoint: 'wine', body });
    await waitFor('ready', ({ requestCount }) => requestCount === 1);
    let since = readySince;
    for (let crash = 1; crash <= 3; crash++) {
      process.kill(engine.scorerId(), 'SIGKILL');
      const again = await waitFor('ready', (summary) => summary.readySince !== since);
      since = again.readySince;
      assert.equal(again.url, url);
    }
    assert.equal((await engine.serving.sendRequest({ endpoint: 'wine', body })).status, 200);
    await waitFor('ready', ({ requestCount }) => requestCount === 2);
    process.kill(engine.scorerId(), 'SIGKILL');
    const { failure } = await waitFor('failed');
    assert.equal(failure?.kind, 'endpointFailed');
    assert.match(String(worded(failure?.values.detail ?? '')), /SIGKILL/);
    assert.equal((await engine.serving.start(wine(1))).state, 'ready');
  });

  it('lets a request wait that comes while no scorer is there, and answers it', async () => {
    const { url } = await engine.serving.start(wine(1));
    process.kill(engine.scorerId(), 'SIGKILL');
    await waitFor('starting');
    // Connections of their own: what was open to the killed process is broken.
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        fetch(`${url}/v2/models/wine/infer`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, connection: 'close' },
          body,
        }),
      ),
    );
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.equal(engine.serving.endpoint('wine').state, 'ready');
  });

  it('loses no request while it moves to other versions', async () => {
    writeModel(join(workspace, 'models/wine/4'), linearModel('rows', 4), ['acid', 'sugar', 'salt']);
    await engine.serving.start(wine(1));
    const statuses: number[] = [];
    let going = true;
    const client = async () => {
      while (going) statuses.push((await engine.serving.sendRequest({ endpoint: 'wine', body })).status);
    };
    const clients = [client(), client(), client()];
    const process = engine.scorerId();
    for (const version of [4, 1, 4]) {
      const before = statuses.length;
      assert.equal((await engine.serving.start(wine(version))).modelVersion, version);
      while (statuses.length < before + 20) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    going = false;
    await Promise.all(clients);
    assert.deepEqual(new Set(statuses), new Set([200]));
    assert.equal(engine.scorerId(), process, 'no connection had to end');
  });

  it('keeps what it serves when another version cannot be loaded', async () => {
    mkdirSync(join(workspace, 'models/wine/7'), { recursive: true });
    writeFileSync(join(workspace, 'models/wine/7/MLmodel'), 'flavors:\n  onnx:\n    data: model.onnx\n');
    writeFileSync(join(workspace, 'models/wine/7/model.onnx'), 'no model');
    await engine.serving.start(wine(1));
    await assert.rejects(engine.serving.start(wine(7)), errorOfKind('modelUnreadable'));
    const { state, modelVersion } = engine.serving.endpoint('wine');
    assert.deepEqual([state, modelVersion], ['ready', 1]);
    assert.equal((await engine.serving.sendRequest({ endpoint: 'wine', body })).status, 200);
  });

  it('tells rate and latencies of late, and each second of the last minutes', async () => {
    // Whole seconds are told since then, and all may happen in the one that has begun.
    const from = Date.now() - 1000;
    await engine.serving.start(wine(1));
    for (let time = 0; time < 20; time++) await engine.serving.sendRequest({ endpoint: 'wine', body });
    await engine.serving.sendRequest({ endpoint: 'wine', body: '{}' });
    const summary = await waitFor('ready', ({ requestCount }) => requestCount === 21);
    assert.equal(summary.errorCount, 1);
    // Of the ten seconds before now and the begun second before them.
    assert.ok(summary.rate > 21 / 11 && summary.rate <= 21 / 10, `${summary.rate}`);
    assert.ok((summary.latencyP50 ?? 0) > 0 && (summary.latencyP99 ?? 0) >= (summary.latencyP50 ?? 0));
    assert.deepEqual(
      summary.variants.map(({ name, version, share, requestCount }) => ({
        name,
        version,
        share,
        requestCount,
      })),
      [{ name: 'stable', version: 1, share: 1, requestCount: 21 }],
    );
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const { times, variants } = engine.serving.live('wine', from);
    const [stable] = variants;
    assert.equal(times.length, stable?.requests.length);
    assert.equal(
      stable?.requests.reduce((sum, count) => sum + count, 0),
      21,
    );
    assert.equal(
      stable?.errors.reduce((sum, count) => sum + count, 0),
      1,
    );
    assert.ok(
      stable?.latencyP99.every((value, index) => (value === null) === (stable.requests[index] === 0)),
    );
  });

  it('answers what is under way when it is stopped', async () => {
    writeModel(join(workspace, 'models/wine/5'), slowModel(512, 20));
    await engine.serving.start(wine(5));
    const slow = '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,1],"data":[0]}]}';
    const answers = [1, 2, 3].map(() => engine.serving.sendRequest({ endpoint: 'wine', body: slow }));
    await waitFor('ready', ({ requestCount }) => requestCount > 0);
    await engine.serving.stop('wine');
    for (const { status } of await Promise.all(answers)) assert.equal(status, 200);
  });

  it('can be stopped while it starts', async () => {
    const starting = assert.rejects(engine.serving.start(wine(1)), errorOfKind('cancelled'));
    await new Promise(setImmediate);
    await waitFor('starting');
    assert.equal((await engine.serving.stop('wine')).state, 'stopped');
    await starting;
  });

  it('runs when it is started again while it stops', async () => {
    await engine.serving.start(wine(1));
    const stopping = engine.serving.stop('wine');
    const starting = engine.serving.start(wine(2));
    await stopping;
    assert.equal((await starting).state, 'ready');
    await new Promise(setImmediate);
    const { state, modelVersion } = engine.serving.endpoint('wine');
    assert.deepEqual([state, modelVersion], ['ready', 2]);
  });

  it('runs again what ran when the engine ended, and only that', async () => {
    writeModel(join(workspace, 'models/beer/1'), linearModel());
    const { url } = await engine.serving.start(wine(2));
    await engine.serving.start({ modelName: 'beer', modelVersion: 1, port: null });
    await engine.serving.stop('beer');
    await engine.close();
    await assert.rejects(fetch(`${url}/ping`));

    engine = openServing(workspace);
    assert.deepEqual(
      engine.serving.endpoints().map(({ name, state, modelVersion }) => ({ name, state, modelVersion })),
      [
        { name: 'beer', state: 'stopped', modelVersion: 1 },
        { name: 'wine', state: 'stopped', modelVersion: 2 },
      ],
    );
    engine.serving.resume();
    assert.equal((await waitFor('ready')).url, url);
    assert.equal(engine.serving.endpoint('beer').state, 'stopped');

    await engine.close();
    rmSync(join(workspace, 'models/wine'), { recursive: true });
    engine = openServing(workspace);
    engine.serving.resume();
    assert.equal((await waitFor('failed')).failure?.kind, 'versionNotServable');
  });

  it('leaves no process behind when the engine is killed, and resumes afterwards', async () => {
    const { child, url, scorerId } = await forkServing(workspace);
    assert.ok(lives(scorerId));
    child.kill('SIGKILL');
    await once(child, 'exit');
    while (lives(scorerId)) await new Promise((resolve) => setTimeout(resolve, 20));
    engine.serving.resume();
    assert.equal((await waitFor('ready')).url, url);
  });
});
