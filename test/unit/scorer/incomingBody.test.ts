import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { createAccess } from '../../../src/scorer/access.ts';
import { createLoadedModels } from '../../../src/scorer/loadedModels.ts';
import { json, type Protocol } from '../../../src/scorer/routing.ts';
import { type ScorerServer, startServer } from '../../../src/scorer/server.ts';

/** Tells how long the body is that it was sent. */
const lengths: Protocol = {
  find: () => ({ POST: ({ body }) => json(200, `${body.length}`), open: true, predicts: true }),
  owns: () => true,
  nothingAt: () => '',
  problem: ({ status, message }) => json(status, message),
};
const limit = 1_000_000;

describe('The body of a request', () => {
  let server: ScorerServer;
  const unforeseen: unknown[] = [];
  let admission: Promise<void> | null = null;
  before(async () => {
    server = await startServer({
      place: { host: '127.0.0.1', port: 0, door: null },
      access: createAccess({ host: '127.0.0.1', token: null }),
      models: createLoadedModels({
        main: 'wine',
        open: () => Promise.reject(new Error('Nothing is loaded here.')),
        batchRows: 1,
      }),
      protocols: [lengths],
      bodyBytes: limit,
      requests: 1,
      requestMilliseconds: 5_000,
      admission: () => admission,
      predicted: () => undefined,
      unforeseen: (error) => unforeseen.push(error),
    });
  });
  after(() => server.drain(1_000, 0));

  const client = async () => {
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  };
  const head = (length: string) => `POST / HTTP/1.1\r\nHost: localhost\r\n${length}\r\n\r\n`;
  /** The status and the body of the answer to what is sent piece by piece. */
  const answerTo = async (...pieces: readonly string[]) => {
    const socket = await client();
    for (const piece of pieces) {
      socket.write(piece);
      await delay(20);
    }
    let text = '';
    while (!/\r\n\r\n./.test(text)) text += (await once(socket, 'data'))[0];
    socket.destroy();
    return [Number(text.slice(9, 12)), text.slice(text.indexOf('\r\n\r\n') + 4)] as const;
  };

  it('is the same whether it comes with its head, behind it, in pieces, in chunks, or not at all', async () => {
    assert.deepEqual(await answerTo(`${head('Content-Length: 5')}12345`), [200, '5']);
    assert.deepEqual(await answerTo(head('Content-Length: 5'), '12345'), [200, '5']);
    assert.deepEqual(await answerTo(`${head('Content-Length: 5')}1`, '23', '45'), [200, '5']);
    const chunked = head('Transfer-Encoding: chunked');
    assert.deepEqual(await answerTo(`${chunked}3\r\n123\r\n2\r\n45\r\n0\r\n\r\n`), [200, '5']);
    assert.deepEqual(await answerTo(`${chunked}3\r\n123\r\n`, '2\r\n45\r\n0\r\n\r\n'), [200, '5']);
    assert.deepEqual(await answerTo(head('Content-Length: 0')), [200, '0']);
    const large = 'x'.repeat(limit);
    assert.deepEqual(await answerTo(`${head(`Content-Length: ${limit}`)}${large}`), [200, `${limit}`]);
  });

  it('is refused when it is too large, also where nothing said so ahead', async () => {
    const [announced] = await answerTo(head(`Content-Length: ${limit + 1}`));
    assert.equal(announced, 413);
    const chunk = `${(limit + 1).toString(16)}\r\n${'x'.repeat(limit + 1)}\r\n0\r\n\r\n`;
    const [chunked] = await answerTo(`${head('Transfer-Encoding: chunked')}${chunk}`);
    assert.equal(chunked, 413);
  });

  it('lets the connection be used further, whether it was taken or refused', async () => {
    const chunked = head('Transfer-Encoding: chunked');
    const large = `${chunked}${(limit + 1).toString(16)}\r\n${'x'.repeat(limit + 1)}\r\n0\r\n\r\n`;
    const socket = await client();
    let text = '';
    socket.on('data', (data) => {
      text += data;
    });
    for (const [sent, status] of [
      [`${head('Content-Length: 5')}12345`, 200],
      [large, 413],
      [`${chunked}3\r\n123\r\n0\r\n\r\n`, 200],
      ['GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', 405],
      [
        `POST /no/%gg HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${limit}\r\n\r\n${'x'.repeat(limit)}`,
        404,
      ],
      [`${head('Content-Length: 4')}1234`, 200],
    ] as const) {
      text = '';
      socket.write(sent);
      while (!/\r\n\r\n./.test(text)) await once(socket, 'data');
      assert.equal(Number(text.slice(9, 12)), status, sent.slice(0, 100));
    }
    socket.destroy();
  });

  it('is not read into memory before its request is admitted', async () => {
    const gate = Promise.withResolvers<void>();
    admission = gate.promise;
    const socket = await client();
    // More than the buffers of the system hold.
    const piece = `${(1 << 20).toString(16)}\r\n${'x'.repeat(1 << 20)}\r\n`;
    for (const sent of [head('Transfer-Encoding: chunked'), ...Array(64).fill(piece), '0\r\n\r\n']) {
      socket.write(sent);
    }
    try {
      let left = -1;
      while (left !== socket.writableLength) {
        left = socket.writableLength;
        await delay(200);
      }
      assert.ok(left > 32 << 20, `${left} bytes are left`);
    } finally {
      admission = null;
      gate.resolve();
    }
    const [answer] = await once(socket, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  it('takes no room any more when the client goes away while it sends, however soon', async () => {
    for (let time = 0; time < 20; time++) {
      const socket = await client();
      socket.resume();
      socket.write(`${head('Content-Length: 5')}1`);
      if (time % 2) await setImmediate();
      if (time % 4 < 2) socket.resetAndDestroy();
      else socket.end();
      await once(socket, 'close');
    }
    // The connection ends between the head and the end of the turn that it came in.
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = holder.address();
    assert.ok(address !== null && typeof address === 'object');
    const accepted: Promise<Socket[]> = once(holder, 'connection');
    const socket = connect(address.port, '127.0.0.1');
    const [connection] = await accepted;
    assert.ok(connection);
    server.take(connection);
    connection.once('data', () => process.nextTick(() => connection.destroy()));
    socket.resume().write(`${head('Content-Length: 5')}1`);
    await once(socket, 'close');
    holder.close();
    await delay(50);
    // One request may be under way at a time: any that is not forgotten would take the room of this one.
    assert.deepEqual(await answerTo(`${head('Content-Length: 5')}12345`), [200, '5']);
    assert.deepEqual(unforeseen, []);
  });
});
