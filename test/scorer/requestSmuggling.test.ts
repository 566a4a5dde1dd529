import assert from 'node:assert/strict';
import { linearModel } from '../fixtures/onnxFile.ts';
import { leak, sendRaw } from './rawRequests.ts';
import { type RunningScorer, removeFolder, startScorerProcess, temporaryFolder } from './scorerProcess.ts';

describe('Where a request to a scorer ends', () => {
  let folder: string;
  let scorer: RunningScorer;
  before(async () => {
    folder = await temporaryFolder();
    scorer = await startScorerProcess(folder, linearModel());
  });
  after(async () => {
    await scorer.drain();
    await removeFolder(folder);
  });
  afterEach(async () => {
    assert.equal((await scorer.ask('/v2')).status, 200, 'it lives, and answers others');
  });

  const send = (...parts: readonly (string | Buffer)[]) => sendRaw(scorer.ready.port, parts);
  const authorization = () => `Authorization: Bearer ${scorer.token}\r\n`;
  const body = '{"instances":[[1,2,3]]}';
  const head = (...lines: readonly string[]) =>
    `POST /v1/models/wine:predict HTTP/1.1\r\nHost: localhost\r\n${authorization()}Content-Type: application/json\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
  const smuggled = () => `GET /v2/models HTTP/1.1\r\nHost: localhost\r\n${authorization()}\r\n`;

  describe('takes no request that two readers could end at different places', () => {
    const cases: readonly (readonly [string, () => string])[] = [
      [
        'a length and chunks',
        () => `${head(`Content-Length: ${body.length}`, 'Transfer-Encoding: chunked')}0\r\n\r\n${smuggled()}`,
      ],
      ['two lengths', () => `${head('Content-Length: 5', `Content-Length: ${body.length}`)}${body}`],
      ['lengths in one line', () => `${head('Content-Length: 5, 6')}${body}`],
      ['a length with a sign', () => `${head(`Content-Length: +${body.length}`)}${body}`],
      ['a length that is negative', () => `${head('Content-Length: -1')}${body}`],
      ['a length in hexadecimal digits', () => `${head('Content-Length: 0x17')}${body}`],
      ['a length that no number holds', () => `${head('Content-Length: 99999999999999999999999')}${body}`],
      ['a space ahead of the colon', () => `${head(`Content-Length : ${body.length}`)}${body}`],
      ['a folded header', () => `${head('X-A: b\r\n Content-Length: 3')}${body}${smuggled()}`],
      ['chunks of an unknown coding', () => `${head('Transfer-Encoding: xchunked')}0\r\n\r\n${smuggled()}`],
      [
        'chunks that are not the last coding',
        () => `${head('Transfer-Encoding: chunked, identity')}0\r\n\r\n`,
      ],
      ['a chunk size that is none', () => `${head('Transfer-Encoding: chunked')}zz\r\n${body}\r\n0\r\n\r\n`],
      [
        'a chunk size that no number holds',
        () => `${head('Transfer-Encoding: chunked')}fffffffffffffffff\r\n`,
      ],
      ['a chunk longer than it says', () => `${head('Transfer-Encoding: chunked')}3\r\n${body}\r\n0\r\n\r\n`],
      ['a bare line feed in the head', () => `${head('X-A: b\nX-B: c')}`],
      ['a bare carriage return in the head', () => `${head('X-A: b\rX-B: c')}`],
      ['a NUL in a header', () => `${head('X-A: b\0c')}`],
      ['no host', () => `GET /v2 HTTP/1.1\r\n${authorization()}\r\n`],
      [
        'two hosts',
        () => `GET /v2 HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n${authorization()}\r\n`,
      ],
      ['a space in the address', () => `GET /v2 /x HTTP/1.1\r\nHost: localhost\r\n\r\n`],
      ['another version of HTTP', () => `GET /v2 HTTP/9.9\r\nHost: localhost\r\n\r\n`],
      ['something else than HTTP', () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ];
    for (const [name, bytes] of cases) {
      it(name, async () => {
        const { statuses, text, closed } = await send(bytes());
        const [first = 400, ...more] = statuses;
        assert.ok(first >= 400 && first < 500, text);
        assert.deepEqual(more, [], 'what follows is no request');
        assert.ok(closed || !text.includes('Connection: close'), 'the connection ends as it was told');
        assert.doesNotMatch(text, leak);
        assert.doesNotMatch(text, /"models"|predictions/);
      });
    }
  });

  it('answers requests that follow each other one by one, in order', async () => {
    const one = `${head(`Content-Length: ${body.length}`)}${body}`;
    const { statuses, text } = await send(`${one}${smuggled()}${one}`);
    assert.deepEqual(statuses, [200, 200, 200]);
    assert.match(text, /predictions[\s\S]+"models"[\s\S]+predictions/);
  });

  it('does not read a body that it refused as the next request', async () => {
    const inner = smuggled();
    const { text } = await send(
      `POST /v2 HTTP/1.1\r\nHost: localhost\r\n${authorization()}Content-Length: ${inner.length}\r\n\r\n${inner}`,
    );
    assert.match(text, /^HTTP\/1\.1 405 /);
    assert.doesNotMatch(text, /"models"/);
  });
});
