import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createHttpServer } from '../../src/engine/http/server.ts';
import { SlipwayError } from '../../src/protocol/errors.ts';
import { evilPaths } from './artifactsCorpus.ts';
import { openRegistryEngine, type RegistryEngine } from './registryEngine.ts';

const artifacts = '/api/2.0/mlflow-artifacts/artifacts';

describe('artifacts over the MLflow dialect', () => {
  let engine: RegistryEngine;
  beforeEach(async () => {
    engine = await openRegistryEngine();
  });
  afterEach(() => engine.close());

  const put = (path: string, body: BodyInit, headers: Record<string, string> = {}) =>
    engine.fetch(`${artifacts}/${path}`, { method: 'PUT', body, headers });
  const json = async (response: Promise<Response>): Promise<unknown> => (await response).json();

  it('takes a file of any type and gives it back as an attachment', async () => {
    for (const type of [
      'text/plain',
      'application/json',
      'application/octet-stream',
      'image/png',
      'text/x-made-up; charset=utf-8',
    ]) {
      const response = await put('1/r/artifacts/d/b.txt', 'hello', { 'content-type': type });
      assert.equal(response.status, 200, type);
      assert.deepEqual(await response.json(), {});
    }
    const response = await engine.fetch(`${artifacts}/1/r/artifacts/d/b.txt`);
    assert.equal(response.headers.get('content-disposition'), 'attachment; filename=b.txt');
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(response.headers.get('content-type'), 'text/plain');
    assert.equal(response.headers.get('content-length'), '5');
    assert.equal(await response.text(), 'hello');
  });

  it('echoes nothing of a content type that is none', async () => {
    const response = await put('a', 'x', { 'content-type': 'text/x-<script>alert(1)</script>' });
    assert.equal(response.status, 400);
    assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
    assert.doesNotMatch(await response.text(), /script/);
  });

  it('serves the same under /ajax-api', async () => {
    await put('a', 'x');
    assert.equal(await (await engine.fetch('/ajax-api/2.0/mlflow-artifacts/artifacts/a')).text(), 'x');
  });

  it('takes an empty file, chunked or with no body at all', async () => {
    const chunked = { method: 'PUT', body: Readable.toWeb(Readable.from([])), duplex: 'half' };
    assert.equal((await engine.fetch(`${artifacts}/a`, chunked as RequestInit)).status, 200);
    assert.equal((await engine.fetch(`${artifacts}/b`, { method: 'PUT' })).status, 200);
    for (const name of ['a', 'b']) assert.equal(statSync(join(engine.folder, 'artifacts', name)).size, 0);
  });

  it('names what is not ASCII in both ways', async () => {
    const name = 'relatório "x" 100%.csv';
    await put(encodeURIComponent(name), 'x');
    const response = await engine.fetch(`${artifacts}/${encodeURIComponent(name)}`);
    assert.equal(
      response.headers.get('content-disposition'),
      `attachment; filename="relatorio _x_ 100_.csv"; filename*=UTF-8''relat%C3%B3rio%20%22x%22%20100%25.csv`,
    );
    assert.equal(await response.text(), 'x');
  });

  it('lists basenames, and nothing for a file or what is missing', async () => {
    await put('1/a/b.txt', 'hello');
    await put('1/a/c/d.txt', '');
    assert.deepEqual(await json(engine.fetch(`${artifacts}?path=1/a`)), {
      files: [
        { path: 'b.txt', is_dir: false, file_size: 5 },
        { path: 'c', is_dir: true },
      ],
    });
    assert.deepEqual(await json(engine.fetch(artifacts)), { files: [{ path: '1', is_dir: true }] });
    for (const path of ['1/a/b.txt', 'zz'])
      assert.deepEqual(await json(engine.fetch(`${artifacts}?path=${path}`)), {});
  });

  it('answers 404 for what is missing, and for a folder', async () => {
    await put('a/b', '');
    for (const path of ['zz', 'a']) {
      const response = await engine.fetch(`${artifacts}/${path}`);
      assert.equal(response.status, 404);
      assert.partialDeepStrictEqual(await response.json(), {
        error_code: 'RESOURCE_DOES_NOT_EXIST',
        message: `No such artifact: '${path}'`,
      });
    }
  });

  it('deletes a folder, but not the root', async () => {
    await put('a/b', '');
    const remove = (path: string) => engine.fetch(artifacts + path, { method: 'DELETE' });
    for (const path of ['/a', '/a', '/a/b']) assert.deepEqual(await json(remove(path)), {}, path);
    for (const path of ['/', '']) assert.ok((await remove(path)).status >= 400, path);
    assert.ok(existsSync(join(engine.folder, 'artifacts')));
  });

  it('lists by run, and by logged model, relative to their roots', async () => {
    const runId = engine.createRun();
    const modelId = await engine.createLoggedModel(runId);
    const { artifactUri } = engine.tracking.run(runId);
    await engine.artifacts.write(engine.artifacts.pathOf(artifactUri, 'd/e.txt'), Readable.from(['x']));
    assert.deepEqual(await json(engine.fetch(`/api/2.0/mlflow/artifacts/list?run_id=${runId}&path=d`)), {
      root_uri: artifactUri,
      files: [{ path: 'd/e.txt', is_dir: false, file_size: 1 }],
    });
    const files = `/api/2.0/mlflow/logged-models/${modelId}/artifacts`;
    const listed = await json(engine.fetch(`${files}/directories`));
    assert.partialDeepStrictEqual(listed, { files: [{ path: 'MLmodel', is_dir: false }] });
    const file = await engine.fetch(`${files}/files?artifact_file_path=MLmodel`);
    assert.match(await file.text(), /flavors:/);
    assert.equal((await engine.fetch('/api/2.0/mlflow/artifacts/list?run_id=nobody')).status, 404);
    assert.equal((await engine.fetch('/api/2.0/mlflow/artifacts/list')).status, 400);
  });

  it('downloads by run and by model version', async () => {
    const runId = engine.createRun();
    const modelId = await engine.createLoggedModel(runId);
    engine.registry.register({ name: 'm', runId, modelId });
    const { artifactUri } = engine.tracking.run(runId);
    await engine.artifacts.write(
      engine.artifacts.pathOf(artifactUri, 'page.html'),
      Readable.from(['<script>']),
    );
    const page = await engine.fetch(`/get-artifact?run_uuid=${runId}&path=page.html`);
    assert.match(page.headers.get('content-disposition') ?? '', /^attachment/);
    assert.equal(await page.text(), '<script>');
    const mlmodel = await engine.fetch('/model-versions/get-artifact?name=m&version=1&path=MLmodel');
    assert.match(await mlmodel.text(), /flavors:/);
    for (const path of ['../../../../store.db', '/etc/passwd', '%2e%2e/x', '..\\x']) {
      const query = encodeURIComponent(path);
      for (const url of [
        `/get-artifact?run_id=${runId}&path=${query}`,
        `/model-versions/get-artifact?name=m&version=1&path=${query}`,
        `/api/2.0/mlflow/artifacts/list?run_id=${runId}&path=${query}`,
        `/api/2.0/mlflow/logged-models/${modelId}/artifacts/directories?artifact_directory_path=${query}`,
        `/api/2.0/mlflow/logged-models/${modelId}/artifacts/files?artifact_file_path=${query}`,
      ]) {
        assert.equal((await engine.fetch(url)).status, 400, url);
      }
    }
    assert.equal(
      (await engine.fetch('/model-versions/get-artifact?name=m&version=2&path=MLmodel')).status,
      404,
    );
  });

  it('answers 501, in the words that make the client use one piece', async () => {
    for (const step of ['create', 'complete', 'abort']) {
      const response = await engine.fetch(`/api/2.0/mlflow-artifacts/mpu/${step}/1/a`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      });
      assert.equal(response.status, 501);
      assert.deepEqual(await response.json(), {
        error_code: 'NOT_IMPLEMENTED',
        message: 'Multipart upload is not supported for the current artifact repository',
      });
    }
    assert.equal((await engine.fetch('/api/2.0/mlflow-artifacts/presigned/1/a')).status, 501);
  });

  it('refuses every path of the corpus, however it is encoded, and touches nothing', async () => {
    mkdirSync(join(engine.folder, 'artifacts'));
    writeFileSync(join(engine.folder, 'secret'), 'secret');
    const before = readdirSync(engine.folder).sort();
    const encodings = [encodeURIComponent, (path: string) => encodeURIComponent(path).replaceAll('%2F', '/')];
    for (const path of evilPaths.filter((candidate) => candidate.isWellFormed())) {
      for (const encode of encodings) {
        for (const method of ['GET', 'PUT', 'DELETE']) {
          const status = await rawStatus(engine, method, `${artifacts}/${encode(path)}`);
          assert.ok(status >= 400 && status < 500, `${method} ${encode(path).slice(0, 80)}: ${status}`);
        }
      }
      const list = await rawStatus(engine, 'GET', `${artifacts}?path=${encodeURIComponent(path)}`);
      assert.ok(list >= 400 && list < 500, `list ${path.slice(0, 80)}: ${list}`);
    }
    for (const path of [
      '/../../../secret',
      '/1/../../secret',
      '/%2e%2e/secret',
      '//etc/passwd',
      '/a%',
      '/%ff',
    ]) {
      const status = await rawStatus(engine, 'GET', artifacts + path);
      assert.ok(status >= 400 && status < 500, `${path}: ${status}`);
    }
    assert.deepEqual(readdirSync(engine.folder).sort(), before);
    assert.deepEqual(
      readdirSync(join(engine.folder, 'artifacts')).filter((name) => name !== '.uploads'),
      [],
    );
  });

  it('leaves nothing of an upload whose connection broke', async () => {
    const { port } = new URL(engine.url);
    const socket = connect(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      `PUT ${artifacts}/1/a HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 1000\r\n\r\npart`,
    );
    const uploads = join(engine.folder, 'artifacts/.uploads');
    await until(() => existsSync(uploads) && readdirSync(uploads).length === 1);
    socket.destroy();
    await until(() => readdirSync(uploads).length === 0);
    assert.ok(!existsSync(join(engine.folder, 'artifacts/1')));
  });

  it('tells a client whose upload meets a full disk, once all of it was sent', async () => {
    const { tracking, registry, provenance } = engine;
    const full = new Writable({ write: (_piece, _encoding, done) => done(new Error('no space left')) });
    const write = (path: string, content: Readable) =>
      pipeline(content, full).catch(() => Promise.reject(new SlipwayError('diskFull', { path })));
    const server = await createHttpServer({
      tracking,
      registry,
      provenance,
      artifacts: { ...engine.artifacts, write },
      host: '127.0.0.1',
      port: 0,
      token: null,
    });
    try {
      const answer = await sendAllThenRead(server.port, `PUT ${artifacts}/1/a`, 20 * 1024 * 1024);
      assert.match(answer, /^HTTP\/1\.1 507 [\s\S]*TEMPORARILY_UNAVAILABLE/);
    } finally {
      await server.close();
    }
  });

  it('answers a message that is too large, once all of it was sent', async () => {
    const path = 'POST /api/2.0/mlflow/runs/create';
    const answer = await sendAllThenRead(Number(new URL(engine.url).port), path, 80 * 1024 * 1024);
    assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*exceeds the maximum/);
  });

  it('reports no error when a client breaks off in the middle of a message', async () => {
    const { port } = new URL(engine.url);
    const socket = connect(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      `POST /api/2.0/mlflow/runs/create HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
    );
    await engine.call('GET', '/experiments/get', { experiment_id: '0' });
    socket.destroy();
    await engine.call('GET', '/experiments/get', { experiment_id: '0' });
    assert.deepEqual(engine.unforeseen, []);
  });

  it('holds no large file in memory, neither coming nor going', async function () {
    this.timeout(120_000);
    const size = 192 * 1024 * 1024;
    const piece = Buffer.alloc(256 * 1024, 'x');
    const pieces = Readable.from(
      (function* () {
        for (let sent = 0; sent < size; sent += piece.length) yield piece;
      })(),
    );
    let most = 0;
    const watch = () => {
      most = Math.max(most, process.memoryUsage().arrayBuffers);
    };
    const before = process.memoryUsage().arrayBuffers;
    const upload = request(`${engine.url}${artifacts}/big`, { method: 'PUT' });
    pieces.on('data', watch).pipe(upload);
    const [uploaded] = await once(upload, 'response');
    uploaded.resume();
    assert.equal(uploaded.statusCode, 200);
    let received = 0;
    const download = await engine.fetch(`${artifacts}/big`);
    for await (const chunk of download.body ?? []) {
      received += chunk.length;
      watch();
    }
    assert.equal(received, size);
    // Both ends live in this process, and garbage may wait for a while: a fraction of the file, not the file.
    assert.ok(most - before < size / 2, `${most - before} bytes`);
  });
});

/** The status of a request whose path is sent as it stands: `fetch` would tidy it first. */
async function rawStatus(engine: RegistryEngine, method: string, path: string): Promise<number> {
  const call = request({ host: '127.0.0.1', port: new URL(engine.url).port, method, path });
  call.end(method === 'PUT' ? 'x' : undefined);
  const [response] = await once(call, 'response');
  response.resume();
  return response.statusCode;
}

/** The answer to a request whose client, like Python's, reads nothing before it has sent its whole body. */
async function sendAllThenRead(port: number, request: string, size: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write(
      `${request} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: ${size}\r\n\r\n`,
    );
    await new Promise((sent) => socket.write(Buffer.alloc(size, 'x'), sent));
    const [answer] = await once(socket, 'data');
    return String(answer);
  } finally {
    socket.destroy();
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}
