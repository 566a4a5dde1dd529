import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type ImportEngine, openImportEngine } from '../importEngine.ts';
import { experimentMeta, idOf, runFiles, writeFiles } from './fileStore.ts';

describe('Artifacts of an imported mlruns folder', function () {
  this.timeout(60_000);
  let engine: ImportEngine;
  let mlruns: string;
  beforeEach(() => {
    engine = openImportEngine();
    mlruns = join(engine.folder, 'source', 'mlruns');
    mkdirSync(mlruns, { recursive: true });
  });
  afterEach(() => engine.close());

  const run = idOf('1');
  const artifactsOf = (path = '') =>
    engine.artifacts.list(engine.tracking.run(run).artifactUri, path).map((entry) => entry.path);

  it('are copied with their times, and found where the folder lies now', async () => {
    writeFiles(mlruns, {
      '1/meta.yaml': experimentMeta('1', 'files'),
      ...runFiles('1', run, { 'artifacts/model/MLmodel': 'flavors: {}', 'artifacts/a.txt': 'hello' }),
    });
    const report = await engine.importAll(join(mlruns, '..'));
    assert.deepEqual([report.artifacts, report.omissions], [2, []]);
    assert.deepEqual([artifactsOf(), artifactsOf('model')], [['a.txt', 'model'], ['model/MLmodel']]);
    const uri = engine.tracking.run(run).artifactUri;
    assert.equal(readFileSync(engine.artifacts.resolve(uri, 'a.txt'), 'utf8'), 'hello');
  });

  it('are not followed out of the source, neither by links nor by a location that a file names', async () => {
    const secret = join(engine.folder, 'secret');
    writeFiles(engine.folder, { 'secret/key': 'private' });
    writeFiles(mlruns, {
      '1/meta.yaml': experimentMeta('1', 'links'),
      ...runFiles('1', run, { 'artifacts/real/file': 'x' }, { artifact_uri: `file://${secret}` }),
    });
    const artifacts = join(mlruns, '1', run, 'artifacts');
    symlinkSync(join(secret, 'key'), join(artifacts, 'key'));
    symlinkSync(secret, join(artifacts, 'folder'));
    symlinkSync('real/file', join(artifacts, 'inside'));
    symlinkSync('.', join(artifacts, 'circle'));
    const report = await engine.importAll(mlruns);
    assert.deepEqual(artifactsOf(), ['inside', 'real']);
    assert.deepEqual(
      report.omissions.map(({ subject, reason, values }) => [subject.replace(run, 'RUN'), reason, values]),
      [
        ['run RUN/artifacts/circle', 'leadsOutside', {}],
        ['run RUN/artifacts/folder', 'leadsOutside', {}],
        ['run RUN/artifacts/key', 'leadsOutside', {}],
        ['run RUN/artifacts', 'filesElsewhere', { location: secret }],
      ],
    );
  });

  it('are taken from elsewhere when the person says so, and stay where they are when they are remote', async () => {
    const remote = idOf('2');
    writeFiles(engine.folder, { 'disk/of/run/model.bin': 'weights' });
    writeFiles(mlruns, {
      '1/meta.yaml': experimentMeta('1', 'elsewhere'),
      ...runFiles('1', run, {}, { artifact_uri: 'file:///old/disk/of/run' }),
      ...runFiles('1', remote, {}, { artifact_uri: 's3://bucket/1/artifacts' }),
    });
    const before = await engine.importAll(mlruns);
    assert.deepEqual(
      before.omissions.map(({ reason }) => reason),
      ['filesMissing', 'filesRemote'],
    );
    assert.equal(engine.tracking.run(remote).artifactUri, 's3://bucket/1/artifacts');
    const report = await engine.importAll(mlruns, [{ from: '/old/disk', to: join(engine.folder, 'disk') }]);
    assert.deepEqual([report.artifacts, artifactsOf()], [1, ['model.bin']]);
    assert.deepEqual(
      report.omissions.map(({ reason }) => reason),
      ['filesRemote'],
    );
  });

  it('are those of the copy when the folder was copied, and what it was copied from is still there', async () => {
    const [empty, left] = [idOf('2'), idOf('3')];
    const original = join(engine.folder, 'original', 'mlruns');
    const uriOf = (id: string) => ({ artifact_uri: `file://${original}/1/${id}/artifacts` });
    writeFiles(original, {
      '1/meta.yaml': experimentMeta('1', 'copied'),
      ...runFiles('1', run, { 'artifacts/a.txt': 'a' }, uriOf(run)),
      ...runFiles('1', empty, {}, uriOf(empty)),
      ...runFiles('1', left, { 'artifacts/large.bin': 'not in Git' }, uriOf(left)),
    });
    const fromGit = (path: string) =>
      !path.endsWith(join(empty, 'artifacts')) && !path.endsWith(join(left, 'artifacts'));
    cpSync(original, mlruns, { recursive: true, filter: fromGit });
    const report = await engine.importAll(mlruns);
    assert.deepEqual([report.runs, artifactsOf()], [3, ['a.txt']]);
    assert.deepEqual(
      report.omissions.map(({ subject, reason }) => [subject, reason]),
      [[`run ${left}/artifacts`, 'filesElsewhere']],
    );
  });

  it('are found where a server beside the folder kept them, unless a link leads there', async () => {
    writeFiles(mlruns, {
      '1/meta.yaml': experimentMeta('1', 'served'),
      ...runFiles('1', run, {}, { artifact_uri: `mlflow-artifacts:/1/${run}/artifacts` }),
    });
    const served = join(mlruns, '../mlartifacts');
    writeFiles(engine.folder, { [`secret/1/${run}/artifacts/key`]: 'private' });
    symlinkSync(join(engine.folder, 'secret'), served);
    const refused = await engine.importAll(mlruns);
    const from = `mlflow-artifacts:/1/${run}/artifacts`;
    assert.deepEqual(refused.omissions, [
      { subject: `run ${run}/artifacts`, reason: 'filesElsewhere', values: { location: from } },
    ]);
    const to = join(engine.folder, 'secret/1', run, 'artifacts');
    assert.equal((await engine.importAll(mlruns, [{ from, to }])).artifacts, 1);
    rmSync(served);
    writeFiles(served, { [`1/${run}/artifacts/model/MLmodel`]: 'flavors: {}' });
    engine.database.prepare('DELETE FROM import_parts').run();
    const report = await engine.importAll(mlruns);
    assert.deepEqual([report.artifacts, report.omissions, artifactsOf()], [1, [], ['key', 'model']]);
  });

  it('can be taken with the location that an omission names', async () => {
    writeFiles(engine.folder, { 'source/outside/model.bin': 'weights' });
    writeFiles(mlruns, {
      '1/meta.yaml': experimentMeta('1', 'relative'),
      ...runFiles('1', run, {}, { artifact_uri: '../outside' }),
    });
    const before = await engine.importAll(mlruns);
    const [named] = before.omissions;
    assert.equal(named?.reason, 'filesElsewhere');
    const from = String(named?.values.location);
    const report = await engine.importAll(mlruns, [{ from, to: from }]);
    assert.deepEqual([report.artifacts, report.omissions, artifactsOf()], [1, [], ['model.bin']]);
  });
});
