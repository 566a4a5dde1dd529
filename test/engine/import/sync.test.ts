import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ImportEngine, openImportEngine, unwatched } from '../importEngine.ts';
import { experimentMeta, idOf, runFiles, writeFiles } from './fileStore.ts';

describe('Keeping an mlruns folder in sync', function () {
  this.timeout(60_000);
  let engine: ImportEngine;
  let mlruns: string;
  beforeEach(() => {
    engine = openImportEngine();
    mlruns = join(engine.folder, 'source', 'mlruns');
    mkdirSync(mlruns, { recursive: true });
  });
  afterEach(() => engine.close());

  const source = () => ({ kind: 'mlruns', path: mlruns }) as const;
  const sync = () => engine.interop.import({ ...source(), remaps: [], keepInSync: true }, unwatched);
  /** Resolves once the store is as wanted. */
  const until = async (look: () => unknown) => {
    for (;;) {
      try {
        if (look()) return;
      } catch {
        // Not there yet.
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const valuesOf = (runId: string, key: string) =>
    engine.tracking
      .metricHistory({ runId, key, maxResults: 1000, pageToken: '' })
      .items.map(({ value }) => value);
  const trains = { status: '1', end_time: 'null' };

  it('follows a run while it trains, and ones that begin, until it is stopped', async () => {
    const [one, two] = [idOf('1'), idOf('2')];
    writeFiles(mlruns, {
      '1/meta.yaml': experimentMeta('1', 'live'),
      ...runFiles('1', one, { 'metrics/loss': '1 1 1\n' }, trains),
    });
    const report = await sync();
    assert.deepEqual([report.runs, report.points], [1, 1]);
    assert.deepEqual(engine.interop.syncs(), [source()]);
    await assert.rejects(sync(), /already/);

    appendFileSync(join(mlruns, '1', one, 'metrics', 'loss'), '2 0.5 2\n3 0.25');
    await until(() => valuesOf(one, 'loss').length === 2);
    appendFileSync(join(mlruns, '1', one, 'metrics', 'loss'), '25 3\n');
    await until(() => valuesOf(one, 'loss').includes(0.2525));
    writeFiles(join(mlruns, '1', one), { 'params/lr': '0.1', 'artifacts/deep/er/file': 'x' });
    await until(() => engine.tracking.wholeRun(one).parameters.length === 1);
    await until(() => engine.artifacts.list(engine.tracking.run(one).artifactUri, 'deep/er').length === 1);
    // Its end.
    writeFiles(mlruns, runFiles('1', one));
    await until(() => engine.tracking.run(one).status === 'FINISHED');

    writeFiles(mlruns, {
      '2/meta.yaml': experimentMeta('2', 'later'),
      ...runFiles('2', two, { 'metrics/a/b': '1 7 1\n' }, trains),
    });
    await until(() => valuesOf(two, 'a/b').length === 1);
    assert.deepEqual(valuesOf(two, 'a/b'), [7]);

    await engine.interop.stopSync(source());
    assert.deepEqual(engine.interop.syncs(), []);
    appendFileSync(join(mlruns, '2', two, 'metrics', 'a', 'b'), '2 8 2\n');
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.deepEqual(valuesOf(two, 'a/b'), [7]);
    assert.deepEqual(engine.log, []);
  });

  it('reads of a metric that grows only what was added', async () => {
    const run = idOf('1');
    const lines = Array.from({ length: 5000 }, (_, step) => `${step} 0.5 ${step}\n`).join('');
    writeFiles(mlruns, {
      '1/meta.yaml': experimentMeta('1', 'grows'),
      ...runFiles('1', run, { 'metrics/m': lines }, trains),
    });
    await sync();
    const file = join(mlruns, '1', run, 'metrics', 'm');
    // Were the beginning read again, these would come in.
    writeFileSync(file, `${lines.replaceAll('0.5', '0.6')}6000 0.7 6000\n`);
    await until(() => engine.tracking.wholeRun(run).metrics[0]?.step === 6000);
    assert.equal(
      engine.database.prepare<[], { n: number }>('SELECT count(*) AS n FROM metrics').get()?.n,
      5001,
    );
  });

  it('ends with the engine, and says so when the source is gone', async () => {
    writeFiles(mlruns, {
      '1/meta.yaml': experimentMeta('1', 'gone'),
      ...runFiles('1', idOf('1'), {}, trains),
    });
    await sync();
    rmSync(mlruns, { recursive: true });
    await engine.interop.syncsEnded();
    assert.match(engine.log.join('\n'), /no longer kept in sync: .*there is no such folder/);
    assert.deepEqual(engine.interop.syncs(), []);
  });
});
