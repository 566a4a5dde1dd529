import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { storeLayout } from '../../src/engine/layout.ts';
import { inTemporaryFolder, startHeadless } from './headless.ts';
import { endLeftProcesses } from './leftProcesses.ts';
import { type MaintainedStore, withMaintainedStore } from './maintainedStore.ts';

const cli = join(import.meta.dirname, '../../dist/cli.cjs');

describe('The command line on a store', function () {
  this.timeout(120_000);
  afterEach(endLeftProcesses);

  const slipway = async (...args: readonly string[]) => {
    const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise<number | null>((resolve) => {
      child.once('close', (code) => resolve(code));
    });
    const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    return { code, stdout: stdout.trimEnd(), stderr: stderr.trimEnd() };
  };
  /** A folder in which `fill` made a store, and another for backups. */
  const inWorkspace =
    (fill: (store: MaintainedStore) => void, work: (workspace: string, backups: string) => Promise<void>) =>
    async () => {
      await inTemporaryFolder(async (workspace) => {
        await withMaintainedStore(workspace, fill);
        await inTemporaryFolder((backups) => work(workspace, backups));
      });
    };

  it(
    'gc: says what it would delete, deletes it, and has nothing left to do',
    inWorkspace(
      ({ engine, experiment, run, model, version }) => {
        const id = experiment('churn');
        run(id, 'one');
        version('wine', `models:/${model(run(id, 'two'), 'wine')}`);
        engine.tracking.deleteExperiment(id);
      },
      async (workspace) => {
        const dry = await slipway('gc', '--workspace', workspace, '--dry-run');
        assert.equal(dry.code, 0, dry.stderr);
        assert.match(
          dry.stdout,
          /^Would delete for good:\n {2}run [0-9a-f]{32} \(one\)\n10 bytes of artifacts would be/,
        );
        assert.match(
          dry.stdout,
          /The run "two" is kept: version 1 of "wine" was made from it\. Delete that version/,
        );
        const old = await slipway('gc', '--workspace', workspace, '--older-than', '30d');
        assert.match(old.stdout, /^There is nothing to delete for good\./);
        const done = await slipway('gc', '--workspace', workspace, '--json');
        assert.deepEqual(
          JSON.parse(done.stdout).runs.map(({ name }: { readonly name: string }) => name),
          ['one'],
        );
        const again = await slipway('gc', '--workspace', workspace, '--compact');
        assert.match(again.stdout, /^There is nothing to delete for good\./);
      },
    ),
  );

  it('gc: tells of space inside the file only where it is worth giving back, and how', async () => {
    await inTemporaryFolder(async (workspace) => {
      const large = await withMaintainedStore(workspace, ({ engine, run }) => {
        const fill = (runId: string, thousands: number) => {
          for (let thousand = 0; thousand < thousands; thousand += 1) {
            const metrics = Array.from({ length: 1000 }, (_, index) => {
              const step = thousand * 1000 + index;
              return { key: 'loss', value: Math.random(), timestamp: 1_700_000_000_000 + step, step };
            });
            engine.tracking.logBatch(runId, { metrics, parameters: [], tags: [] });
          }
        };
        const [stays, few, many] = [run('0', 'stays'), run('0', 'few'), run('0', 'many')];
        fill(stays, 350);
        fill(few, 2);
        fill(many, 70);
        engine.tracking.deleteRun(few);
        return many;
      });
      const little = await slipway('gc', '--workspace', workspace);
      assert.match(little.stdout, /^Deleted for good:/);
      assert.doesNotMatch(little.stdout, /free for/);
      await withMaintainedStore(workspace, ({ engine }) => engine.tracking.deleteRun(large));
      const much = await slipway('gc', '--workspace', workspace);
      assert.match(much.stdout, /^[\d.]+ MB inside the store's file are free for new runs; --compact gives/m);
      const compacted = await slipway('gc', '--workspace', workspace, '--compact');
      assert.match(compacted.stdout, /^The store's file is [\d.]+ MB smaller\.$/m);
      assert.doesNotMatch(compacted.stdout, /free for/);
    });
  });

  it(
    'gc: works beside an engine, which shows at once what is gone',
    inWorkspace(
      () => undefined,
      async (workspace) => {
        const engine = await startHeadless(workspace);
        const { experiment_id } = await engine.call('POST', '/api/2.0/mlflow/experiments/create', {
          name: 'churn',
        });
        await engine.call('POST', '/api/2.0/mlflow/experiments/delete', { experiment_id });
        const done = await slipway('gc', '--workspace', workspace);
        assert.match(done.stdout, /^Deleted for good:\n {2}experiment \d+ \(churn\)/);
        await engine.call('POST', '/api/2.0/mlflow/experiments/create', { name: 'churn' });
        for (const command of ['usage', 'check']) {
          const { code, stderr } = await slipway(command, '--workspace', workspace);
          assert.deepEqual([code, stderr], [0, ''], command);
        }
        assert.equal(await engine.stop(), 0);
      },
    ),
  );

  it(
    'usage: one line for each experiment, and what belongs to nothing',
    inWorkspace(
      ({ experiment, run, layout }) => {
        run(experiment('churn'), 'one');
        writeFileSync(join(layout.artifacts, 'loose'), '12345');
      },
      async (workspace) => {
        const { code, stdout } = await slipway('usage', '--workspace', workspace);
        assert.equal(code, 0);
        assert.match(
          stdout,
          /^experiment +runs +of these deleted +points +artifacts\nchurn +1 +0 +3 +10 bytes\nDefault +0/,
        );
        assert.match(stdout, /^belongs to nothing: artifacts\/loose +5 bytes$/m);
        const json = JSON.parse((await slipway('usage', '--workspace', workspace, '--json')).stdout);
        assert.equal(json.experiments[0].artifactBytes, 10);
      },
    ),
  );

  it(
    'backup and restore: beside an engine the one, never the other',
    inWorkspace(
      ({ run }) => void run('0', 'one'),
      async (workspace, backups) => {
        const engine = await startHeadless(workspace);
        const made = await slipway('backup', backups, '--workspace', workspace, '--artifacts');
        assert.equal(made.code, 0, made.stderr);
        assert.match(made.stdout, /: 1 run of 1 experiment .* 1 artifact .*The copy is sound\.$/);
        const [name = ''] = readdirSync(backups);
        const backup = join(backups, name);
        assert.deepEqual(readdirSync(backup).sort(), ['artifacts', 'backup.json', 'store.db']);
        const refused = await slipway('restore', backup, '--workspace', workspace);
        assert.equal(refused.code, 1);
        assert.match(refused.stderr, /^slipway: Another Slipway has the store .* open.*end "slipway up"/);
        assert.equal(await engine.stop(), 0);

        rmSync(storeLayout(workspace).artifacts, { recursive: true });
        writeFileSync(
          storeLayout(workspace).database,
          'gone wrong, as disks do, and long enough to be a header',
        );
        const broken = await slipway('check', '--workspace', workspace);
        assert.equal(broken.code, 1);
        assert.match(broken.stderr, /^slipway: The store .* is damaged: .*Restore a backup/);
        const restored = await slipway('restore', backup, '--workspace', workspace);
        assert.equal(restored.code, 0, restored.stderr);
        assert.match(restored.stdout, /^Restored 1 run of 1 experiment and 1 artifact\.\nThe store that was/);
        const sound = await slipway('check', '--workspace', workspace);
        assert.match(sound.stdout, /^The store is sound: 1 experiment, 1 run, 0 model versions\.$/);
      },
    ),
  );

  it('says what it does not understand, and makes no store where there is none', async () => {
    await inTemporaryFolder(async (workspace) => {
      for (const [args, sentence] of [
        [['gc', '--older-than', 'soon'], /--older-than must be an age such as 30d/],
        [['gc', '--older-than', '3'], /--older-than must be an age/],
        // Read as none at all, these would delete all that was ever deleted.
        [['gc', '--older-than', '5s2d'], /--older-than must be an age/],
        [['gc', '--older-than', '30d30d'], /--older-than must be an age/],
        [['gc', '--older-than', '.d'], /--older-than must be an age/],
        [['gc', 'everything'], /everything/],
        [['backup'], /backup takes one folder or file/],
        [['restore', 'a', 'b'], /restore takes one backup/],
        [['check', '--deep'], /--deep/],
      ] as const) {
        const { code, stderr } = await slipway(...args);
        assert.equal(code, 2, args.join(' '));
        assert.match(stderr, sentence);
      }
      for (const args of [['gc'], ['usage'], ['check'], ['backup', workspace]]) {
        const { code, stderr } = await slipway(...args, '--workspace', workspace);
        assert.deepEqual([code, /There is no Slipway store in/.test(stderr)], [1, true], args.join(' '));
      }
      assert.ok(!existsSync(join(workspace, '.slipway')));
    });
  });
});
