import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { partialFolder } from '../../../src/protocol/scoring.ts';
import { identityModel, linearModel } from '../../fixtures/onnxFile.ts';
import { inTemporaryFolder } from '../headless.ts';
import { watchProcess } from '../leftProcesses.ts';
import { openWholeEngine, registerOnnx } from '../servedStore.ts';
import { mountingAllowed } from '../smallDisk.ts';

const cli = join(import.meta.dirname, '../../../dist/cli.cjs');
const signature = JSON.stringify(['a', 'b', 'c'].map((name) => ({ name, type: 'float', required: true })));
const mlmodel = `flavors:\n  onnx:\n    data: model.onnx\nsignature:\n  inputs: '${signature}'\n`;

/** A workspace with three versions of "wine": the second is in Production, the third in Staging and has an alias. */
function inWorkspace<Result>(work: (workspace: string) => Promise<Result>): Promise<Result> {
  return inTemporaryFolder(async (workspace) => {
    const engine = await openWholeEngine(workspace);
    try {
      for (let version = 1; version <= 3; version++) {
        registerOnnx(engine, workspace, 'wine', linearModel(), { MLmodel: mlmodel });
      }
      const moved = { name: 'wine', who: 'ana', why: '' };
      engine.registry.promote({ ...moved, version: 2, stage: 'Production' });
      engine.registry.promote({ ...moved, version: 3, stage: 'Staging' });
      engine.registry.setAlias('wine', 'champion', 3);
      const pixels = identityModel([{ name: 'image', element: 'float', shape: ['rows', 3, 2, 2] }]);
      registerOnnx(engine, workspace, 'pictures', pixels);
    } finally {
      await engine.close();
    }
    return await work(workspace);
  });
}

function start(workspace: string, ...args: readonly string[]) {
  const child = watchProcess(
    spawn(process.execPath, [cli, ...args, '--workspace', workspace], {
      cwd: workspace,
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code]) => ({ code, stdout, stderr }));
  return { child, ended };
}

const run = (workspace: string, ...args: readonly string[]) => start(workspace, ...args).ended;

function manyRows(rows: number): string {
  const lines = Array.from({ length: rows }, (_, row) => `${row},0.25,0`);
  return `a,b,c\n${lines.join('\n')}\n`;
}

describe('slipway score', function () {
  this.timeout(180_000);

  it('takes the version that is named, and says which', async () => {
    await inWorkspace(async (workspace) => {
      writeFileSync(join(workspace, 'in.csv'), 'a,b,c\n1,2,3\n4,5,6\n');
      for (const [model, version] of [
        ['wine', 2],
        ['wine/1', 1],
        ['wine/Staging', 3],
        ['wine@champion', 3],
      ] as const) {
        const args = ['--input', 'in.csv', '--output', 'out.csv', '--force', '--json'];
        const { code, stdout, stderr } = await run(workspace, 'score', model, ...args);
        assert.equal(code, 0, stderr);
        assert.equal(JSON.parse(stdout).version, version, model);
      }
      assert.equal(readFileSync(join(workspace, 'out.csv'), 'utf8'), 'a,b,c,y\n1,2,3,14.5\n4,5,6,32.5\n');
      const { stdout } = await run(workspace, 'score', 'wine', '--input', 'in.csv', '--output', 'p.parquet');
      assert.match(stdout, /p\.parquet: 2 rows scored by version 2 of "wine" in [\d.]+ s\.\n$/);
    });
  });

  it('says in a sentence what it cannot do', async () => {
    await inWorkspace(async (workspace) => {
      writeFileSync(join(workspace, 'in.csv'), 'a,b\n1,2\n');
      const score = (...args: readonly string[]) => run(workspace, 'score', ...args);
      const failures = [
        [
          ['wine', '--input', 'in.csv', '--output', 'o.csv'],
          1,
          /column "c" is missing. It has a, b\. Nothing was written\./,
        ],
        [['wine/9', '--input', 'in.csv', '--output', 'o.csv'], 1, /no version "wine\/9".*It has 3/],
        [['beer', '--input', 'in.csv', '--output', 'o.csv'], 1, /no model "beer"/],
        [
          ['pictures', '--input', 'in.csv', '--output', 'o.csv'],
          1,
          /inputs are no columns of a table \("image" of shape \[any, 3, 2, 2\]\)/,
        ],
        [['wine', '--input', 'none.csv', '--output', 'o.csv'], 1, /there is no such file/],
        [
          ['wine', '--input', 'in.csv', '--output', 'in.csv'],
          1,
          /over the file .*in\.csv that is scored\. Choose another name/,
        ],
        [['wine', '--input', 'in.csv'], 2, /score needs --output FILE/],
        [['--input', 'in.csv', '--output', 'o.csv'], 2, /score takes one model/],
        [
          ['wine', '--input', 'in.csv', '--output', 'o.csv', '--format', 'xls'],
          2,
          /--format must be one of csv,/,
        ],
      ] as const;
      for (const [args, expected, message] of failures) {
        const { code, stderr } = await score(...args);
        assert.match(stderr, message);
        assert.equal(code, expected, stderr);
        assert.doesNotMatch(stderr, /^ +at /m);
      }
      assert.ok(
        !existsSync(join(workspace, 'o.csv')) && !existsSync(partialFolder(join(workspace, 'o.csv'))),
      );
    });
  });

  it('is cancelled by SIGINT, says what is kept, and goes on from there', async () => {
    await inWorkspace(async (workspace) => {
      const rows = 3_000_000;
      writeFileSync(join(workspace, 'in.csv'), manyRows(rows));
      const output = join(workspace, 'out.csv');
      const args = ['score', 'wine', '--input', 'in.csv', '--output', 'out.csv', '--only-predictions'];
      const { child, ended } = start(workspace, ...args);
      while (!existsSync(join(partialFolder(output), 'state.json')) && child.exitCode === null)
        await after(20);
      child.kill('SIGINT');
      const cancelled = await ended;
      assert.equal(cancelled.code, 1);
      assert.match(
        cancelled.stderr,
        /Cancelled\. What was scored is kept in .*\.slipway-partial; run the same command again/,
      );
      assert.ok(!existsSync(output));
      const { code, stdout, stderr } = await run(workspace, ...args, '--json');
      assert.equal(code, 0, stderr);
      const report = JSON.parse(stdout);
      assert.equal(report.rows, rows);
      assert.ok(report.resumedRows > 0);
      const lines = readFileSync(output, 'utf8').trimEnd().split('\n');
      assert.equal(lines.length, rows + 1);
      assert.equal(
        lines.findIndex((line, row) => row > 0 && Number(line) !== row),
        -1,
      );
    });
  });

  it('says that the disk is full, and goes on when there is room', async function () {
    const unshare = mountingAllowed();
    if (unshare === null) return this.skip();
    await inWorkspace(async (workspace) => {
      writeFileSync(join(workspace, 'in.csv'), manyRows(300_000));
      const disk = join(workspace, 'disk');
      mkdirSync(disk);
      const score = `"$1" "$2" score wine --workspace "$3" --input "$3/in.csv" --output "$0/out.csv"`;
      const script = `mount -t tmpfs -o size=2m tmpfs "$0" || exit 9
        ${score}; echo "first $?"; ls "$0" >&2
        mount -o remount,size=200m "$0"; ${score} --json; cp "$0/out.csv" "$3/copy.csv"`;
      const child = watchProcess(
        spawn('unshare', [...unshare, 'sh', '-c', script, disk, process.execPath, cli, workspace], {
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      );
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (text) => {
        stdout += text;
      });
      child.stderr.on('data', (text) => {
        stderr += text;
      });
      await once(child, 'close');
      assert.match(stdout, /^first 1$/m, stderr);
      assert.match(stderr, /slipway: The disk is full.*out\.csv\. Free some space, then try again\./);
      assert.match(stderr, /^out\.csv\.slipway-partial$/m);
      const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
      assert.equal(report.rows, 300_000);
      const lines = readFileSync(join(workspace, 'copy.csv'), 'utf8').trimEnd().split('\n');
      assert.equal(lines.length, 300_001);
      rmSync(disk, { recursive: true });
    });
  });
});
