import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { ScorerModelInput, ShadowStatistics } from '../../src/protocol/scorer.ts';
import { linearModel, slowModel } from '../fixtures/onnxFile.ts';
import { readLog } from './inferenceLogRows.ts';
import {
  modelFile,
  type RunningScorer,
  removeFolder,
  startScorerProcess,
  temporaryFolder,
} from './scorerProcess.ts';

const body = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 1, 1] }] };

describe('A scorer of several versions', () => {
  let folder: string;
  before(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => Promise.all(scorers.splice(0).map((scorer) => scorer.drain())));
  after(() => removeFolder(folder));

  const scorers: RunningScorer[] = [];
  const serve = async (
    ...args: Parameters<typeof startScorerProcess> extends [string, ...infer Rest] ? Rest : never
  ) => {
    const scorer = await startScorerProcess(folder, ...args);
    scorers.push(scorer);
    return scorer;
  };
  const version = async (number: number, name = 'wine'): Promise<ScorerModelInput> => ({
    name,
    version: number,
    source: { type: 'onnx', file: await modelFile(folder, linearModel('rows', number)) },
    labels: [`label${number}`],
  });
  const ask = (scorer: RunningScorer, path = '/v2/models/wine/infer') => scorer.ask(path, { body });

  it('answers the version and the label that are asked for, and says which there are', async () => {
    const scorer = await serve(linearModel('rows', 3), { models: [await version(5)] });
    const of = async (path: string) => {
      const { status, json } = await ask(scorer, path);
      return [status, json.model_version, json.outputs?.[0].data[0]];
    };
    assert.deepEqual(await of('/v2/models/wine/versions/3/infer'), [200, '3', 9]);
    assert.deepEqual(await of('/v2/models/wine/versions/5/infer'), [200, '5', 11]);
    assert.deepEqual(await of('/v2/models/wine/infer'), [200, '5', 11]);
    const missing = await ask(scorer, '/v2/models/wine/versions/4/infer');
    assert.equal(missing.status, 404);
    assert.match(missing.json.error, /no version "4" of "wine" here; this endpoint serves versions 5, 3/);
    const unknown = await ask(scorer, '/v2/models/beer/infer');
    assert.equal(unknown.status, 404);
    assert.match(unknown.json.error, /no model "beer" here; this endpoint serves "wine"/);
  });

  it('moves to a version that is loaded meanwhile, and loses no request', async () => {
    const scorer = await serve(linearModel('rows', 3));
    const seen: (readonly [number, string])[] = [];
    let going = true;
    const client = async () => {
      while (going) {
        const { status, json } = await ask(scorer);
        seen.push([status, json.model_version]);
      }
    };
    const clients = [client(), client(), client(), client()];
    for (let number = 4; number < 9; number++) {
      assert.equal((await scorer.command({ type: 'load', model: await version(number) })).type, 'done');
      const variants = [{ name: 'stable', version: number, share: 1 }];
      const traffic = { model: 'wine', salt: 's', variants };
      assert.equal((await scorer.command({ type: 'route', traffic })).type, 'done');
      const before = seen.length;
      assert.equal(
        (await scorer.command({ type: 'unload', name: 'wine', version: number - 1 })).type,
        'done',
      );
      while (seen.length < before + 20) await delay(5);
      // What was under way when the traffic was moved may still have met the old version.
      assert.deepEqual(new Set(seen.slice(before + 8).map(([, met]) => met)), new Set([String(number)]));
    }
    going = false;
    await Promise.all(clients);
    assert.deepEqual(new Set(seen.map(([status]) => status)), new Set([200]));
    assert.ok(seen.length > 100);
  });

  it('refuses to forget a version that is being asked, and to lead traffic to one that is not there', async () => {
    const scorer = await serve(linearModel('rows', 3), { models: [await version(5)] });
    const route = (number: number) =>
      scorer.command({
        type: 'route',
        traffic: { model: 'wine', salt: '', variants: [{ name: 'stable', version: number, share: 1 }] },
      });
    assert.equal((await route(5)).type, 'done');
    const kept = await scorer.command({ type: 'unload', name: 'wine', version: 5 });
    assert.equal(kept.type === 'refused' && kept.error.kind, 'invalidParameter');
    const lost = await route(7);
    assert.equal(lost.type === 'refused' && lost.error.kind, 'notFound');
    const broken = await scorer.command({
      type: 'load',
      model: { name: 'wine', version: 8, source: { type: 'onnx', file: join(folder, 'missing.onnx') } },
    });
    assert.equal(broken.type === 'refused' && broken.error.kind, 'modelUnreadable');
    assert.deepEqual((await ask(scorer)).json.model_version, '5');
  });

  it('forgets a model that is not its own with the traffic that was led to it, and no other one so', async () => {
    const beer = { ...(await version(1)), name: 'beer' };
    const traffic = ['wine', 'beer'].map((model) => ({
      model,
      salt: '',
      variants: [{ name: 'stable', version: model === 'beer' ? 1 : 3, share: 1 }],
    }));
    const scorer = await serve(linearModel('rows', 3), { models: [beer], traffic });
    const unload = (name: string, number: number) =>
      scorer.command({ type: 'unload', name, version: number });
    assert.equal((await unload('wine', 3)).type, 'refused');
    assert.equal((await unload('beer', 1)).type, 'done');
    assert.equal((await scorer.ask('/v2/models/beer/ready')).status, 404);
    assert.equal((await ask(scorer)).status, 200);
    assert.equal((await scorer.command({ type: 'load', model: beer })).type, 'done');
    assert.equal((await scorer.ask('/v2/models/beer/ready')).status, 200);
  });

  it('splits traffic, says the variant, and keeps a client that says it with it', async () => {
    const file = join(folder, 'split.db');
    const scorer = await serve(linearModel('rows', 3), {
      models: [await version(5)],
      inferenceLog: file,
      traffic: [
        {
          model: 'wine',
          salt: 's',
          sticky: { from: 'header', name: 'x-user' },
          variants: [
            { name: 'stable', version: 3, share: 0.5 },
            { name: 'candidate', version: 5, share: 0.5 },
          ],
        },
      ],
    });
    const met = new Map<string, string>();
    for (let round = 0; round < 2; round++) {
      for (let user = 0; user < 20; user++) {
        const answer = await scorer.ask('/v2/models/wine/infer', { body, headers: { 'x-user': `${user}` } });
        const variant = `${answer.headers.get('x-slipway-variant')}/${answer.json.model_version}`;
        assert.equal(met.get(`${user}`) ?? variant, variant);
        met.set(`${user}`, variant);
      }
    }
    assert.deepEqual([...new Set(met.values())].sort(), ['candidate/5', 'stable/3']);
    const again = await scorer.ask('/v2/models/wine/infer', {
      body,
      headers: { 'x-slipway-variant': 'candidate' },
    });
    assert.equal(again.json.model_version, '5');
    assert.equal(
      (await ask(scorer, '/v2/models/wine/versions/3/infer')).headers.get('x-slipway-variant'),
      null,
    );
    await scorers.splice(0)[0]?.drain();
    const variants = readLog(file).map(
      ({ variant, model, version: logged }) => `${variant} ${model} ${logged}`,
    );
    assert.deepEqual([...new Set(variants)].sort(), ['candidate wine 5', 'stable wine 3', 'version wine 3']);
    const told = scorer.messages.findLast((message) => message.type === 'statistics');
    assert.deepEqual(told?.variants.map(({ variant, requestCount }) => [variant, requestCount > 0]).sort(), [
      ['candidate', true],
      ['stable', true],
      ['version', true],
    ]);
  });

  it('asks a shadow the same, compares the predictions, and logs what it said', async () => {
    const file = join(folder, 'shadow.db');
    const scorer = await serve(linearModel('rows', 3), {
      models: [await version(5), await version(6, 'beer')],
      inferenceLog: file,
      traffic: [
        {
          model: 'wine',
          salt: '',
          variants: [{ name: 'stable', version: 3, share: 1 }],
          shadow: { version: 5, share: 1 },
        },
      ],
    });
    for (let time = 0; time < 5; time++) assert.equal((await ask(scorer)).json.model_version, '3');
    await ask(scorer, '/v2/models/wine/versions/3/infer');
    await ask(scorer, '/v2/models/beer/infer');
    await scorers.splice(0)[0]?.drain();
    const told = scorer.messages.findLast((message) => message.type === 'statistics');
    const expected: ShadowStatistics = {
      model: 'wine',
      stableVersion: 3,
      shadowVersion: 5,
      comparedRows: 5,
      equalRows: 0,
      outputs: [{ name: 'y', equalRows: null, meanAbsoluteDifference: 2, largestAbsoluteDifference: 2 }],
      failedRequests: 0,
      skippedRequests: 0,
    };
    assert.deepEqual(told?.shadows, [expected]);
    const heard = readLog(file).filter(({ variant }) => variant === 'shadow');
    assert.equal(new Set(heard.map(({ requestId }) => requestId)).size, 5);
    assert.deepEqual(
      heard.map(({ outputs }) => outputs),
      Array.from({ length: 5 }, () => '{"y":[11]}'),
    );
  });

  it('is killed when a run takes too long, and says so', async () => {
    const scorer = await startScorerProcess(folder, slowModel(1024, 30), {
      limits: { runMilliseconds: 20 },
    });
    const exited = once(scorer.process, 'exit');
    const slow = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1], data: [0] }] };
    await assert.rejects(scorer.ask('/v2/models/wine/infer', { body: slow }));
    assert.deepEqual(await exited, [null, 'SIGKILL']);
  });

  it('sends clients away when too many requests are under way, and they may come again', async () => {
    const scorer = await serve(linearModel('rows', 3), { limits: { requests: 1 } });
    const text = JSON.stringify(body);
    const first = request(`${scorer.url}/v2/models/wine/infer`, {
      method: 'POST',
      headers: { authorization: `Bearer ${scorer.token}`, 'content-length': text.length },
    });
    first.write(text.slice(0, 10));
    let away = await ask(scorer);
    // The first one's head may still be on its way.
    while (away.status === 200) away = await ask(scorer);
    assert.equal(away.status, 429);
    assert.equal(away.headers.get('retry-after'), '1');
    assert.match(away.json.error, /More than 1 requests are under way/);
    const answered = once(first, 'response');
    first.end(text.slice(10));
    const [answer] = await answered;
    assert.equal(answer.statusCode, 200);
    answer.resume();
    assert.equal((await ask(scorer)).status, 200);
  });

  it('unpacks gzip and deflate, within the limit of a body', async () => {
    const scorer = await serve(linearModel('rows', 3), { limits: { bodyBytes: 1000 } });
    const send = (packed: Uint8Array, encoding: string) =>
      fetch(`${scorer.url}/v2/models/wine/infer`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${scorer.token}`,
          'content-type': 'application/json',
          'content-encoding': encoding,
        },
        body: new Uint8Array(packed),
      });
    assert.equal((await send(gzipSync(JSON.stringify(body)), 'gzip')).status, 200);
    assert.equal((await send(gzipSync(' '.repeat(5000) + JSON.stringify(body)), 'gzip')).status, 413);
    assert.equal((await send(Buffer.from('nonsense'), 'gzip')).status, 400);
    assert.equal((await send(Buffer.from('nonsense'), 'br')).status, 415);
  });
});
