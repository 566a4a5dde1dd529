import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { createConnection } from 'node:net';
import { Metadata, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { modelStreamInferResponse } from '../../src/scorer/grpc/inferenceMessages.ts';
import { linearModel } from '../fixtures/onnxFile.ts';
import { answeredNumbers, createGrpcCaller, type GrpcCaller, wineRequest } from './grpcCaller.ts';
import {
  type InferenceServer,
  type InferenceServerOptions,
  serverToken,
  startInferenceServer,
} from './inferenceServer.ts';
import { removeFolder, temporaryFolder } from './scorerProcess.ts';

describe('The Open Inference Protocol over gRPC', () => {
  let folder: string;
  const open: { server: InferenceServer; caller: GrpcCaller }[] = [];
  before(async () => {
    folder = await temporaryFolder();
  });
  afterEach(async () => {
    for (const { server, caller } of open.splice(0)) {
      caller.close();
      await server.close();
      assert.deepEqual(server.unforeseen, []);
    }
  });
  after(() => removeFolder(folder));

  const start = async (options: InferenceServerOptions = {}, client: object = {}) => {
    const wines = [3, 4].map((version) => ({ name: 'wine', version, model: linearModel() }));
    const server = await startInferenceServer(folder, wines, options);
    const caller = createGrpcCaller(server.grpc, client);
    open.push({ server, caller });
    return { server, caller };
  };
  const infer = 'ModelInfer';
  const rows = [
    [1, 2, 3],
    [4, 5, 6],
  ];

  it('predicts, and tells of it as over HTTP', async () => {
    const { server, caller } = await start();
    const { code, bytes, metadata } = await caller.call(infer, wineRequest(rows, { id: 'seven' }));
    assert.equal(code, status.OK);
    assert.deepEqual(answeredNumbers(bytes).y, [14.5, 32.5]);
    assert.deepEqual(metadata.get('x-request-id'), ['seven']);
    await caller.call(infer, wineRequest(rows, { model_version: '3' }));
    await caller.call(infer, wineRequest([[1]]));
    await caller.call(infer, wineRequest(rows, { model_name: 'beer' }));
    assert.deepEqual(
      server.outcomes.map(({ status: http, chosen, prediction }) => [
        http,
        chosen?.loaded.version ?? null,
        chosen?.variant ?? null,
        prediction?.feeds[0]?.shape ?? null,
      ]),
      [
        [200, 4, 'stable', [2, 3]],
        [200, 3, 'version', [2, 3]],
        [400, 4, 'stable', null],
        [404, null, null, null],
      ],
    );
    assert.equal(server.outcomes[0]?.requestId, 'seven');
    assert.deepEqual(server.counters.of({ name: 'wine', version: 3 }).success.count, 1);
    assert.deepEqual(server.counters.of({ name: 'wine', version: 3 }).rowCount, 2);
  });

  it('follows the traffic split, and a sticky key in a parameter or in the metadata', async () => {
    const { caller } = await start({
      traffic: {
        model: 'wine',
        salt: 's',
        sticky: { from: 'parameter', name: 'customer' },
        variants: [
          { name: 'stable', version: 3, share: 0.5 },
          { name: 'candidate', version: 4, share: 0.5 },
        ],
      },
    });
    const none = {
      bool_param: undefined,
      int64_param: undefined,
      double_param: undefined,
      uint64_param: undefined,
    };
    const ask = async (key: string, headers = {}) => {
      const parameters = [{ key: 'customer', value: { ...none, string_param: key } }];
      const { bytes, metadata } = await caller.call(infer, wineRequest(rows, { parameters }), headers);
      const [variant] = metadata.get('x-slipway-variant');
      return { version: answeredNumbers(bytes).response.model_version, variant };
    };
    const met = new Set<string>();
    for (let customer = 0; customer < 20; customer++) {
      const first = await ask(String(customer));
      assert.deepEqual(await ask(String(customer)), first);
      assert.equal(first.variant, first.version === '3' ? 'stable' : 'candidate');
      met.add(first.version);
      assert.equal((await ask(String(customer), { 'x-slipway-variant': 'candidate' })).version, '4');
    }
    assert.deepEqual([...met].sort(), ['3', '4']);
  });

  it('asks for the token, except for health', async () => {
    const { server } = await start();
    for (const token of [null, 'another token']) {
      const caller = createGrpcCaller(server.grpc, {}, token);
      for (const method of [
        infer,
        'ServerMetadata',
        'ModelReady',
        'RepositoryModelUnload',
        'ModelStreamInfer',
      ]) {
        const { code, details } = await caller.call(method, Buffer.alloc(0));
        assert.equal(code, status.UNAUTHENTICATED, method);
        assert.match(details, /token/);
      }
      for (const method of ['ServerLive', 'ServerReady']) {
        const { code, bytes } = await caller.call(method, Buffer.alloc(0));
        assert.equal(code, status.OK);
        assert.deepEqual(bytes, Buffer.from([8, 1]));
      }
      caller.close();
    }
    assert.deepEqual(server.outcomes, []);
  });

  it('serves loopback names only', async () => {
    const { caller } = await start({}, { 'grpc.default_authority': 'slipway.example:80' });
    const { code, details } = await caller.call(infer, wineRequest(rows));
    assert.equal(code, status.PERMISSION_DENIED);
    assert.match(details, /"slipway.example:80" is not served here/);
  });

  it('refuses messages that are too large, and more requests than are allowed', async () => {
    const small = await start({ bodyBytes: 100 });
    assert.equal((await small.caller.call(infer, wineRequest(rows))).code, status.OK);
    const many = Array.from({ length: 20 }, () => [1, 2, 3]);
    assert.equal((await small.caller.call(infer, wineRequest(many))).code, status.RESOURCE_EXHAUSTED);
    const busy = await start({ requests: 1 });
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => busy.caller.call(infer, wineRequest(rows))),
    );
    const refused = answers.filter(({ code }) => code === status.RESOURCE_EXHAUSTED);
    assert.ok(refused.length > 0 && refused.length < 8, String(refused.length));
    assert.match(refused[0]?.details ?? '', /More than 1 requests/);
    assert.equal(busy.server.outcomes.filter((outcome) => outcome.status === 429).length, refused.length);
  });

  it('says what is wrong with a message that is none, and fails at nothing', async () => {
    const { server, caller } = await start();
    const garbled = await caller.call(infer, Buffer.from([0x0a, 0xff]));
    assert.equal(garbled.code, status.INVALID_ARGUMENT);
    assert.equal(garbled.details, 'The message cannot be read: the message is cut off.');
    const methods = fc.constantFrom(
      infer,
      'ModelReady',
      'ModelConfig',
      'ModelStatistics',
      'RepositoryModelLoad',
    );
    const cut = fc.tuple(fc.nat(80), fc.nat(80), fc.nat(255)).map(([length, place, byte]) => {
      const bytes = wineRequest(rows).subarray(0, length);
      if (place < bytes.length) bytes[place] = byte;
      return bytes;
    });
    const content = fc.oneof(cut, fc.uint8Array({ maxLength: 40 }));
    const fine = [status.OK, status.INVALID_ARGUMENT, status.NOT_FOUND];
    await fc.assert(
      fc.asyncProperty(methods, content, async (method, bytes) => {
        const { code, details } = await caller.call(method, Buffer.from(bytes));
        assert.ok(fine.includes(code), `${code} ${details}`);
      }),
      { numRuns: 300 },
    );
    assert.deepEqual(server.unforeseen, []);
  });

  /** Opens a call whose message the test sends itself. */
  const openCall = (address: string, path: string, firstBytes: Buffer) => {
    const session = connect(`http://${address}`);
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: `Bearer ${serverToken}`,
    });
    stream.write(firstBytes);
    return { session, stream };
  };
  /** The server has read the first bytes of its message. */
  const beginCall = async (...call: Parameters<typeof openCall>) => {
    const { session, stream } = openCall(...call);
    await once(session, 'connect');
    await new Promise((resolve) => session.ping(resolve));
    return { session, stream };
  };
  const inferPath = '/inference.GRPCInferenceService/ModelInfer';

  it('ends a call whose message does not come', async () => {
    const { server } = await start({ requestMilliseconds: 50 });
    const { session, stream } = openCall(server.grpc, inferPath, Buffer.from([0, 0, 0, 1, 0]));
    const [headers] = await once(stream, 'response');
    assert.equal(
      headers['grpc-status'] ?? (await once(stream, 'trailers'))[0]['grpc-status'],
      String(status.CANCELLED),
    );
    session.destroy();
  });

  it('drains: what is under way is answered, streams end, and nobody else comes in', async () => {
    const { server, caller } = await start();
    const same = (bytes: Buffer) => bytes;
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${serverToken}`);
    const path = '/inference.GRPCInferenceService/ModelStreamInfer';
    const stream = caller.client.makeBidiStreamRequest(path, same, same, metadata);
    stream.write(wineRequest(rows, { id: 'first' }));
    const [message] = await once(stream, 'data');
    assert.equal(modelStreamInferResponse.decode(message).infer_response?.id, 'first');
    const ended = once(stream, 'status');
    const underWay = [caller.call(infer, wineRequest(rows)), caller.call(infer, wineRequest(rows))];
    const answered = await underWay[0];
    const drained = server.drainGrpc(5000);
    stream.resume();
    assert.equal((await ended)[0].code, status.OK);
    await drained;
    assert.equal(answered?.code, status.OK);
    assert.equal((await underWay[1])?.code, status.OK);
    assert.equal((await caller.call(infer, wineRequest(rows))).code, status.UNAVAILABLE);
  });

  it('is not drained before what is under way was answered', async () => {
    const { server } = await start();
    const message = wineRequest(rows);
    const length = Buffer.alloc(5);
    length.writeUInt32BE(message.length, 1);
    const { session, stream } = await beginCall(server.grpc, inferPath, length);

    const order: string[] = [];
    const told = once(session, 'goaway');
    const drained = server.drainGrpc(5000).then(() => order.push('drained'));
    await told;
    stream.end(message);
    const [trailers] = await once(stream.resume(), 'trailers');
    order.push('answered');
    assert.equal(trailers['grpc-status'], String(status.OK));
    await drained;
    assert.deepEqual(order, ['answered', 'drained']);
  });

  it('is drained at the deadline, whatever is under way', async () => {
    const { server } = await start();
    const { session, stream } = await beginCall(server.grpc, inferPath, Buffer.alloc(1));
    // Both are cut off.
    session.on('error', () => undefined);
    stream.on('error', () => undefined);
    const closed = new Promise((resolve) => stream.once('close', resolve));
    await server.drainGrpc(50);
    await closed;
  });

  it('does not wait for the deadline where a client does not hang up', async () => {
    const { server } = await start();
    const [host, port] = server.grpc.split(':');
    const client = createConnection({ host, port: Number(port), allowHalfOpen: true });
    const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    client.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings]));
    await once(client, 'data');
    await server.drainGrpc(600_000);
    client.destroy();
  });

  it('ends a health watch whose message comes while it drains', async () => {
    const { server } = await start();
    const empty = Buffer.alloc(5);
    const { session, stream } = await beginCall(
      server.grpc,
      '/grpc.health.v1.Health/Watch',
      empty.subarray(0, 4),
    );
    const told = once(session, 'goaway');
    const drained = server.drainGrpc(600_000);
    await told;
    stream.end(empty.subarray(4));
    const [trailers] = await once(stream.resume(), 'trailers');
    assert.equal(trailers['grpc-status'], String(status.OK));
    await drained;
  });

  it("answers gRPC's health checks without a token, once and for as long as somebody watches", async () => {
    const { server } = await start();
    const caller = createGrpcCaller(server.grpc, {}, null);
    const same = (bytes: Buffer) => bytes;
    const path = (method: string) => `/grpc.health.v1.Health/${method}`;
    /** `HealthCheckRequest { service }` */
    const named = (service: string) =>
      Buffer.concat([Buffer.from([0x0a, service.length]), Buffer.from(service)]);
    const check = (bytes: Buffer) =>
      new Promise((resolve) => {
        caller.client.makeUnaryRequest(path('Check'), same, same, bytes, (error, response) =>
          resolve(error ? error.code : response),
        );
      });
    /** `HealthCheckResponse { status }`: 1 is SERVING, 2 NOT_SERVING, 3 SERVICE_UNKNOWN. */
    const health = (value: number) => Buffer.from([8, value]);
    assert.deepEqual(await check(Buffer.alloc(0)), health(1));
    assert.deepEqual(await check(named('inference.GRPCInferenceService')), health(1));
    assert.equal(await check(named('another.Service')), status.NOT_FOUND);
    assert.equal(await check(Buffer.from([0x0a, 0xff])), status.INVALID_ARGUMENT);

    const unknown = caller.client.makeServerStreamRequest(
      path('Watch'),
      same,
      same,
      named('another.Service'),
    );
    assert.deepEqual((await once(unknown, 'data'))[0], health(3));
    unknown.on('error', () => undefined).cancel();
    const watched = caller.client.makeServerStreamRequest(path('Watch'), same, same, Buffer.alloc(0));
    assert.deepEqual((await once(watched, 'data'))[0], health(1));
    const told = once(watched, 'data');
    const ended = once(watched, 'status');
    await server.drainGrpc(5000);
    assert.deepEqual((await told)[0], health(2));
    assert.equal((await ended)[0].code, status.OK);
    caller.close();
  });

  it('does not offer what it has not', async () => {
    const { caller } = await start();
    const { code } = await caller.call('SystemSharedMemoryRegister', Buffer.alloc(0));
    assert.equal(code, status.UNIMPLEMENTED);
  });
});
