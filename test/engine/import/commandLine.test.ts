import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../../src/engine/database/connection.ts';
import { dumpImports, dumpStore } from '../storeDump.ts';
import { experimentMeta, idOf, runFiles, writeFiles } from './fileStore.ts';

const cli = join(import.meta.dirname, '../../../dist/cli.cjs');

describe('slipway import and slipway export', function () {
  this.timeout(120_000);
  let folder: string;
  let mlruns: string;
  const started = new Set<ChildProcess>();
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-cli-')));
    mlruns = join(folder, 'mlruns');
    mkdirSync(mlruns);
  });
  afterEach(() => {
    for (const child of started) child.kill('SIGKILL');
    started.clear();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  const workspace = (name: string) => {
    mkdirSync(join(folder, name), { recursive: true });
    return join(folder, name);
  };
  const start = (...args: readonly string[]) => {
    const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    started.add(child);
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output.stderr += text;
    });
    const ended = once(child, 'close').then(([code]) => ({ code, ...output }));
    return { child, ended, output };
  };
  const run = (...args: readonly string[]) => start(...args).ended;
  const open = (name: string) => openDatabase(join(workspace(name), '.slipway', 'store.db'));
  const dump = (name: string) => {
    const database = open(name);
    const dumped = [dumpStore(database), dumpImports(database).parts];
    database.close();
    return dumped;
  };

  it('imports, says what it did, and lists what it did not take', async () => {
    writeFiles(mlruns, {
      '3/meta.yaml': experimentMeta('3', 'wine'),
      ...runFiles('3', idOf('1'), { 'metrics/loss': '1 1 1\nbroken\n', 'artifacts/a': 'a' }),
    });
    const first = await run('import', folder, '--workspace', workspace('ws'));
    assert.equal(first.code, 0, first.stderr);
    assert.equal(
      first.stdout,
      `${mlruns} (mlruns): 1 run in 1 experiment, 0 registered models\n` +
        'Imported 1 experiment, 1 run, 1 metric point, 1 artifact.\n',
    );
    assert.equal(
      first.stderr,
      `Not taken, or not as it is there (1):\n  run ${idOf('1')}/metrics/loss line 2: It cannot be read: it is not "timestamp value step"\n`,
    );
    const second = await run('import', mlruns, '--workspace', workspace('ws'), '--as', 'mlruns');
    assert.match(second.stdout, /\nNothing is new\. 1 part is as before\.\n$/);
    const json = await run('import', mlruns, '--workspace', workspace('ws'), '--json');
    assert.equal(JSON.parse(json.stdout).unchangedParts, 1);
    const other = await run('import', folder, '--workspace', workspace('ws'), '--as', 'csv');
    assert.deepEqual([other.code, other.stdout], [1, '']);
    assert.match(other.stderr, /nothing in .* to import as csv\. .*one of: mlruns\.\n$/);
  });

  it('goes on after it was killed in the middle, and nothing is there twice', async () => {
    const count = 120;
    const points = Array.from({ length: 400 }, (_, step) => `${step} ${step}.5 ${step}\n`).join('');
    const times = 'creation_time: 1600000000000\nlast_update_time: 1600000000001\n';
    writeFiles(mlruns, {
      '0/meta.yaml': experimentMeta('0', 'Default', times),
      '1/meta.yaml': experimentMeta('1', 'many', times),
    });
    for (let index = 0; index < count; index++) {
      const id = index.toString(16).padStart(32, '0');
      writeFiles(
        mlruns,
        runFiles('1', id, { 'metrics/a': points, 'params/p': String(index), 'artifacts/f': points }),
      );
    }
    assert.equal((await run('import', mlruns, '--workspace', workspace('whole'))).code, 0);
    for (const share of [0.1, 0.5, 0.9]) {
      const { child, ended } = start('import', mlruns, '--workspace', workspace('killed'));
      let ends = false;
      void ended.then(() => {
        ends = true;
      });
      const file = join(workspace('killed'), '.slipway', 'store.db');
      while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 5));
      const database = open('killed');
      const runs = database.prepare<[], { readonly n: number }>('SELECT count(*) AS n FROM import_parts');
      while (!ends && Number(runs.get()?.n) < share * count)
        await new Promise((resolve) => setTimeout(resolve, 1));
      child.kill('SIGKILL');
      await ended;
      const reached = Number(runs.get()?.n);
      database.close();
      assert.ok(reached >= share * count, `${reached} of ${count}`);
    }
    const last = await run('import', mlruns, '--workspace', workspace('killed'));
    assert.equal(last.code, 0, last.stderr);
    assert.deepEqual(dump('killed'), dump('whole'));
  });

  it('keeps in sync until SIGINT', async () => {
    const id = idOf('1');
    writeFiles(mlruns, {
      '1/meta.yaml': experimentMeta('1', 'live'),
      ...runFiles('1', id, { 'metrics/m': '1 1 1\n' }, { status: '1', end_time: 'null' }),
    });
    const { child, ended, output } = start(
      'import',
      mlruns,
      '--workspace',
      workspace('ws'),
      '--keep-in-sync',
    );
    while (!output.stdout.includes('Keeping in sync'))
      await new Promise((resolve) => setTimeout(resolve, 10));
    const database = open('ws');
    const points = database.prepare<[], { readonly n: number }>('SELECT count(*) AS n FROM metrics');
    appendFileSync(join(mlruns, '1', id, 'metrics', 'm'), '2 2 2\n');
    while (points.get()?.n !== 2) await new Promise((resolve) => setTimeout(resolve, 10));
    database.close();
    child.kill('SIGINT');
    assert.deepEqual(await ended, { code: 0, ...output });
  });

  it('exports a run or an experiment, and refuses to write over a run', async () => {
    writeFiles(mlruns, {
      '3/meta.yaml': experimentMeta('3', 'wine'),
      ...runFiles('3', idOf('1'), { 'metrics/loss': '1 1 1\n' }),
      ...runFiles('3', idOf('2')),
    });
    await run('import', mlruns, '--workspace', workspace('ws'));
    const output = join(folder, 'out');
    const one = await run('export', idOf('1'), '--output', output, '--workspace', workspace('ws'));
    assert.deepEqual(one, {
      code: 0,
      stdout: `${join(output, 'mlruns')}: 1 run, 1 metric point, 0 artifacts.\n`,
      stderr: '',
    });
    const again = await run('export', 'wine', '--output', output, '--workspace', workspace('ws'));
    assert.equal(again.code, 1);
    assert.match(again.stderr, /has the run 1+ already\. Choose another folder\./);
    const whole = await run(
      'export',
      'wine',
      '--output',
      join(folder, 'all'),
      '--workspace',
      workspace('ws'),
    );
    assert.match(whole.stdout, /2 runs/);
    const none = await run('export', 'nothing', '--output', output, '--workspace', workspace('ws'));
    assert.match(none.stderr, /There is no run or experiment "nothing"\. "slipway usage" lists/);
    const file = join(mlruns, '3', 'meta.yaml');
    const refused = await run('export', 'wine', '--output', file, '--workspace', workspace('ws'));
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /^slipway: The export to .*meta\.yaml could not be written: .*Choose a folder/,
    );
    assert.doesNotMatch(refused.stderr, /^ +at /m, 'no stack');
  });

  it('says what it does not understand', async () => {
    const cases = [
      [['import'], 2, /takes one file or folder/],
      [['import', mlruns, '--as', 'spreadsheet'], 2, /--as must be one of mlruns, mlflowdb/],
      [['import', mlruns, '--remap', 'nothing'], 2, /--remap must be FROM=TO/],
      [['import', join(folder, 'missing'), '--workspace', workspace('ws')], 1, /no such file or folder/],
      [['import', mlruns, '--workspace', workspace('ws')], 1, /nothing in .* that Slipway can import/],
      [['import', mlruns, '--workspace', join(folder, 'no-workspace')], 1, /no-workspace/],
      [['export', 'x'], 2, /needs --output/],
    ] as const;
    for (const [args, code, sentence] of cases) {
      const result = await run(...args);
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, sentence);
    }
  });
});
