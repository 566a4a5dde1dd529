import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { status } from '@grpc/grpc-js';
import { linearModel } from '../fixtures/onnxFile.ts';
import { answeredNumbers, createGrpcCaller, wineRequest } from './grpcCaller.ts';
import { type RunningScorer, removeFolder, startScorerProcess, temporaryFolder } from './scorerProcess.ts';

describe('A scorer behind a proxy that hands on the host it was asked by', () => {
  let folder: string;
  let scorer: RunningScorer;
  before(async () => {
    folder = await temporaryFolder();
    scorer = await startScorerProcess(folder, linearModel(), {
      hosts: ['Models.Example.com'],
      grpcPort: 0,
    });
  });
  after(async () => {
    await scorer.drain();
    await removeFolder(folder);
  });

  const send = async (path: string, headers: IncomingHttpHeaders, body?: string) => {
    const sent = request(`${scorer.url}${path}`, { method: body === undefined ? 'GET' : 'POST', headers });
    sent.end(body);
    const [answer] = await once(sent, 'response');
    return { status: Number(answer.statusCode), text: (await buffer(answer)).toString() };
  };
  const authorization = () => ({ authorization: `Bearer ${scorer.token}` });
  const question = '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,3],"data":[1,2,3]}]}';
  const predict = (headers: IncomingHttpHeaders) =>
    send('/v2/models/wine/infer', { 'content-type': 'application/json', ...headers }, question);

  it('answers the page and its requests by a host that was declared', async () => {
    const host = 'models.example.com';
    const page = await send('/try', { host });
    assert.equal(page.status, 200);
    assert.match(page.text, /<html/);
    const answer = await predict({ host, origin: `https://${host}`, ...authorization() });
    assert.equal(answer.status, 200);
    assert.match(answer.text, /14\.5/);
    const withPort = { host: `${host}:8443`, origin: `https://${host}:8443`, ...authorization() };
    assert.equal((await predict(withPort)).status, 200);
  });

  it('still asks for the token, and refuses other hosts and pages of other origins', async () => {
    const host = 'models.example.com';
    assert.equal((await predict({ host })).status, 401);
    assert.equal((await predict({ host, authorization: 'Bearer no token of it' })).status, 401);
    for (const other of ['evil.example', `${host}.evil.example`, `evil-${host}`, `sub.${host}`]) {
      const { status, text } = await predict({ host: other, ...authorization() });
      assert.equal(status, 403, other);
      assert.match(text, /is not served here/);
      assert.equal((await send('/v2/health/live', { host: other })).status, 403, other);
    }
    for (const origin of [
      'https://evil.example',
      `https://${host}.evil.example`,
      `https://${host}:1`,
      'null',
    ]) {
      assert.equal((await predict({ host, origin, ...authorization() })).status, 403, origin);
    }
    const own = new URL(scorer.url).host;
    const foreign = { host: own, origin: `https://${host}`, ...authorization() };
    assert.equal((await predict(foreign)).status, 403, 'a page of the named host that asks another one');
  });

  it('answers by a host that is named while it runs, and refuses to take what is no host', async () => {
    const host = 'editor.example.org:8443';
    const asked = () => predict({ host, origin: `https://${host}`, ...authorization() });
    assert.equal((await asked()).status, 403);
    assert.equal((await scorer.command({ type: 'host', host: 'Editor.example.org' })).type, 'done');
    assert.equal((await asked()).status, 200);
    assert.equal((await predict({ host: 'example.org', ...authorization() })).status, 403);
    scorer.process.send({ type: 'host', id: -1, host: '*.example.net' });
    await scorer.command({ type: 'host', host: 'after.example' });
    assert.equal((await predict({ host: '*.example.net', ...authorization() })).status, 403);
    assert.equal((await predict({ host: 'a.example.net', ...authorization() })).status, 403);
  });

  it('answers gRPC by the same hosts', async () => {
    const call = async (authority: string) => {
      const caller = createGrpcCaller(`127.0.0.1:${scorer.ready.grpcPort}`, {
        'grpc.default_authority': authority,
        'grpc.use_local_subchannel_pool': 1,
      });
      try {
        const { code, bytes } = await caller.call('ModelInfer', wineRequest([[1, 2, 3]]));
        return code === status.OK ? answeredNumbers(bytes).y : code;
      } finally {
        caller.close();
      }
    };
    assert.deepEqual(await call('models.example.com:443'), [14.5]);
    assert.equal(await call('late.example.org'), status.PERMISSION_DENIED);
    await scorer.command({ type: 'host', host: 'late.example.org' });
    assert.deepEqual(await call('late.example.org'), [14.5]);
  });
});
