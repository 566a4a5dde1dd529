import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createAccess } from '../../../src/scorer/access.ts';
import { createLoadedModels } from '../../../src/scorer/loadedModels.ts';
import { json, type Protocol } from '../../../src/scorer/routing.ts';
import { startServer } from '../../../src/scorer/server.ts';

const prediction: Protocol = {
  find: () => ({ POST: () => json(200, '1'), open: true, predicts: true }),
  owns: () => true,
  nothingAt: () => '',
  problem: ({ status, message }) => json(status, message),
};

describe('HTTP server of a scorer', () => {
  const start = (admission: () => Promise<void> | null = () => null) =>
    startServer({
      place: { host: '127.0.0.1', port: 0, door: null },
      access: createAccess({ host: '127.0.0.1', token: null }),
      models: createLoadedModels({
        main: 'wine',
        open: () => Promise.reject(new Error('Nothing is loaded here.')),
        batchRows: 1,
      }),
      protocols: [prediction],
      bodyBytes: 1000,
      requests: 2,
      requestMilliseconds: 5_000,
      admission,
      predicted: () => undefined,
      unforeseen: () => undefined,
    });

  it('lets predictions wait until they are admitted, and refuses those for whom there is no place', async () => {
    const gate = Promise.withResolvers<void>();
    let asked = 0;
    const server = await start(() => {
      asked += 1;
      return gate.promise;
    });
    const ask = async () => {
      const response = await fetch(`http://127.0.0.1:${server.port}/`, { method: 'POST', body: '{}' });
      await response.text();
      return response.status;
    };
    const first = ask();
    const second = ask();
    while (asked < 2) await delay(5);
    assert.equal(await ask(), 429);
    gate.resolve();
    assert.deepEqual([await first, await second], [200, 200]);
    await server.drain(1_000, 0);
  });

  it('names each prediction, and lets no cache keep what it answers', async () => {
    const server = await start();
    const address = `http://127.0.0.1:${server.port}/`;
    const predicted = await fetch(address, { method: 'POST', body: '{}' });
    assert.match(predicted.headers.get('x-request-id') ?? '', /^[0-9a-f]{32}$/);
    const named = await fetch(address, {
      method: 'POST',
      body: '{}',
      headers: { 'x-request-id': 'caf\xe9' },
    });
    assert.equal(named.headers.get('x-request-id'), 'caf?');
    const other = await fetch(address);
    for (const response of [predicted, named, other]) {
      assert.equal(response.headers.get('cache-control'), 'no-store');
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
      await response.text();
    }
    await server.drain(1_000, 0);
  });

  it('drains although a client resets a connection that was handed over', async () => {
    const server = await start();
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = holder.address();
    assert.ok(address !== null && typeof address === 'object');
    const accepted: Promise<Socket[]> = once(holder, 'connection');
    const client = connect(address.port, '127.0.0.1');
    const [connection] = await accepted;
    assert.ok(connection);
    server.take(connection);
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(client, 'data');
    const drained = server.drain(2_000, 1_000);
    await delay(50);
    client.resetAndDestroy();
    await drained;
    holder.close();
  });

  for (const accepted of ['by itself', 'by another process']) {
    it(`closes a connection that never said anything when it drains, accepted ${accepted}`, async () => {
      const server = await start();
      const holder = createServer((connection) => server.take(connection)).listen(0, '127.0.0.1');
      await once(holder, 'listening');
      const address = holder.address();
      assert.ok(address !== null && typeof address === 'object');
      const client = connect(accepted === 'by itself' ? server.port : address.port, '127.0.0.1');
      await once(client, 'connect');
      await delay(50);
      const closed = once(client, 'close');
      // Longer than this test may take.
      await server.drain(10 * 60_000, 0);
      await closed;
      holder.close();
    });
  }

  it('answers the first request of a connection that was opened just before it drains', async () => {
    const server = await start();
    const client = connect(server.port, '127.0.0.1');
    await once(client, 'connect');
    await delay(50);
    const drained = server.drain(10_000, 0);
    await delay(50);
    client.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}');
    const [answer]: Buffer[] = await once(client, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 200 /);
    await drained;
    client.destroy();
  });
});
