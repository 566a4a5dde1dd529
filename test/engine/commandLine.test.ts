import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import manifest from '../../package.json' with { type: 'json' };
import { storeLayout } from '../../src/engine/layout.ts';
import { linearModel } from '../fixtures/onnxFile.ts';
import { removeFolder, temporaryFolder } from '../scorer/scorerProcess.ts';
import { openWholeEngine, registerOnnx } from './servedStore.ts';

const dist = join(import.meta.dirname, '../../dist');
const cli = [process.execPath, join(dist, 'cli.cjs')] as const;
const command = join(dist, 'bin', process.platform === 'win32' ? 'slipway.cmd' : 'slipway');

/** What a process printed, line by line, so that a test can wait for a line. */
interface Output {
  readonly lines: readonly string[];
  /** The first line that fits, whether it came already or comes later. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
}

describe('The command line', function () {
  this.timeout(60_000);
  let workspace: string;
  const started = new Set<ChildProcess>();
  beforeEach(async () => {
    workspace = await temporaryFolder();
  });
  afterEach(async () => {
    // Those that a failed test left.
    for (const child of started) child.kill('SIGKILL');
    started.clear();
    await removeFolder(workspace);
  });

  const start = (
    args: readonly string[],
    [file, ...before]: readonly [string, ...string[]] = cli,
    options: { readonly env?: NodeJS.ProcessEnv; readonly detached?: boolean } = {},
  ) => {
    const child = spawn(file, [...before, ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    started.add(child);
    const ended = once(child, 'close').then(([code, signal]) => {
      started.delete(child);
      return { code, signal };
    });
    return { child, ended, stdout: listen(child.stdout), stderr: listen(child.stderr) };
  };
  const run = async (...args: readonly string[]) => {
    const { ended, stdout, stderr } = start(args);
    const { code } = await ended;
    return { code, stdout: stdout.lines.join('\n'), stderr: stderr.lines.join('\n') };
  };
  const up = async (...args: readonly string[]) => {
    const running = start(['up', '--workspace', workspace, ...args]);
    const [line] = await running.stdout.waitFor(/.*/);
    const ready: { readonly url: string; readonly token: string | null } = JSON.parse(line);
    return { ...running, ...ready };
  };
  const search = (url: string, authorization?: string) =>
    fetch(`${url}/api/2.0/mlflow/registered-models/search`, {
      headers: authorization ? { authorization } : {},
    });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`prints one JSON line when it is ready, and ends cleanly on ${signal}`, async () => {
      const { child, ended, stdout, stderr, url, token } = await up();
      assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
      assert.ok(token && token.length >= 16);
      assert.equal((await search(url, `Bearer ${token}`)).status, 200);
      child.kill(signal);
      assert.deepEqual(await ended, { code: 0, signal: null });
      assert.deepEqual(stdout.lines, [JSON.stringify({ url, token })]);
      assert.deepEqual(stderr.lines, []);
      await assert.rejects(fetch(`${url}/health`));
    });
  }

  it('asks for the token that it was given, for a new one each time, or for none', async () => {
    const given = await up('--token', 'sixteen-or-more!');
    assert.equal(given.token, 'sixteen-or-more!');
    assert.equal((await search(given.url)).status, 401);
    assert.equal((await search(given.url, 'Bearer another-token-here')).status, 401);
    assert.equal((await search(given.url, 'Bearer sixteen-or-more!')).status, 200);
    const fresh = await up();
    assert.equal((await search(fresh.url)).status, 401);
    const open = await up('--no-token');
    assert.equal(open.token, null);
    assert.equal((await search(open.url)).status, 200);
    for (const { child, ended } of [given, fresh, open]) {
      child.kill('SIGTERM');
      assert.equal((await ended).code, 0);
    }
  });

  it('says what it does not understand, with exit code 2', async () => {
    const cases = [
      [['launch'], /unknown command "launch"/],
      [['up', '--speed', '3'], /--speed/],
      [['up', 'here'], /here/],
      [['up', '--token', 'fifteen-letters'], /--token must have 16 characters or more/],
      [['up', '--token', 'sixteen-or-more!', '--no-token'], /exclude each other/],
      [['up', '--port', '80a'], /--port must be a whole number from 0 to 65535, not "80a"/],
      [['up', '--port', '65536'], /--port must be a whole number/],
      [['up', '--port', ''], /--port must be a whole number/],
    ] as const;
    for (const [args, sentence] of cases) {
      const { code, stdout, stderr } = await run(...args);
      assert.deepEqual([code, stdout], [2, ''], args.join(' '));
      assert.match(stderr, sentence);
      assert.match(stderr, /slipway --help/);
      assert.doesNotMatch(stderr, /^ +at /m, 'no stack');
    }
  });

  it('says that there is no such folder, with exit code 1', async () => {
    const { code, stdout, stderr } = await run('up', '--workspace', join(workspace, 'missing'));
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^slipway: there is no folder .*missing\./);
  });

  it('does not move to another port than the one it was told', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = holder.address();
    const port = String(typeof address === 'object' && address?.port);
    const { code, stdout, stderr } = await run('up', '--workspace', workspace, '--port', port);
    assert.deepEqual([code, stdout], [1, '']);
    assert.equal(
      stderr,
      `slipway: Slipway cannot listen on 127.0.0.1: port ${port} is taken by another program. Use a free port.`,
    );
    holder.close();
    await once(holder, 'close');
    const { child, ended, url } = await up('--port', port);
    assert.equal(url, `http://127.0.0.1:${port}`);
    child.kill('SIGTERM');
    await ended;
  });

  it('explains itself and says its version', async () => {
    for (const args of [['--help'], ['-h'], ['up', '--help'], ['gc', '-h']]) {
      const { code, stdout } = await run(...args);
      assert.equal(code, 0);
      for (const option of ['--workspace', '--host', '--port', '--token', '--no-token', '--version']) {
        assert.ok(stdout.includes(option), `${args}: ${option}`);
      }
    }
    assert.deepEqual(await run('--version'), { code: 0, stdout: manifest.version, stderr: '' });
    assert.equal((await run()).code, 2);
  });

  it('is the command "slipway" of a terminal, under the Node that SLIPWAY_NODE names or the one on the path', async () => {
    const path = [join(import.meta.dirname, '../../node_modules/.bin'), process.env.PATH].join(
      process.platform === 'win32' ? ';' : ':',
    );
    const env: NodeJS.ProcessEnv = { ...process.env, PATH: path };
    delete env.SLIPWAY_NODE;
    for (const named of [{}, { SLIPWAY_NODE: process.execPath }]) {
      const { child, ended, stdout } = start(['up', '--workspace', workspace, '--no-token'], [command], {
        env: { ...env, ...named },
      });
      const { url } = JSON.parse((await stdout.waitFor(/.*/))[0]);
      assert.equal((await search(url)).status, 200);
      child.kill('SIGINT');
      assert.deepEqual(await ended, { code: 0, signal: null });
    }
    const broken = start(['--version'], [command], {
      env: { ...env, SLIPWAY_NODE: join(workspace, 'node') },
    });
    assert.notEqual((await broken.ended).code, 0);
  });

  it('prints what was not foreseen, with its stack', async () => {
    const { child, ended, stderr, url } = await up('--no-token');
    const store = new BetterSqlite3(storeLayout(workspace).database);
    store.exec('DROP TABLE registered_model_tags');
    store.close();
    assert.equal((await search(url)).status, 500);
    await stderr.waitFor(/slipway: .*registered_model_tags/);
    await stderr.waitFor(/^ +at /);
    child.kill('SIGTERM');
    assert.equal((await ended).code, 0);
  });

  describe('with an endpoint that should run', () => {
    beforeEach(async () => {
      const engine = await openWholeEngine(workspace);
      registerOnnx(engine, workspace, 'wine', linearModel());
      await engine.serving.start({ modelName: 'wine', modelVersion: 1, port: null });
      await engine.close();
    });

    const upWithEndpoint = async () => {
      const running = start(['up', '--workspace', workspace, '--no-token'], cli, { detached: true });
      const [, port, id] = await running.stderr.waitFor(/on port (\d+) \(process (\d+)\)/);
      const endpoint = `http://127.0.0.1:${port}`;
      assert.equal((await fetch(`${endpoint}/v2/health/ready`)).status, 200);
      return { ...running, endpoint, scorer: Number(id) };
    };

    const endings = {
      'SIGINT of its own': (engine: ChildProcess) => engine.kill('SIGINT'),
      'SIGTERM of its own': (engine: ChildProcess) => engine.kill('SIGTERM'),
      'Ctrl+C in a terminal, which reaches all processes': (engine: ChildProcess) =>
        process.kill(-(engine.pid ?? 0), 'SIGINT'),
    };
    for (const [title, end] of Object.entries(endings)) {
      it(`starts it, and ends it on ${title}`, async () => {
        const { child, ended, endpoint, scorer, stderr } = await upWithEndpoint();
        end(child);
        assert.deepEqual(await ended, { code: 0, signal: null });
        assert.ok(!lives(scorer), 'the scorer is gone before the engine is');
        await assert.rejects(fetch(endpoint));
        for (const line of stderr.lines) assert.match(line, /^slipway: wine: /);
      });
    }

    it('leaves no process when it is killed, and starts the endpoint the next time', async () => {
      const { child, ended, scorer } = await upWithEndpoint();
      child.kill('SIGKILL');
      await ended;
      while (lives(scorer)) await new Promise((resolve) => setTimeout(resolve, 20));
      const again = await upWithEndpoint();
      again.child.kill('SIGTERM');
      assert.equal((await again.ended).code, 0);
    });

    it('says why it cannot be started', async () => {
      rmSync(storeLayout(workspace).artifacts, { recursive: true });
      const { child, ended, stderr } = start(['up', '--workspace', workspace, '--no-token']);
      await stderr.waitFor(/slipway: wine: .*cannot be served/);
      child.kill('SIGTERM');
      assert.equal((await ended).code, 0);
    });
  });
});

function listen(stream: NodeJS.ReadableStream): Output {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    for (const look of waiting) look();
  });
  stream.on('end', () => {
    if (rest !== '') lines.push(rest);
  });
  return {
    lines,
    waitFor: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.map((line) => pattern.exec(line)).find((match) => match !== null);
          if (!found) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        stream.once('end', () => reject(new Error(`No line ${pattern} came, but:\n${lines.join('\n')}`)));
        look();
      }),
  };
}

function lives(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    return false;
  }
}
