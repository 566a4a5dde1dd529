import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type ImportEngine, openImportEngine, unwatched } from '../importEngine.ts';
import { dumpStore } from '../storeDump.ts';
import { experimentMeta, idOf, runFiles, writeFiles } from './fileStore.ts';

describe('What is taken for a run in an mlruns folder', function () {
  this.timeout(60_000);
  let engine: ImportEngine;
  let mlruns: string;
  beforeEach(() => {
    engine = openImportEngine();
    mlruns = join(engine.folder, 'source', 'mlruns');
    mkdirSync(mlruns, { recursive: true });
  });
  afterEach(() => engine.close());

  it('takes no meta.yaml for a run that lies among artifacts, or that does not name its folder', async () => {
    const [run, planted] = [idOf('1'), idOf('2')];
    const inside = Object.fromEntries(
      Object.entries(runFiles('1', planted)).map(([path, content]) => [
        `1/${run}/artifacts/${path.replace('1/', '')}`,
        content,
      ]),
    );
    writeFiles(mlruns, {
      '1/meta.yaml': experimentMeta('1', 'safe'),
      ...runFiles('1', run),
      ...inside,
      // A file of something else.
      [`1/${planted}/meta.yaml`]: 'artifact_uri: file:///etc\nname: recipe\n',
      [`1/${idOf('3')}/meta.yaml`]: 'a: &a [1]\nb: *a\n',
      [`1/${idOf('3')}/metrics/`]: '',
      [`1/${idOf('3')}/params/`]: '',
      [`1/${idOf('3')}/artifacts/`]: '',
      // One whose file says that it is another.
      ...Object.fromEntries(
        Object.entries(runFiles('1', run)).map(([path, content]) => [path.replace(run, idOf('4')), content]),
      ),
    });
    const report = await engine.importAll(mlruns);
    assert.equal(report.runs, 1);
    assert.deepEqual(
      report.omissions.map(({ subject, reason }) => [subject, reason]),
      [
        [`run ${planted}/meta.yaml`, 'unreadable'],
        [`run ${idOf('3')}/meta.yaml`, 'unreadable'],
        [`run ${idOf('4')}/meta.yaml`, 'unreadable'],
      ],
    );
    assert.ok(report.artifacts > 0, 'they are artifacts all the same');
  });

  it('takes runs whose empty folders Git has dropped', async () => {
    const runs = ['1', '2', '3', '4'].map(idOf);
    const [bare = '', measured = '', tuned = '', kept = ''] = runs;
    const files = {
      '1/meta.yaml': experimentMeta('1', 'from Git', 'creation_time: 1\nlast_update_time: 2\n'),
      ...runFiles('1', bare),
      ...runFiles('1', measured, { 'metrics/loss': '1 0.5 1\n' }),
      ...runFiles('1', tuned, { 'params/lr': '0.1', 'tags/team': 'blue' }),
      ...runFiles('1', kept, { 'artifacts/a.txt': 'a' }),
    };
    writeFiles(mlruns, Object.fromEntries(Object.entries(files).filter(([path]) => !path.endsWith('/'))));
    const found = await engine.interop.detect(mlruns, unwatched);
    assert.deepEqual(
      found.map(({ kind, runCount }) => [kind, runCount]),
      [['mlruns', 4]],
    );
    const report = await engine.importAll(mlruns);
    assert.deepEqual([report.runs, report.points, report.artifacts, report.omissions], [4, 1, 1, []]);
    assert.equal(engine.tracking.run(bare).name, 'a run');
    assert.deepEqual(engine.tracking.wholeRun(tuned).parameters, [{ key: 'lr', value: '0.1' }]);

    // As they were before Git: nothing is another.
    const store = dumpStore(engine.database);
    writeFiles(mlruns, files);
    engine.database.prepare('DELETE FROM import_parts').run();
    await engine.importAll(mlruns);
    assert.deepEqual(dumpStore(engine.database), store);
  });

  it('takes a folder for mlruns only when an experiment or a run lies in it', async () => {
    const run = idOf('1');
    writeFiles(engine.folder, {
      'recipes/zlib/meta.yaml': 'package: {name: zlib}\n',
      'recipes/zlib/tests/meta.yaml': 'package: {name: tests}\n',
    });
    await assert.rejects(engine.importAll(join(engine.folder, 'recipes')), /found \[\]/);
    writeFiles(mlruns, {
      '1/meta.yaml': experimentMeta('1', 'whole'),
      // Somebody logged the file.
      ...runFiles('1', run, { 'artifacts/meta.yaml': 'run_id: artifacts\n' }),
    });
    await assert.rejects(engine.importAll(join(mlruns, '1')), /found \[\]/);
    symlinkSync(mlruns, join(engine.folder, 'mlruns'));
    assert.equal((await engine.importAll(engine.folder)).runs, 1, 'the folder itself may be a link');
  });

  it('follows no link out of what is imported, and names those that it does not follow', async () => {
    const run = idOf('1');
    writeFiles(engine.folder, {
      'secret/key': 'private',
      'secret/loss': '1 1 1\n',
      'secret/meta.yaml': 'name: private\ndigest: private\nsource_type: DATASET\nsource_id: private\n',
      [`secret/${run}/meta.yaml`]: 'name: private\nmodel_id: private\n',
    });
    writeFiles(mlruns, {
      '1/meta.yaml': experimentMeta('1', 'links'),
      ...runFiles('1', run, {
        'inputs/d/meta.yaml': 'source_type: DATASET\nsource_id: linked\n',
        'tags/a': 'b',
      }),
      '1/datasets/': '',
      'models/wine/meta.yaml': 'name: wine\n',
    });
    const folder = join(mlruns, '1', run);
    for (const name of ['metrics', 'params', 'artifacts']) rmSync(join(folder, name), { recursive: true });
    const links = [
      '1/datasets/linked',
      '1/models',
      '1/tags',
      '1/traces',
      `1/${run}/metrics`,
      `1/${run}/outputs`,
      `1/${run}/params`,
      `1/${run}/tags/linked`,
      `1/${idOf('2')}`,
      'models/wine/aliases',
      'models/wine/tags',
    ];
    for (const link of [...links, `1/${run}/artifacts`])
      symlinkSync(join(engine.folder, 'secret'), join(mlruns, link));
    const report = await engine.importAll(mlruns);
    const told = report.omissions.map(({ subject, reason }) => [subject, reason]);
    assert.deepEqual(
      told.sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
      [
        ...links.map((link) => [link, 'unreadable']),
        [`run ${run}/artifacts`, 'leadsOutside'],
        [`run ${run}/inputs/d`, 'unreadable'],
      ].sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
    );
    assert.deepEqual([report.runs, report.points, report.artifacts, report.loggedModels], [1, 0, 0, 0]);
    assert.doesNotMatch(JSON.stringify(dumpStore(engine.database)), /private/);
  });

  it('tells every broken line by its number, also of a metric that grows while it is watched', async () => {
    const run = idOf('1');
    writeFiles(mlruns, {
      '1/meta.yaml': experimentMeta('1', 'grows'),
      ...runFiles('1', run, { 'metrics/m': '1 1 1\n2 2 2\n' }, { status: '1', end_time: 'null' }),
    });
    const source = { kind: 'mlruns', path: mlruns } as const;
    await engine.interop.import({ ...source, remaps: [], keepInSync: true }, unwatched);
    const linesTold = () => engine.interop.omissions(source).map(({ subject }) => subject.split(' ').at(-1));
    const until = async (...lines: readonly string[]) => {
      while (linesTold().join() !== lines.join()) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    const file = join(mlruns, '1', run, 'metrics', 'm');
    appendFileSync(file, 'broken\n4 4 4\n');
    await until('3');
    appendFileSync(file, '5 5 5\nbroken\n');
    await until('3', '6');
    assert.equal(engine.tracking.wholeRun(run).metrics[0]?.step, 5);
  });
});
