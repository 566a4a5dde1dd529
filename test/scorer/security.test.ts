import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { identityModel, linearModel } from '../fixtures/onnxFile.ts';
import { leak, residentBytes, sendRaw } from './rawRequests.ts';
import {
  modelFile,
  type RunningScorer,
  removeFolder,
  startScorerProcess,
  temporaryFolder,
} from './scorerProcess.ts';

const bodyBytes = 2 * 1024 * 1024;
const requestMilliseconds = 1_500;

describe('A scorer among hostile clients', () => {
  let folder: string;
  let scorer: RunningScorer;
  before(async () => {
    folder = await temporaryFolder();
    const any = identityModel([{ name: 'any', element: 'float', shape: null }]);
    const source = { type: 'onnx' as const, file: await modelFile(folder, any) };
    scorer = await startScorerProcess(folder, linearModel(), {
      columns: ['a', 'b', 'c'],
      models: [{ name: 'any', version: 1, source }],
      limits: { bodyBytes, requestMilliseconds, requests: 8 },
    });
  });
  after(async () => {
    await scorer.drain();
    await removeFolder(folder);
  });
  afterEach(async () => {
    assert.equal((await scorer.ask('/v2')).status, 200, 'it lives, and answers others');
    const stacks = scorer.messages.filter((message) => message.type === 'warning');
    assert.deepEqual(stacks, [], 'nothing failed that should not');
  });

  const send = (...parts: readonly (string | Buffer)[]) => sendRaw(scorer.ready.port, parts);
  const authorization = () => `Authorization: Bearer ${scorer.token}\r\n`;
  const body = '{"instances":[[1,2,3]]}';
  const head = (...lines: readonly string[]) =>
    `POST /v1/models/wine:predict HTTP/1.1\r\nHost: localhost\r\n${authorization()}Content-Type: application/json\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;

  it('lets nobody write headers of its answers', async () => {
    const evil = 'a\r\nX-Evil: 1\r\n\r\n<html>';
    for (const name of ['x-request-id', 'x-amzn-sagemaker-custom-attributes', 'x-slipway-variant']) {
      const { text } = await send(
        `${head(`Content-Length: ${body.length}`, `${name}: a\u00e9\tb`).replace('Content-Type', 'X-C: "\r\nContent-Type')}${body}`,
      );
      assert.match(text, /^HTTP\/1\.1 200 /);
      assert.doesNotMatch(text, /\u00e9/, name);
    }
    const { status, headers } = await scorer.ask('/v2/models/wine/infer', {
      body: { id: evil, inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }] },
    });
    assert.equal(status, 200);
    assert.equal(headers.get('x-evil'), null);
    const { text } = await send(
      `GET /v1/models/a%0d%0aX-Evil:%201 HTTP/1.1\r\nHost: localhost\r\n${authorization()}\r\n`,
    );
    assert.match(text, /^HTTP\/1\.1 404 /);
    assert.doesNotMatch(text, /^X-Evil/im);
  });

  it('finds no file and no address behind the name of a model', async () => {
    const names = [
      '../../../../etc/passwd',
      '..%2f..%2fetc%2fpasswd',
      '%2e%2e/%2e%2e/etc/passwd',
      '..\\..\\windows\\win.ini',
      'wine%00.onnx',
      'http:%2f%2f127.0.0.1:1%2f',
      'file:%2f%2f%2fetc%2fpasswd',
      '%252e%252e%252f',
      '__proto__',
      'constructor',
      'toString',
      '',
      '.',
      '..',
    ];
    for (const name of names) {
      for (const path of [
        `/v2/models/${name}`,
        `/v2/models/${name}/infer`,
        `/v1/models/${name}`,
        `/v1/models/${name}:predict`,
        `/v1/models/wine/labels/${name}`,
        `/v1/models/wine/versions/${name}`,
        `/models/${name}`,
        `/models/${name}/invoke`,
        `/${name}`,
        `/try/${name}`,
      ]) {
        for (const method of ['GET', 'POST']) {
          const { text, statuses } = await send(
            `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${authorization()}Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
          );
          const isList = /\/$/.test(path) && statuses[0] === 200;
          const [status = 0] = statuses;
          assert.ok((status >= 400 && status < 500) || isList, `${method} ${path}: ${text}`);
          assert.doesNotMatch(text, /root:|\[fonts\]/);
        }
      }
    }
  });

  it('refuses a body that unpacks to more than is allowed, without unpacking it', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    assert.ok(bomb.length < bodyBytes);
    const before = await residentBytes(scorer.process.pid ?? 0);
    for (const path of ['/v1/models/wine:predict', '/invocations', '/v2/models/wine/infer', '/v2/feedback']) {
      const { text } = await send(
        `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${authorization()}Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\nConnection: close\r\n\r\n`,
        bomb,
      );
      assert.match(text, /^HTTP\/1\.1 413 /, path);
    }
    const after = await residentBytes(scorer.process.pid ?? 0);
    if (before !== null && after !== null) assert.ok(after - before < 48 * 1024 * 1024, `${after - before}`);
  });

  it('refuses what is too large, announced or not, and long heads', async () => {
    const large = await send(head(`Content-Length: ${bodyBytes + 1}`));
    assert.deepEqual(large.statuses, [413]);
    const chunk = `${(1024 * 1024).toString(16)}\r\n${'x'.repeat(1024 * 1024)}\r\n`;
    const streamed = await send(head('Transfer-Encoding: chunked'), chunk, chunk, chunk, '0\r\n\r\n');
    assert.ok([413, undefined].includes(streamed.statuses[0]), streamed.text);
    const long = await send(`GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    assert.deepEqual(long.statuses, [431]);
    const many = await send(
      `GET /v2 HTTP/1.1\r\nHost: localhost\r\n${Array.from({ length: 3000 }, (_, index) => `x${index}: y\r\n`).join('')}\r\n`,
    );
    assert.deepEqual(many.statuses, [431]);
  });

  it('reads deep, huge and strange bodies to a sentence', async () => {
    const depth = 100_000;
    const lists = '['.repeat(depth) + ']'.repeat(depth);
    const objects = `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    const bodies = [
      `{"instances":${lists}}`,
      `{"inputs":${lists}}`,
      `{"inputs":${objects}}`,
      `{"instances":[${objects}]}`,
      `{"dataframe_split":{"data":${lists}}}`,
      `{"dataframe_records":[${objects}]}`,
      `{"examples":[{"x":${lists}}]}`,
      `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,3],"data":${lists}}]}`,
      `{"inputs":[{"name":"any","datatype":"FP32","shape":${lists},"data":[]}]}`,
      '{"inputs":[{"name":"x","datatype":"FP32","shape":[9007199254740991,3],"data":[]}]}',
      '{"inputs":[{"name":"x","datatype":"FP32","shape":[1e308,3],"data":[1]}]}',
      '{"inputs":[{"name":"any","datatype":"FP32","shape":[0,9007199254740991],"data":[]}]}',
      '{"inputs":[{"name":"any","datatype":"FP32","shape":[0,4294967296,4294967296],"data":[]}]}',
      '{"__proto__":{"inputs":[[1,2,3]]}}',
      '{"inputs":{"__proto__":[[1,2,3]]}}',
      '{"instances":[{"__proto__":[1,2,3],"constructor":1}]}',
      '{"dataframe_records":[{"__proto__":1,"hasOwnProperty":2,"a":1}]}',
      '{"dataframe_split":{"columns":["__proto__","__proto__","a"],"data":[[1,2,3]]}}',
      `{"inputs":${'9'.repeat(100_000)}}`,
      '{"inputs":1e999}',
      '{"instances":[["\\ud800"]]}',
      `{"inputs":"${'a'.repeat(500_000)}"}`,
      `${'"\\\\'.repeat(100_000)}NaN`,
      'NaN',
      'null',
      '\ufeff{}',
      '{"instances":[[1,2,3]]}{"instances":[[1,2,3]]}',
    ];
    for (const text of bodies) {
      for (const path of [
        '/v1/models/wine:predict',
        '/v1/models/wine:regress',
        '/v1/models/any:predict',
        '/v2/models/wine/infer',
        '/v2/models/any/infer',
        '/invocations',
        '/models/any/invoke',
        '/v2/feedback',
        '/models',
      ]) {
        const answer = await scorer.ask(path, { body: text });
        const title = `${path} ${text.slice(0, 80)}: ${answer.status} ${answer.text.slice(0, 300)}`;
        assert.ok(answer.status === 200 || (answer.status >= 400 && answer.status < 500), title);
        assert.ok(answer.text.length < 10_000, title);
        assert.doesNotMatch(answer.text, leak, title);
      }
    }
    assert.equal(({} as Record<string, unknown>).inputs, undefined);
  });

  it('lets go of clients that are slow with a head or a body, while others are answered', async () => {
    const starts = [
      'GET /v2 HTTP/1.1\r\nHost: local',
      head('Content-Length: 100'),
      head('Transfer-Encoding: chunked'),
    ];
    const began = Date.now();
    const slow = Array.from({ length: 60 }, (_, index) => {
      const socket = connect(scorer.ready.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.on('data', () => {});
      socket.write(starts[index % starts.length] ?? '');
      const timer = setInterval(() => socket.write(index % 3 === 2 ? '1\r\n \r\n' : 'x'), 200);
      return new Promise<void>((resolve) => {
        socket.once('close', () => {
          clearInterval(timer);
          resolve();
        });
      });
    });
    // Eight predictions may be under way, and the slow ones hold those places: health is answered all the same.
    await setTimeout(100);
    assert.equal((await fetch(`${scorer.url}/v2/health/live`)).status, 200);
    await Promise.all(slow);
    assert.ok(Date.now() - began < 20_000);
    assert.equal(await statusOnceFree(), 200);
  });

  /** The status of a prediction once the places of clients that are gone are free again. */
  const statusOnceFree = async (): Promise<number> => {
    const { status } = await scorer.ask('/v1/models/wine:predict', { body });
    return status === 429 ? statusOnceFree() : status;
  };

  it('answers 429 and when to come again while too many predictions are under way', async () => {
    const sockets = Array.from({ length: 8 }, () => {
      const socket = connect(scorer.ready.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(head('Content-Length: 100', 'Expect: 100-continue'));
      return socket;
    });
    // Asked before they hold all places, it would take the last one's.
    const told = await Promise.all(sockets.map((socket) => once(socket, 'data')));
    for (const [text] of told) assert.match(String(text), /^HTTP\/1\.1 100 /);
    const { status, headers } = await scorer.ask('/v1/models/wine:predict', { body });
    assert.deepEqual([status, headers.get('retry-after')], [429, '1']);
    for (const socket of sockets) socket.destroy();
    assert.equal(await statusOnceFree(), 200);
  });

  it('gives no page of another origin anything', async () => {
    for (const path of ['/v2', '/ping', '/try', '/metrics', '/invocations']) {
      const preflight = await send(
        `OPTIONS ${path} HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\nConnection: close\r\n\r\n`,
      );
      assert.match(preflight.text, /^HTTP\/1\.1 403 /);
      assert.doesNotMatch(preflight.text, /access-control-allow/i);
      const own = await scorer.ask(path, { method: path === '/invocations' ? 'POST' : 'GET' });
      assert.equal(
        [...own.headers.keys()].some((name) => name.startsWith('access-control')),
        false,
      );
    }
  });
});
