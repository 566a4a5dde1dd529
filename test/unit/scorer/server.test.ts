import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createAccess } from '../../../src/scorer/access.ts';
import { createLoadedModels } from '../../../src/scorer/loadedModels.ts';
import { startServer } from '../../../src/scorer/server.ts';

describe('HTTP server of a scorer', () => {
  it('drains although a client resets a connection that was handed over', async () => {
    const server = await startServer({
      place: { host: '127.0.0.1', port: 0, door: null },
      access: createAccess({ host: '127.0.0.1', token: null }),
      models: createLoadedModels({
        main: 'wine',
        open: () => Promise.reject(new Error('Nothing is loaded here.')),
        batchRows: 1,
      }),
      protocols: [],
      bodyBytes: 1000,
      requests: 1,
      requestMilliseconds: 5_000,
      predicted: () => undefined,
      unforeseen: () => undefined,
    });
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
});
