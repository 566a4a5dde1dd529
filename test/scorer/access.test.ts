import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { linearModel } from '../fixtures/onnxFile.ts';
import { type RunningScorer, removeFolder, startScorerProcess, temporaryFolder } from './scorerProcess.ts';

describe('The door of a scorer', () => {
  let folder: string;
  let scorer: RunningScorer;
  before(async () => {
    folder = await temporaryFolder();
    scorer = await startScorerProcess(folder, linearModel(), {
      limits: { bodyBytes: 1000, requestMilliseconds: 300 },
    });
  });
  after(async () => {
    await scorer.drain();
    await removeFolder(folder);
  });

  const open = ['/v2/health/live', '/v2/health/ready', '/ping', '/health', '/version'];
  const closed = ['/v2', '/v2/models', '/v2/models/wine', '/v2/models/wine/ready', '/nothing'];

  it('asks for the token, except on health routes', async () => {
    for (const path of open) assert.equal((await fetch(`${scorer.url}${path}`)).status, 200, path);
    for (const path of closed) {
      for (const authorization of [
        '',
        'Bearer',
        'Bearer a token for the test',
        'Basic a token for the tests',
      ]) {
        const answer = await fetch(`${scorer.url}${path}`, { headers: { authorization } });
        assert.equal(answer.status, 401, path);
        assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
      }
    }
  });

  it('asks for no token when it was given none', async () => {
    const free = await startScorerProcess(folder, linearModel(), { token: null });
    assert.equal((await fetch(`${free.url}/v2`)).status, 200);
    await free.drain();
  });

  it('answers 404 where there is nothing, and says what there is', async () => {
    for (const [path, sentence] of [
      ['/nothing', /nothing/],
      ['/v2/nothing', /nothing at \/v2\/nothing/],
      ['/v2/models/beer', /no model "beer" here.*"wine"/],
      ['/v2/models/beer/infer', /no model "beer"/],
      ['/v2/models/wine/versions/4', /no version "4".*version 3/],
      ['/v2/models/wine/versions/4/infer', /no version "4"/],
      ['/%', /nothing/],
    ] as const) {
      const { status, json } = await scorer.ask(path, path.endsWith('/infer') ? { body: {} } : {});
      assert.equal(status, 404, path);
      assert.match(json.error, sentence);
    }
  });

  it('answers 405 with what is allowed', async () => {
    for (const [method, path, allowed] of [
      ['GET', '/v2/models/wine/infer', 'POST'],
      ['POST', '/v2/models/wine', 'GET, HEAD'],
      ['DELETE', '/invocations', 'POST'],
      ['PUT', '/ping', 'GET, HEAD'],
    ] as const) {
      const { status, headers } = await scorer.ask(path, { method });
      assert.equal(status, 405, path);
      assert.equal(headers.get('allow'), allowed);
    }
    assert.equal((await scorer.ask('/v2', { method: 'HEAD' })).status, 200);
  });

  /** Through `node:http`, because `fetch` sets these headers itself. */
  const statusWith = async (headers: Record<string, string>) => {
    const sent = request(`${scorer.url}/v2/health/live`, { headers });
    sent.end();
    const [answer] = await once(sent, 'response');
    answer.resume();
    return answer.statusCode;
  };

  it('serves no host of another name, as DNS rebinding would use', async () => {
    assert.equal(await statusWith({ host: 'evil.example' }), 403);
    assert.equal(await statusWith({ host: '127.0.0.1.evil.example:80' }), 403);
    assert.equal(await statusWith({ host: 'LOCALHOST:99' }), 200);
    assert.equal(await statusWith({ host: '[::1]:99' }), 200);
  });

  it('serves no page of another origin', async () => {
    assert.equal(await statusWith({ origin: 'https://evil.example' }), 403);
    assert.equal(await statusWith({ origin: 'null' }), 403);
    assert.equal(await statusWith({ origin: 'http://127.0.0.1:1' }), 403, 'another port of this machine');
    assert.equal(await statusWith({ origin: scorer.url }), 200);
  });

  it('refuses a body that is too large, announced or not', async () => {
    const body = 'x'.repeat(1001);
    for (const path of ['/v2/models/wine/infer', '/invocations']) {
      const { status, json } = await scorer.ask(path, { body });
      assert.equal(status, 413);
      assert.match(json.error ?? json.message, /larger than the 1000 bytes/);
    }
    const streamed = await fetch(`${scorer.url}/invocations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${scorer.token}`, 'content-type': 'application/json' },
      body: Readable.toWeb(Readable.from([Buffer.from(body), Buffer.from(body)])),
      duplex: 'half',
    } as RequestInit);
    assert.equal(streamed.status, 413);
    assert.equal((await scorer.ask('/v2')).status, 200);
  });

  it('refuses a body that is packed in an unknown way with 415', async () => {
    const headers = { 'content-encoding': 'br' };
    assert.equal((await scorer.ask('/invocations', { body: '{}', headers })).status, 415);
  });

  it('lets go of a client that never finishes its request', async () => {
    const { port } = scorer.ready;
    for (const start of [
      'POST /invocations HTTP/1.1\r\nHost: localhost\r\n',
      `POST /invocations HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${scorer.token}\r\nContent-Length: 9\r\n\r\n{`,
    ]) {
      const socket = connect(port, '127.0.0.1');
      const chunks: Buffer[] = [];
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.write(start);
      await once(socket, 'close');
      assert.match(Buffer.concat(chunks).toString(), /^(HTTP\/1\.1 408|$)/);
    }
    assert.equal((await scorer.ask('/v2')).status, 200);
  });
});
