import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { identityModel, linearModel } from '../fixtures/onnxFile.ts';
import {
  modelFile,
  type RunningScorer,
  removeFolder,
  startScorerProcess,
  temporaryFolder,
} from '../scorer/scorerProcess.ts';
import { commandOnPath } from '../toolchain/commandOnPath.ts';

const run = promisify(execFile);
const infer = JSON.stringify({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }],
});
const instances = JSON.stringify({ instances: [[1, 2, 3]] });

/** Every address: its method, body and content type, and the status that it answers. */
const addresses: readonly (readonly [string, string, string?, (string | undefined)?, number?])[] = [
  ['GET', '/'],
  ['GET', '/ping'],
  ['GET', '/health'],
  ['GET', '/version'],
  ['GET', '/metrics'],
  ['GET', '/openapi.json'],
  ['GET', '/try'],
  ['GET', '/try/models.json'],
  ['GET', '/v2'],
  ['GET', '/v2/health/live'],
  ['GET', '/v2/health/ready'],
  ['GET', '/v2/models'],
  ['GET', '/v2/models/stats'],
  ['GET', '/v2/models/wine'],
  ['GET', '/v2/models/wine/ready'],
  ['GET', '/v2/models/wine/config'],
  ['GET', '/v2/models/wine/stats'],
  ['GET', '/v2/models/wine/versions/3'],
  ['GET', '/v2/models/wine/versions/3/ready'],
  ['GET', '/v1/models'],
  ['GET', '/v1/models/wine'],
  ['GET', '/v1/models/wine/metadata'],
  ['GET', '/v1/models/wine/versions/3'],
  ['GET', '/v1/models/wine/versions/3/metadata'],
  ['GET', '/v1/models/wine/labels/production'],
  ['GET', '/models'],
  ['GET', '/models/wine'],
  ['POST', '/v2/models/wine/infer', infer],
  ['POST', '/v2/models/wine/versions/3/infer', infer],
  ['POST', '/v2/repository/index', '{}'],
  ['POST', '/v1/models/wine:predict', instances],
  ['POST', '/v1/models/wine/versions/3:predict', instances],
  ['POST', '/v1/models/wine/labels/production:predict', instances],
  ['POST', '/v1/models/wine:regress', '{"examples": [{"x": [1, 2, 3]}]}'],
  ['POST', '/v1/models/words:classify', '{"examples": [{"word": "hi"}]}'],
  ['POST', '/v1/models/wine:explain', instances, undefined, 501],
  ['POST', '/invocations', instances],
  ['POST', '/invocations', 'a,b,c\n1,2,3\n', 'text/csv'],
  ['POST', '/invocations', '[1, 2, 3]\n', 'application/jsonlines'],
  ['POST', '/models/wine/invoke', instances],
  ['POST', '/models', '{"model_name": "wine"}', undefined, 409],
  ['POST', '/v2/feedback', '{"request_id": "a", "reward": 1}', undefined, 202],
];

describe('curl asks a scorer', () => {
  let curl: string;
  let folder: string;
  let scorer: RunningScorer;
  before(async function () {
    const found = commandOnPath('curl');
    if (found === null) {
      if (process.env.CI) throw new Error('No curl: in CI that is a failure.');
      this.skip();
      return;
    }
    curl = found;
    folder = await temporaryFolder();
    const words = identityModel([{ name: 'word', element: 'string', shape: ['rows'] }]);
    const source = { type: 'onnx' as const, file: await modelFile(folder, words) };
    scorer = await startScorerProcess(folder, linearModel(), {
      inferenceLog: join(folder, 'log.db'),
      models: [{ name: 'words', version: 1, source }],
    });
    await scorer.command({ type: 'label', name: 'wine', version: 3, labels: ['production'] });
  });
  after(async () => {
    await scorer?.drain();
    if (folder) await removeFolder(folder);
  });

  /** Asks with the token, unless told of another one; gives what curl wrote, and what it was told to write of each transfer. */
  const ask = async (...args: readonly string[]) => {
    const isTold = args.some((arg) => arg.startsWith('Authorization:'));
    const token = isTold ? [] : ['--header', `Authorization: Bearer ${scorer.token}`];
    const { stdout } = await run(curl, ['--silent', '--show-error', '--max-time', '30', ...token, ...args], {
      maxBuffer: 2 ** 26,
    });
    return stdout;
  };
  const status = ['--write-out', '\n%{http_code} %{content_type}'];
  const lastLine = (text: string) => text.slice(text.lastIndexOf('\n') + 1);
  const post = (body: string, type = 'application/json') => [
    '--header',
    `Content-Type: ${type}`,
    '--data-binary',
    body,
  ];

  for (const [method, path, body, type, wanted = 200] of addresses) {
    it(`${method} ${path}${type ? ` with ${type}` : ''}`, async () => {
      const sent = body === undefined ? [] : post(body, type);
      const answer = await ask(...sent, ...status, `${scorer.url}${path}`);
      assert.match(lastLine(answer), new RegExp(`^${wanted} \\S+/\\S+`), answer);
      if (method === 'GET') {
        const head = await ask('--head', `${scorer.url}${path}`);
        assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
        assert.match(head, /\r\ncontent-length: [1-9]\d*\r\n/i);
        assert.ok(head.endsWith('\r\n\r\n'), 'there is no body after the head');
      }
    });
  }

  it('sends a large body once it was told to continue', async () => {
    const rows = 20_000;
    const data = Array.from({ length: rows * 3 }, (_, index) => index % 7);
    const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [rows, 3], data }] });
    const file = join(folder, 'large.json');
    await writeFile(file, body);
    const trace = join(folder, 'trace.txt');
    const answer = await ask(
      ...['--header', 'Expect: 100-continue', '--expect100-timeout', '20', '--trace-ascii', trace],
      ...post(`@${file}`),
      `${scorer.url}/v2/models/wine/infer`,
    );
    assert.equal(JSON.parse(answer).outputs[0].data.length, rows);
    assert.match(await readFile(trace, 'utf8'), /HTTP\/1\.1 100 Continue[\s\S]+HTTP\/1\.1 200 OK/);
  });

  it('is refused ahead of its body', async () => {
    const file = join(folder, 'unsent.json');
    await writeFile(file, 'x'.repeat(3_000_000));
    const answer = await ask(
      ...[
        '--header',
        'Expect: 100-continue',
        '--expect100-timeout',
        '20',
        '--header',
        'Authorization: Bearer no',
      ],
      ...[...post(`@${file}`), ...status, `${scorer.url}/invocations`],
    );
    assert.match(lastLine(answer), /^401 /);
  });

  it('understands what it gets when it asks for a packed answer', async () => {
    const answer = await ask('--compressed', ...post(instances), `${scorer.url}/v1/models/wine:predict`);
    assert.deepEqual(JSON.parse(answer), { predictions: [[14.5]] });
  });

  it('sends packed and chunked bodies', async () => {
    const file = join(folder, 'packed.json');
    await writeFile(file, gzipSync(instances));
    for (const more of [[], ['--header', 'Transfer-Encoding: chunked']]) {
      const sent = [...post(`@${file}`), '--header', 'Content-Encoding: gzip', ...more];
      const answer = await ask(...sent, `${scorer.url}/v1/models/wine:predict`);
      assert.deepEqual(JSON.parse(answer), { predictions: [[14.5]] });
    }
  });

  it('speaks HTTP/1.0, with and without keeping the connection', async () => {
    for (const more of [[], ['--header', 'Connection: keep-alive']]) {
      const sent = ['--http1.0', '--include', ...more, ...post(instances)];
      const answer = await ask(...sent, `${scorer.url}/v1/models/wine:predict`);
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
      assert.match(
        answer,
        new RegExp(`\\r\\nconnection: ${more.length > 0 ? 'keep-alive' : 'close'}\\r\\n`, 'i'),
      );
      assert.ok(answer.endsWith('{"predictions":[[14.5]]}'));
    }
  });

  it('keeps one connection for many requests', async () => {
    const url = `${scorer.url}/v1/models/wine:predict`;
    const wrote = await ask(
      ...post(instances),
      ...['--write-out', ' %{num_connects} %{http_code}\n', url, url, url],
    );
    assert.deepEqual(
      wrote
        .trim()
        .split('\n')
        .map((line) => line.split(' ').slice(1).join(' ')),
      ['1 200', '0 200', '0 200'],
    );
  });

  it('is told of a wrong token, host, origin, method and address', async () => {
    for (const [args, path, wanted] of [
      [['--header', 'Authorization: Bearer wrong'], '/v2', 401],
      [['--header', 'Host: evil.example'], '/ping', 403],
      [['--header', 'Origin: https://evil.example'], '/ping', 403],
      [['--request', 'DELETE'], '/v2', 405],
      [['--request', 'OPTIONS'], '/invocations', 405],
      [[], '/nothing', 404],
      [['--path-as-is'], '/v2/../../etc/passwd', 404],
    ] as const) {
      const answer = await ask(...args, ...status, `${scorer.url}${path}`);
      assert.match(lastLine(answer), new RegExp(`^${wanted} `), `${path} ${answer}`);
    }
  });
});
