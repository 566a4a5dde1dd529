import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { createWorkerProcesses } from '../../src/engine/workerProcess.ts';
import { fromErrorData } from '../../src/protocol/errors.ts';
import { inMaintainedStore, type MaintainedStore, unwatched } from './maintainedStore.ts';

describe('Checking a store', function () {
  this.timeout(60_000);

  /** Changes the store behind the engine's back. */
  const tamper = ({ layout }: MaintainedStore, sql: string) => {
    const store = new BetterSqlite3(layout.database);
    store.pragma('foreign_keys = OFF');
    store.exec(sql);
    store.close();
  };

  it(
    'finds nothing wrong with a sound one, whatever was logged',
    inMaintainedStore(async ({ engine, experiment, run, model, version }) => {
      const { tracking } = engine;
      const runId = run(experiment('churn'), 'one');
      version('wine', `models:/${model(runId, 'wine')}`);
      const values = [
        Number.NaN,
        Number.POSITIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
        0,
        -0,
        5e-324,
        1.5,
        1.5,
      ];
      for (const step of [3, -2, 2 ** 40, 0, 3]) {
        const metrics = values.map((value, index) => ({ key: 'odd', value, timestamp: index % 3, step }));
        tracking.logBatch(runId, { metrics, parameters: [], tags: [] });
      }
      tracking.deleteRun(run('0', 'deleted'));
      const report = await engine.maintenance.check(unwatched);
      assert.deepEqual(report.findings, []);
      assert.equal(report.findingCount, 0);
      assert.deepEqual([report.content.runs, report.content.modelVersions], [2, 1]);
    }),
  );

  it(
    'says in words what is wrong, and what to do',
    inMaintainedStore(async (store) => {
      const { engine, run, model, version, layout, folderOf } = store;
      const runId = run('0', 'one');
      const lost = model(runId, 'lost');
      version('wine', `models:/${lost}`);
      rmSync(join(layout.artifacts, folderOf(engine.tracking.loggedModel(lost))), { recursive: true });
      const noRun = run('0', 'made it');
      version('ghost', `models:/${model(noRun, 'ghost')}`);
      tamper(store, `UPDATE model_versions SET run_uuid = 'nobody' WHERE run_uuid = '${noRun}'`);
      tamper(
        store,
        `UPDATE metric_series SET latest_value = 7 WHERE run_id = (SELECT id FROM runs WHERE name = 'one')`,
      );
      tamper(
        store,
        `UPDATE metric_series SET point_count = 9 WHERE run_id = (SELECT id FROM runs WHERE name = 'made it')`,
      );
      tamper(store, `INSERT INTO parameters VALUES (4711, 'depth', '3')`);

      const { findings, findingCount } = await engine.maintenance.check(unwatched);

      assert.deepEqual(findings.map(({ kind }) => kind).sort(), [
        'danglingRows',
        'metricSummaryWrong',
        'metricSummaryWrong',
        'modelFilesMissing',
        'versionFilesMissing',
        'versionRunMissing',
      ]);
      assert.equal(findingCount, 6);
      for (const finding of findings) {
        const { message, remedy } = fromErrorData(finding);
        assert.doesNotMatch(message + remedy, /[{}]|undefined/);
        assert.ok(remedy.length > 10, message);
      }
    }),
  );

  it(
    'goes on past a link that leads out of the store, and says which files cannot be read',
    inMaintainedStore(async ({ engine, run, model, layout, folderOf }) => {
      const modelId = model(run('0', 'one'), 'linked');
      const folder = join(layout.artifacts, folderOf(engine.tracking.loggedModel(modelId)));
      rmSync(folder, { recursive: true });
      symlinkSync(tmpdir(), folder);
      const { findings } = await engine.maintenance.check(unwatched);
      assert.deepEqual(
        findings.map(({ kind }) => kind),
        ['modelFilesMissing'],
      );
    }),
  );

  it(
    'finds pages that were overwritten',
    inMaintainedStore(async ({ engine, run, layout }) => {
      for (let count = 0; count < 300; count += 1) run('0', `run ${count}`);
      const copy = join(layout.cache, 'copy.db');
      await engine.maintenance.backUp({ path: copy, artifacts: false }, unwatched);
      const file = openSync(copy, 'r+');
      writeSync(file, Buffer.alloc(20 * 4096, 0x5a), 0, 20 * 4096, 10 * 4096);
      closeSync(file);
      const workers = createWorkerProcesses(join(import.meta.dirname, '../../src/worker/main.ts'));
      const findings = await workers.run({ type: 'checkStore', file: copy }, unwatched);
      await workers.close();
      assert.ok(findings.length > 0);
      for (const { kind } of findings) assert.equal(kind, 'storeDamaged');
    }),
  );

  it(
    'ends when it is cancelled',
    inMaintainedStore(async ({ engine, run }) => {
      run('0', 'one');
      const abort = new AbortController();
      const checking = engine.maintenance.check({ ...unwatched, signal: abort.signal });
      abort.abort();
      await assert.rejects(checking, /Cancelled/);
    }),
  );

  it(
    'tells the disk usage by experiment, and what belongs to nothing',
    inMaintainedStore(async ({ engine, experiment, run, model, layout }) => {
      const [big, small] = [experiment('big'), experiment('small')];
      const runId = run(big, 'one');
      model(runId, 'wine');
      writeFileSync(join(layout.artifacts, big, runId, 'artifacts', 'large.bin'), Buffer.alloc(5_000));
      engine.tracking.deleteRun(run(small, 'two'));
      for (const orphan of ['nobody/knows', `${big}/stranger`, `${big}/models/m-lost/artifacts`]) {
        mkdirSync(join(layout.artifacts, orphan), { recursive: true });
        writeFileSync(join(layout.artifacts, orphan, 'file'), '123');
      }
      writeFileSync(join(layout.artifacts, 'loose'), '12345');
      const [usage, shared] = await Promise.all([
        engine.maintenance.diskUsage(),
        engine.maintenance.diskUsage(),
      ]);
      assert.equal(usage, shared, 'one measurement answers both');
      assert.deepEqual(usage.experiments.slice(0, 2), [
        {
          experimentId: big,
          name: 'big',
          deleted: false,
          runCount: 1,
          deletedRunCount: 0,
          metricPoints: 3,
          artifactFiles: 3,
          artifactBytes: 5_010 + 'flavors:\n  onnx:\n    data: model.onnx\n'.length,
        },
        {
          experimentId: small,
          name: 'small',
          deleted: false,
          runCount: 1,
          deletedRunCount: 1,
          metricPoints: 3,
          artifactFiles: 1,
          artifactBytes: 10,
        },
      ]);
      assert.deepEqual(
        usage.orphans.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
        [
          { name: `${big}/models/m-lost`, bytes: 3 },
          { name: `${big}/stranger`, bytes: 3 },
          { name: 'loose', bytes: 5 },
          { name: 'nobody', bytes: 3 },
        ],
      );
      assert.ok(usage.storeBytes + usage.logBytes > 10_000);
      assert.ok(usage.totalBytes > usage.storeBytes + 5_000);
    }),
  );
});
