import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { createHttpServer } from '../../src/engine/http/server.ts';
import { openTrackingEngine, type TrackingEngine } from './trackingEngine.ts';

describe('Who may ask the HTTP server', () => {
  let engine: TrackingEngine;
  before(async () => {
    engine = await openTrackingEngine();
  });
  after(() => engine.close());

  /** Asks without the token; `fetch` would not let us choose Host. */
  const ask = async (path: string, headers: Readonly<Record<string, string>>, method = 'GET') => {
    const { port } = new URL(engine.url);
    const sent = request({ host: '127.0.0.1', port, path, headers, method });
    sent.end();
    const [response] = await once(sent, 'response');
    response.setEncoding('utf8');
    let body = '';
    for await (const chunk of response) body += chunk;
    return { status: Number(response.statusCode), body };
  };
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
  const path = '/api/2.0/mlflow/experiments/get?experiment_id=0';

  it('accepts the token as Bearer, and as password or user of Basic', async () => {
    for (const headers of [
      { authorization: `Bearer ${engine.token}` },
      { authorization: `bearer ${engine.token}` },
      basic(`anyone:${engine.token}`),
      basic(`${engine.token}:`),
    ]) {
      assert.equal((await ask(path, headers)).status, 200, JSON.stringify(headers));
    }
  });

  it('refuses a wrong, shortened, lengthened or missing token, in words that MLflow understands', async () => {
    for (const headers of [
      {},
      { authorization: '' },
      { authorization: 'Bearer' },
      { authorization: engine.token },
      { authorization: 'Bearer wrong' },
      { authorization: `Bearer ${engine.token.slice(1)}` },
      { authorization: `Bearer ${engine.token}x` },
      basic('anyone:wrong'),
      basic(''),
    ]) {
      const { status, body } = await ask(path, headers);
      assert.equal(status, 401, JSON.stringify(headers));
      assert.equal(JSON.parse(body).error_code, 'UNAUTHENTICATED');
    }
  });

  it('asks for the token before it says whether an endpoint exists', async () => {
    assert.equal((await ask('/api/2.0/mlflow/nope', {})).status, 401);
    assert.equal((await ask('/health/../api/2.0/mlflow/experiments/get?experiment_id=0', {})).status, 401);
  });

  it('answers /health and /version without a token', async () => {
    assert.deepEqual(await ask('/health', {}), { status: 200, body: 'OK' });
    assert.match((await ask('/version', {})).body, /^\d+\.\d+\.\d+$/);
  });

  it('refuses other host names, which a rebound DNS name would send', async () => {
    const authorization = `Bearer ${engine.token}`;
    for (const host of [
      'evil.example',
      'evil.example:80',
      '127.0.0.1.evil.example',
      '10.0.0.1',
      '[::2]:80',
    ]) {
      assert.equal((await ask(path, { authorization, host })).status, 403, host);
    }
    for (const host of ['localhost', 'LOCALHOST:1', '127.0.0.1:99', '[::1]', '[::1]:80']) {
      assert.equal((await ask(path, { authorization, host })).status, 200, host);
    }
  });

  it('refuses pages of other origins, those of other ports of this machine too', async () => {
    const authorization = `Bearer ${engine.token}`;
    for (const origin of ['http://evil.example', 'null', 'http://localhost:3000', 'https://127.0.0.1']) {
      assert.equal((await ask(path, { authorization, origin })).status, 403, origin);
    }
    assert.equal((await ask(path, { authorization, origin: engine.url })).status, 200);
  });

  it('takes another port when the preferred one is taken', async () => {
    const holder = createServer();
    holder.listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = holder.address();
    assert.ok(address !== null && typeof address === 'object');
    const { tracking, registry, provenance, artifacts } = engine;
    const options = { tracking, registry, provenance, artifacts, host: '127.0.0.1', token: null };

    const refused = createHttpServer({ ...options, port: address.port, whenPortTaken: 'fail' });
    await assert.rejects(refused, {
      kind: 'addressTaken',
      values: { host: '127.0.0.1', port: address.port },
    });
    await assert.rejects(createHttpServer({ ...options, host: '192.0.2.1', port: 0 }), {
      kind: 'invalidParameter',
    });

    const second = await createHttpServer({ ...options, port: address.port });
    assert.notEqual(second.port, address.port);
    assert.equal((await fetch(`${second.url}/health`)).status, 200);
    const { port } = second;
    await second.close();
    holder.close();

    const again = await createHttpServer({ ...options, port });
    assert.equal(again.port, port);
    await again.close();
  });

  it('closes although clients keep connections open', async () => {
    const { tracking, registry, provenance, artifacts } = engine;
    const server = await createHttpServer({
      tracking,
      registry,
      provenance,
      artifacts,
      host: '127.0.0.1',
      port: 0,
      token: null,
    });
    const silent = connect(server.port, '127.0.0.1');
    silent.on('error', () => undefined);
    await once(silent, 'connect');
    const response = await fetch(`${server.url}/health`);
    await response.text();
    const closed = once(silent, 'close');
    await server.close();
    await closed;
  });
});
