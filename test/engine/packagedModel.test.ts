import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { validate } from 'dockerfile-utils';
import { dockerfileText } from '../../src/engine/serving/packaging/dockerfile.ts';
import { classifierModel, linearModel, slowModel } from '../fixtures/onnxFile.ts';
import { removeFolder, temporaryFolder } from '../scorer/scorerProcess.ts';
import { endLeftProcesses } from './leftProcesses.ts';
import { openWholeEngine, registerOnnx } from './servedStore.ts';
import { runToEnd, startReady } from './startedProcess.ts';

const repository = join(import.meta.dirname, '../..');
const cli = join(repository, 'dist/cli.cjs');
/** Nothing of this machine's surroundings. */
const bare = { cwd: '/', env: {} };

interface Ready {
  readonly url: string;
  readonly model: string;
  readonly version: number;
}

describe('A packaged model', function () {
  this.timeout(120_000);
  let folder: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(async () => {
    await endLeftProcesses();
    await removeFolder(folder);
  });

  const pack = async (model: Buffer, name = 'wine', ...args: readonly string[]) => {
    const file = join(folder, `${name}.onnx`);
    writeFileSync(file, model);
    const output = join(folder, 'written');
    const done = await runToEnd([cli, 'package', file, '--output', output, ...args]);
    return { ...done, output };
  };
  /** Packages, and moves the folder to another place. */
  const packAndMove = async (model: Buffer, name?: string) => {
    const { code, stderr, output } = await pack(model, name);
    assert.equal(code, 0, stderr);
    rmSync(join(folder, `${name ?? 'wine'}.onnx`));
    const moved = join(folder, 'elsewhere');
    renameSync(output, moved);
    return moved;
  };
  const start = (moved: string, env: NodeJS.ProcessEnv = {}, ...args: readonly string[]) =>
    startReady<Ready>([join(moved, 'start.cjs'), ...args], { cwd: '/', env: { SLIPWAY_PORT: '0', ...env } });
  const selfTest = (moved: string) => runToEnd([join(moved, 'start.cjs'), '--self-test'], bare);

  it('runs with Node.js alone, wherever it lies', async () => {
    const moved = await packAndMove(linearModel());
    const { ready, end, errors } = await start(moved);
    assert.deepEqual([ready.model, ready.version], ['wine', 1]);
    assert.equal((await fetch(`${ready.url}/ping`)).status, 200);
    const answer = await fetch(`${ready.url}/invocations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"inputs":[[1,2,3],[0,0,0]]}',
    });
    assert.deepEqual(await answer.json(), { predictions: { y: [[14.5], [0.5]] } });
    assert.equal(await end('SIGTERM'), 0);
    assert.match(errors(), /^slipway: It asks for no token\. To ask for one, set SLIPWAY_TOKEN/);
  });

  it('answers SageMaker’s argument on the port that it is told, and asks for the token that it is given', async () => {
    const moved = await packAndMove(linearModel());
    const free = await start(moved);
    const { port } = new URL(free.ready.url);
    await free.end('SIGTERM');
    writeFileSync(join(folder, 'token'), 'a token for the tests\n');
    const served = await start(
      moved,
      { SLIPWAY_PORT: '', SAGEMAKER_BIND_TO_PORT: port, SLIPWAY_TOKEN_FILE: join(folder, 'token') },
      'serve',
    );
    assert.equal(new URL(served.ready.url).port, port);
    assert.doesNotMatch(served.errors(), /token/);
    const ask = async (headers: Record<string, string>) =>
      (
        await fetch(`${served.ready.url}/invocations`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: '{"inputs":[[1,2,3]]}',
        })
      ).status;
    assert.equal(await ask({}), 401);
    assert.equal(await ask({ authorization: 'Bearer a token for the tests' }), 200);
    const health = (env: NodeJS.ProcessEnv) =>
      runToEnd([join(moved, 'start.cjs'), '--health'], { cwd: '/', env });
    assert.equal((await health({ PORT: port })).code, 0);
    await served.end('SIGINT');
    assert.equal((await health({ PORT: port })).code, 1);
  });

  it('answers by the host names of its settings, or of its environment, and by no other', async () => {
    const named = ['--host-name', 'Models.Example.com', '--host-name', '[fd00::1]'];
    const { code, stderr, output } = await pack(linearModel(), 'wine', ...named);
    assert.equal(code, 0, stderr);
    const file = join(output, 'config.json');
    const config = JSON.parse(readFileSync(file, 'utf8'));
    assert.deepEqual(config.hosts, ['models.example.com', '[fd00::1]']);
    const ask = async (url: string, host: string) => {
      const sent = request(`${url}/v2/models/wine/infer`, {
        method: 'POST',
        headers: { host, 'content-type': 'application/json' },
      });
      sent.end('{"inputs":[{"name":"x","datatype":"FP32","shape":[1,3],"data":[1,2,3]}]}');
      const [answer] = await once(sent, 'response');
      return { status: Number(answer.statusCode), text: (await buffer(answer)).toString() };
    };
    const configured = await start(output);
    const { url } = configured.ready;
    assert.match((await ask(url, 'models.example.com')).text, /14\.5/);
    assert.equal((await ask(url, 'MODELS.example.com:8443')).status, 200);
    assert.equal((await ask(url, '[fd00::1]')).status, 200);
    assert.equal((await ask(url, new URL(url).host)).status, 200);
    for (const host of ['other.example.com', 'models.example.com.evil.example', 'example.com']) {
      const { status, text } = await ask(url, host);
      assert.equal(status, 403, host);
      assert.match(text, /is not served here/);
    }
    await configured.end('SIGTERM');

    const told = await start(output, { SLIPWAY_HOST_NAMES: 'One.example, two.example' });
    for (const [host, status] of [
      ['one.example', 200],
      ['two.example', 200],
      ['models.example.com', 403],
    ] as const) {
      assert.equal((await ask(told.ready.url, host)).status, status, host);
    }
    await told.end('SIGTERM');
    // A package of an older Slipway says nothing of host names.
    const { hosts: _none, ...older } = config;
    writeFileSync(file, JSON.stringify(older));
    const plain = await start(output);
    assert.equal((await ask(plain.ready.url, 'models.example.com')).status, 403);
    assert.equal((await ask(plain.ready.url, 'localhost')).status, 200);
    await plain.end('SIGTERM');
  });

  it('says what is wrong with a host name', async () => {
    const refused = await pack(linearModel(), 'wine', '--host-name', 'https://models.example.com/');
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /--host-name: expected a host name such as models\.example\.com/);
    const { output } = await pack(linearModel());
    await assert.rejects(
      start(output, { SLIPWAY_HOST_NAMES: 'models.example.com,*.example.com' }),
      /SLIPWAY_HOST_NAMES: expected a host name .*, not "\*\.example\.com"/,
    );
    const file = join(output, 'config.json');
    writeFileSync(
      file,
      JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), hosts: ['a.example:80'] }),
    );
    await assert.rejects(start(output), /config\.json: .*expected a host name .*hosts\[0\]/);
    const help = await runToEnd([join(output, 'start.cjs'), '--help'], bare);
    assert.equal(help.code, 0);
    assert.match(help.stdout, /SLIPWAY_HOST_NAMES/);
    assert.match(readFileSync(join(output, 'README.md'), 'utf8'), /`SLIPWAY_HOST_NAMES`/);
  });

  it('serves the model of another folder in place of its own', async () => {
    const moved = await packAndMove(linearModel());
    const other = join(folder, 'other');
    const { code } = await pack(classifierModel(['red', 'white', 'rosé']), 'colours');
    assert.equal(code, 0);
    renameSync(join(folder, 'written', 'model'), other);
    const { ready, end } = await start(moved, { SLIPWAY_MODEL: other });
    assert.equal(ready.model, 'colours');
    await end('SIGTERM');
    rmSync(join(other, 'model.json'));
    const plain = await start(moved, { SLIPWAY_MODEL: other });
    assert.equal(plain.ready.model, 'model');
    await plain.end('SIGTERM');
    rmSync(join(other, 'model.onnx'));
    await assert.rejects(
      start(moved, { SLIPWAY_MODEL: other }),
      /holds no ONNX files and no model\.json\. Mend/,
    );
  });

  it('tests itself: its files, its model and an answer', async () => {
    const moved = await packAndMove(classifierModel(['red', 'white', 'rosé']));
    const sound = await selfTest(moved);
    assert.deepEqual([sound.code, sound.stderr], [0, '']);
    assert.match(
      sound.stdout,
      /^\d+ files are those that were packaged\.\nThe model "wine", version 1, is loaded\.\nThe recorded request got the recorded answer\.\nThe package is sound\.$/,
    );
    const model = join(moved, 'model', 'model.onnx');
    const whole = readFileSync(model);
    const damage = async (content: Buffer | null, sentence: RegExp) => {
      if (content) writeFileSync(model, content);
      else rmSync(model);
      const { code, stderr } = await selfTest(moved);
      assert.equal(code, 1);
      assert.match(stderr, sentence);
      assert.doesNotMatch(stderr, /^ +at /m, 'no stack');
    };
    const changed = Buffer.from(whole);
    changed[changed.length - 5] = (changed[changed.length - 5] ?? 0) ^ 1;
    await damage(
      changed,
      /^slipway: The package is not sound: the file model\/model\.onnx is not the one that was/,
    );
    await damage(
      null,
      /^slipway: The package is not sound: the file model\/model\.onnx is missing\. Make it/,
    );
  });

  it('finds another answer than the recorded one', async () => {
    const moved = await packAndMove(linearModel());
    const described = join(moved, 'model', 'model.json');
    const model = JSON.parse(readFileSync(described, 'utf8'));
    const answer = JSON.parse(model.test.answer);
    const [right] = answer.outputs[0].data;
    answer.outputs[0].data = [right + 0.1];
    const content = JSON.stringify({ ...model, test: { ...model.test, answer: JSON.stringify(answer) } });
    writeFileSync(described, content);
    const sums = join(moved, 'SHA256SUMS');
    const digest = createHash('sha256').update(content).digest('hex');
    writeFileSync(
      sums,
      readFileSync(sums, 'utf8').replace(/^[0-9a-f]{64}(?= {2}model\/model\.json$)/m, digest),
    );
    const { code, stderr } = await selfTest(moved);
    assert.equal(code, 1);
    assert.match(stderr, /got another answer: outputs\[0\]\.data\[0\] is \S+ in place of \S+\. Make it anew/);
  });

  it('answers what is under way when it is told to end', async () => {
    const moved = await packAndMove(slowModel(1200, 3));
    const { ready, end } = await start(moved);
    const sent = request(`${ready.url}/invocations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    const answered = new Promise<number | undefined>((resolve, reject) => {
      sent.on('error', reject);
      sent.on('response', (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode));
      });
    });
    await new Promise<void>((resolve) => {
      sent.end('{"inputs":[[0.001]]}', () => resolve());
    });
    // The request has reached the scorer when one that came after it on another connection was answered.
    await fetch(`${ready.url}/ping`);
    assert.equal(await end('SIGTERM'), 0);
    assert.equal(await answered, 200);
  });

  it('is always the same for the same model, and knows nothing of the machine that made it', async () => {
    const packed = async () => {
      const { code, stderr, output } = await pack(linearModel());
      assert.equal(code, 0, stderr);
      return output;
    };
    const output = await packed();
    const read = () =>
      readdirSync(output, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .toSorted()
        .map((file) => [file, readFileSync(file)] as const);
    const first = read();
    assert.ok(first.some(([file]) => file.endsWith('sbom.cdx.json')));
    for (const [file, content] of first) {
      for (const path of [repository, folder]) assert.ok(!content.includes(path), `${file} names ${path}`);
    }
    rmSync(output, { recursive: true });
    await packed();
    assert.deepEqual(
      read().map(([file]) => file),
      first.map(([file]) => file),
    );
    for (const [index, [file, content]] of read().entries()) {
      assert.ok(first[index]?.[1].equals(content), `${file} differs`);
    }
  });

  it('has digests that sha256sum checks, and a bill of materials of all its files', async () => {
    const { output } = await pack(linearModel());
    if (process.platform === 'linux') {
      execFileSync('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], { cwd: output });
    }
    const bill = JSON.parse(readFileSync(join(output, 'sbom.cdx.json'), 'utf8'));
    assert.deepEqual([bill.bomFormat, bill.specVersion, bill.version], ['CycloneDX', '1.6', 1]);
    assert.match(
      bill.serialNumber,
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    interface Component {
      readonly type: string;
      readonly name: string;
      readonly licenses?: readonly { readonly expression?: string }[];
      readonly components?: readonly {
        readonly name: string;
        readonly hashes: readonly { readonly content: string }[];
      }[];
    }
    const components: readonly Component[] = bill.components;
    const libraries = components.filter(({ type }) => type === 'library');
    assert.deepEqual(
      ['better-sqlite3', 'onnxruntime-common', 'onnxruntime-node', 'zod'].filter(
        (name) => !libraries.some((library) => library.name === name),
      ),
      [],
    );
    for (const { name, licenses } of libraries) assert.ok(licenses?.[0]?.expression, name);
    const files = new Map(
      components.flatMap(({ components: inside = [] }) =>
        inside.map(({ name, hashes }) => [name, hashes[0]?.content] as const),
      ),
    );
    const sums = readFileSync(join(output, 'SHA256SUMS'), 'utf8').trimEnd().split('\n');
    for (const line of sums) {
      const [digest, path = ''] = line.split('  ');
      if (['sbom.cdx.json', 'README.md'].includes(path)) continue;
      assert.equal(files.get(path), digest, path);
    }
    assert.ok(existsSync(join(output, 'LICENSES', 'onnxruntime-node-1.30.0.txt')));
  });

  it('takes along the files in which the values of its tensors lie, and says when one is missing', async () => {
    const entry = (location: string) => {
      const value = Buffer.from(location);
      return Buffer.concat([Buffer.from('\x0a\x08location\x12'), Buffer.from([value.length]), value]);
    };
    // Bytes of an unknown field at the end, which the runtime skips.
    const named = (location: string) =>
      Buffer.concat([linearModel(), Buffer.from([0xfa, 0x7f, entry(location).length]), entry(location)]);
    const missing = await pack(named('weights.bin'));
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /its file weights\.bin is missing/);
    assert.ok(!existsSync(missing.output), 'no half package');
    const outside = await pack(named('../written.bin'));
    assert.match(outside.stderr, /its file \.\.\/written\.bin/);
    writeFileSync(join(folder, 'weights.bin'), 'weights');
    const { code, stderr, output } = await pack(named('weights.bin'));
    assert.equal(code, 0, stderr);
    assert.equal(readFileSync(join(output, 'model', 'weights.bin'), 'utf8'), 'weights');
  });

  it('is made of a registered version, too, and replaces a folder only when it is told to', async () => {
    const workspace = join(folder, 'workspace');
    mkdirSync(workspace);
    const engine = await openWholeEngine(workspace);
    registerOnnx(engine, workspace, 'wine', linearModel());
    registerOnnx(engine, workspace, 'wine', classifierModel(['red', 'white', 'rosé']));
    const output = join(folder, 'written');
    const slipway = (...args: readonly string[]) =>
      runToEnd([cli, 'package', ...args, '--output', output, '--workspace', workspace, '--json']);
    const first = await slipway('wine/1');
    assert.equal(first.code, 0, first.stderr);
    assert.deepEqual(
      { ...JSON.parse(first.stdout), files: 0, bytes: 0 },
      {
        folder: output,
        model: 'wine',
        version: 1,
        platform: `${process.platform}-${process.arch}`,
        files: 0,
        bytes: 0,
      },
    );
    const again = await slipway('wine@latest');
    assert.equal(again.code, 1);
    assert.match(again.stderr, /There is something in .*written already\. Choose another folder/);
    assert.equal((await slipway('wine@latest', '--force')).code, 0);
    assert.equal(JSON.parse(readFileSync(join(output, 'model/model.json'), 'utf8')).version, 2);
    const unknown = await slipway('wine/Production', '--force');
    assert.match(unknown.stderr, /no version "wine\/Production" of the model "wine"\. It has 2, 1\./);
    const platform = await slipway('wine/1', '--force', '--platform', 'plan9-mips');
    assert.match(platform.stderr, /holds the native modules of \S+, not those of plan9-mips\./);
    const mlmodel = join(engine.registry.modelFolder('wine', 1), 'MLmodel');
    writeFileSync(mlmodel, 'flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n');
    const python = await slipway('wine/1', '--force');
    assert.equal(python.code, 1);
    assert.match(
      python.stderr,
      /Version 1 of "wine" runs only in Python.* Convert it with "Convert to ONNX…"/s,
    );
    await engine.close();
  });

  it('has a Dockerfile without faults, whatever the model is called', () => {
    for (const model of ['wine', 'we"ird $HOME \\ \nname', 'vinho é']) {
      for (const holdsLinuxModules of [true, false]) {
        const text = dockerfileText({ model, version: 3, port: 8080, holdsLinuxModules });
        assert.deepEqual(validate(text), [], text);
      }
    }
  });
});
