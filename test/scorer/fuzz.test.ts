import assert from 'node:assert/strict';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { classifierModel, identityModel, linearModel } from '../fixtures/onnxFile.ts';
import { headerName, headerValue, method, nearly, path, value } from './hostileRequests.ts';
import { leak, residentBytes, sendRaw } from './rawRequests.ts';
import {
  modelFile,
  type RunningScorer,
  removeFolder,
  startScorerProcess,
  temporaryFolder,
} from './scorerProcess.ts';

/** How long each of the properties looks for a counterexample, in milliseconds. */
const searchMilliseconds = 8_000;

describe('A scorer that is asked at random', function () {
  this.timeout(120_000);
  let folder: string;
  let scorer: RunningScorer;
  let memoryBefore: number | null;
  beforeEach(async () => {
    folder = await temporaryFolder();
    const onnx = async (model: Buffer) => ({ type: 'onnx' as const, file: await modelFile(folder, model) });
    const any = identityModel([{ name: 'any', element: 'float', shape: null }]);
    scorer = await startScorerProcess(folder, linearModel(), {
      columns: ['a', 'b', 'c'],
      models: [
        { name: 'any', version: 1, source: await onnx(any) },
        { name: 'kinds', version: 1, source: await onnx(classifierModel(['a', 'b', 'c'])) },
      ],
      inferenceLog: join(folder, 'log.db'),
      limits: { bodyBytes: 1024 * 1024, requestMilliseconds: 1_000 },
    });
    memoryBefore = await residentBytes(scorer.process.pid ?? 0);
  });
  afterEach(async () => {
    const after = await residentBytes(scorer.process.pid ?? 0);
    const warnings = scorer.messages.filter((message) => message.type === 'warning');
    const code = await scorer.drain();
    await removeFolder(folder);
    if (memoryBefore !== null && after !== null) {
      const growth = after - memoryBefore;
      assert.ok(growth < 300 * 1024 * 1024, `its memory grew by ${growth} bytes`);
    }
    assert.deepEqual(warnings, [], 'nothing failed that should not');
    assert.equal(code, 0);
  });

  const search = (property: fc.IAsyncProperty<unknown>) =>
    fc.assert(property, {
      numRuns: 1_000_000,
      interruptAfterTimeLimit: searchMilliseconds,
      markInterruptAsFailure: false,
      endOnFailure: true,
    });

  const harmless = (status: number, text: string, title: string) => {
    // 100 comes ahead of the answer where a client expects it (RFC 9110, 10.1.1).
    const allowed = status === 100 || (status >= 200 && status < 500) || status === 501 || status === 503;
    assert.ok(allowed, `${title}: ${status} ${text.slice(0, 500)}`);
    if (status >= 400) assert.ok(text.length < 20_000, `${title}: ${text.length} characters`);
    assert.doesNotMatch(text, leak, title);
  };

  it('answers any method at any address with any body', async () => {
    const body = fc.oneof(
      value.map((json) => JSON.stringify(json)),
      fc.string(),
      fc.constant(undefined),
    );
    await search(
      fc.asyncProperty(method, path, body, async (verb, address, sent) => {
        const bodied = sent === undefined || verb === 'GET' || verb === 'HEAD' ? {} : { body: sent };
        const { status, text } = await scorer.ask(address, { method: verb, ...bodied });
        harmless(status, text, `${verb} ${address} ${sent}`);
      }),
    );
  });

  it('answers requests that nearly fit', async () => {
    await search(
      fc.asyncProperty(nearly, async ({ address, body }) => {
        const { status, text } = await scorer.ask(address, { body });
        harmless(status, text, `${address} ${body}`);
      }),
    );
  });

  it('outlives any bytes', async () => {
    const headers = fc.array(fc.tuple(headerName, headerValue), { maxLength: 8 });
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(
        gzipSync('{"instances":[[1,2,3]]}'),
        gzipSync(Buffer.alloc(4 * 1024 * 1024)),
        Buffer.from('{"instances":[[1,2,3]]}'),
        Buffer.from('a,b,c\n1,2,3\n'),
        Buffer.from('5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n'),
      ),
    );
    const address = fc.oneof(
      path,
      fc.constantFrom(
        '/v1/models/wine:predict',
        '/invocations',
        '/v2/models/wine/infer',
        '*',
        'http://a/v2',
        '',
      ),
    );
    const property = fc.asyncProperty(
      method,
      address,
      headers,
      content,
      fc.boolean(),
      fc.nat(400),
      async (...request) => {
        const [verb, target, lines, bytes, hasLength, cut] = request;
        const head = [
          `${verb} ${target} HTTP/1.1`,
          'Host: localhost',
          `Authorization: Bearer ${scorer.token}`,
          ...lines.map(([name, text]) => `${name}: ${text}`),
          ...(hasLength ? [`Content-Length: ${bytes.length}`, 'Content-Type: application/json'] : []),
        ];
        const whole = Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
        const { text, statuses } = await sendRaw(
          scorer.ready.port,
          [cut < 200 ? whole.subarray(0, cut) : whole],
          60,
        );
        for (const status of statuses) {
          harmless(status, '', `${head.join('\n')}: ${text.slice(0, 500)}`);
        }
        assert.doesNotMatch(text, leak);
      },
    );
    await search(property);
    assert.equal((await scorer.ask('/v2')).status, 200);
  });
});
