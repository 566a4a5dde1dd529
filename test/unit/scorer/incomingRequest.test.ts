import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { endOfTurn } from '../../../src/inference/turn.ts';
import { IncomingRequest } from '../../../src/scorer/incomingRequest.ts';

describe('A request to a scorer', () => {
  it('is forgotten once it is answered, while its connection is idle', async () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const requests: WeakRef<IncomingRequest>[] = [];
    const server = createServer({ IncomingMessage: IncomingRequest });
    server.on('request', async (request, response) => {
      requests.push(new WeakRef(request));
      await endOfTurn();
      response.end(`${(await request.body(100)).length}`);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const client = connect(address.port, '127.0.0.1');
    try {
      client.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n123');
      const [answer] = await once(client, 'data');
      assert.match(String(answer), /^HTTP\/1\.1 200 /);
      for (let time = 0; time < 20 && requests[0]?.deref(); time++) {
        await delay(20);
        collect();
      }
      assert.equal(requests.length, 1);
      assert.equal(requests[0]?.deref(), undefined);
    } finally {
      client.destroy();
      server.close();
    }
  });
});
