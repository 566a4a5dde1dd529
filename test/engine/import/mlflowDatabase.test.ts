import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { type ImportEngine, openImportEngine, unwatched } from '../importEngine.ts';
import { dumpStore } from '../storeDump.ts';
import { idOf, writeFiles } from './fileStore.ts';

/** The tables as MLflow 3 makes them, as far as they matter here. */
const schema = `
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name VARCHAR(256), artifact_location VARCHAR(256),
  lifecycle_stage VARCHAR(32), creation_time BIGINT, last_update_time BIGINT, workspace VARCHAR(63));
CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, name VARCHAR(250), user_id VARCHAR(256), status VARCHAR(9),
  start_time BIGINT, end_time BIGINT, deleted_time BIGINT, lifecycle_stage VARCHAR(20), artifact_uri VARCHAR(200),
  experiment_id INTEGER);
CREATE TABLE params (key VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32), PRIMARY KEY (key, run_uuid));
CREATE TABLE tags (key VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32), PRIMARY KEY (key, run_uuid));
CREATE TABLE metrics (key VARCHAR(250), value FLOAT, timestamp BIGINT, run_uuid VARCHAR(32), step BIGINT, is_nan BOOLEAN,
  PRIMARY KEY (key, timestamp, step, run_uuid, value, is_nan));
CREATE TABLE registered_models (name VARCHAR(256), creation_time BIGINT, last_updated_time BIGINT,
  description VARCHAR(5000), workspace VARCHAR(63));
CREATE TABLE registered_model_tags (key VARCHAR(250), value VARCHAR(5000), name VARCHAR(256), workspace VARCHAR(63));
CREATE TABLE registered_model_aliases (alias VARCHAR(256), version INTEGER, name VARCHAR(256), workspace VARCHAR(63));
CREATE TABLE model_versions (name VARCHAR(256), version INTEGER, creation_time BIGINT, last_updated_time BIGINT,
  description VARCHAR(5000), user_id VARCHAR(256), current_stage VARCHAR(20), source VARCHAR(500), run_id VARCHAR(32),
  status VARCHAR(20), status_message VARCHAR(500), run_link VARCHAR(500), storage_location VARCHAR(500),
  workspace VARCHAR(63));
CREATE TABLE trace_info (request_id VARCHAR(50) PRIMARY KEY, experiment_id INTEGER, timestamp_ms BIGINT,
  execution_time_ms BIGINT, status VARCHAR(50));
CREATE TABLE assessments (assessment_id VARCHAR(50) PRIMARY KEY, trace_id VARCHAR(50), name VARCHAR(250),
  assessment_type VARCHAR(50), value TEXT, error TEXT, created_timestamp BIGINT, last_updated_timestamp BIGINT,
  source_type VARCHAR(50), source_id VARCHAR(250), valid BOOLEAN, assessment_metadata TEXT);
CREATE TABLE model_version_tags (key VARCHAR(250), value TEXT, name VARCHAR(256), version INTEGER, workspace VARCHAR(63));
INSERT INTO experiments VALUES (0, 'Default', './mlruns/0', 'active', 1, 2, 'default');
`;

describe('Importing an mlflow.db file', function () {
  this.timeout(60_000);
  let engine: ImportEngine;
  let folder: string;
  let mlflow: BetterSqlite3.Database;
  beforeEach(() => {
    engine = openImportEngine();
    folder = join(engine.folder, 'source');
    mkdirSync(folder);
    mlflow = new BetterSqlite3(join(folder, 'mlflow.db'));
    mlflow.exec(schema);
  });
  afterEach(async () => {
    mlflow.close();
    await engine.close();
  });

  const addRun = (id: string, artifactUri: string, experiment = 0) =>
    mlflow
      .prepare("INSERT INTO runs VALUES (?, 'a run', 'me', 'FINISHED', 10, 20, NULL, 'active', ?, ?)")
      .run(id, artifactUri, experiment);
  const addPoint = (run: string, key: string, value: number | null, step: number | bigint, isNan = 0) =>
    mlflow.prepare('INSERT INTO metrics VALUES (?, ?, 5, ?, ?, ?)').run(key, value, run, step, isNan);
  const pointsOf = (runId: string, key: string) =>
    engine.tracking
      .metricHistory({ runId, key, maxResults: 100, pageToken: '' })
      .items.map(({ step, value }) => [step, value]);

  it('reads what MLflow writes in the place of NaN and the infinities', async () => {
    const run = idOf('1');
    addRun(run, `./mlruns/0/${run}/artifacts`);
    addPoint(run, 'm', 0, 1, 1);
    addPoint(run, 'm', Number.MAX_VALUE, 2);
    addPoint(run, 'm', -Number.MAX_VALUE, 3);
    addPoint(run, 'm', 0.1, 2n ** 62n);
    await engine.importAll(folder);
    assert.deepEqual(pointsOf(run, 'm'), [
      [1, Number.NaN],
      [2, Number.POSITIVE_INFINITY],
      [3, Number.NEGATIVE_INFINITY],
      [2n ** 62n, 0.1],
    ]);
  });

  it('finds artifacts beside the file, in a folder that was moved, and where the person says', async () => {
    const runs = ['1', '2', '3', '4', '5'].map(idOf);
    const [relative = '', moved = '', served = '', elsewhere = '', remote = ''] = runs;
    addRun(relative, `./mlruns/0/${relative}/artifacts`);
    addRun(moved, `file:///old/place/mlruns/0/${moved}/artifacts`);
    addRun(served, `mlflow-artifacts:/0/${served}/artifacts`);
    addRun(elsewhere, `/old/disk/0/${elsewhere}/artifacts`);
    addRun(remote, `s3://bucket/0/${remote}/artifacts`);
    writeFiles(folder, {
      [`mlruns/0/${relative}/artifacts/a`]: 'a',
      [`mlruns/0/${moved}/artifacts/b`]: 'b',
      [`mlartifacts/0/${served}/artifacts/c`]: 'c',
    });
    writeFiles(engine.folder, { [`disk/0/${elsewhere}/artifacts/d/e`]: 'e' });
    const first = await engine.importAll(join(folder, 'mlflow.db'));
    const files = (run: string) =>
      engine.artifacts.list(engine.tracking.run(run).artifactUri, '').map(({ path }) => path);
    assert.deepEqual([relative, moved, served].map(files), [['a'], ['b'], ['c']]);
    assert.equal(engine.tracking.run(remote).artifactUri, `s3://bucket/0/${remote}/artifacts`);
    assert.deepEqual(
      first.omissions.map(({ reason }) => reason),
      ['filesMissing', 'filesRemote'],
    );
    const second = await engine.importAll(folder, [{ from: '/old/disk', to: join(engine.folder, 'disk') }]);
    assert.deepEqual([second.artifacts, files(elsewhere)], [1, ['d']]);
    assert.deepEqual(
      second.omissions.map(({ reason }) => reason),
      ['filesRemote'],
    );
  });

  it('does not read folders that only the file names', async () => {
    const run = idOf('1');
    writeFiles(engine.folder, { 'home/secret': 'x' });
    addRun(run, join(engine.folder, 'home'));
    const report = await engine.importAll(folder);
    assert.deepEqual(
      report.omissions.map(({ reason, values }) => [reason, values]),
      [['filesElsewhere', { location: join(engine.folder, 'home') }]],
    );
    assert.equal(report.artifacts, 0);
  });

  it('keeps apart the names of several workspaces', async () => {
    mlflow.exec(`
      INSERT INTO experiments VALUES (1, 'churn', '', 'active', 1, 2, 'default'), (2, 'churn', '', 'active', 1, 2, 'team-a');
      INSERT INTO registered_models VALUES ('wine', 1, 2, '', 'default'), ('wine', 3, 4, 'theirs', 'team-a');
      INSERT INTO registered_model_tags VALUES ('owner', 'a', 'wine', 'team-a');
      INSERT INTO model_versions (name, version, creation_time, current_stage, source, workspace) VALUES
        ('wine', 1, 1, 'None', 'runs:/x/model', 'default'), ('wine', 1, 2, 'Production', 'runs:/y/model', 'team-a');`);
    addRun(idOf('1'), '', 1);
    addRun(idOf('2'), '', 2);
    await engine.importAll(folder);
    const name = (run: string) => engine.tracking.experiment(engine.tracking.run(run).experimentId).name;
    assert.deepEqual([name(idOf('1')), name(idOf('2'))], ['churn', 'team-a/churn']);
    assert.deepEqual(engine.registry.model('wine').tags, []);
    assert.deepEqual(engine.registry.model('team-a.wine').tags, [{ key: 'owner', value: 'a' }]);
    assert.equal(engine.registry.modelVersion('wine', 1).stage, 'None');
    assert.equal(engine.registry.modelVersion('team-a.wine', 1).stage, 'Production');
  });

  it('takes only what is new, and reports versions that are others here', async () => {
    const run = idOf('1');
    addRun(run, '');
    addPoint(run, 'm', 1, 1);
    engine.registry.createModel('wine', '', []);
    engine.registry.createVersion({
      name: 'wine',
      source: `s3://mine/model`,
      runId: null,
      modelId: null,
      runLink: '',
      description: '',
      tags: [],
    });
    mlflow.exec(`
      INSERT INTO registered_models VALUES ('wine', 1, 2, 'theirs', 'default');
      INSERT INTO model_versions (name, version, creation_time, current_stage, source, workspace) VALUES
        ('wine', 1, 1, 'None', 's3://theirs/1', 'default'), ('wine', 2, 1, 'Staging', 's3://theirs/2', 'default');
      INSERT INTO registered_model_aliases VALUES ('old', 1, 'wine', 'default'), ('new', 2, 'wine', 'default');`);
    const first = await engine.importAll(folder);
    assert.deepEqual(
      first.omissions.map(({ subject, reason }) => [subject, reason]),
      [
        ['registered model wine/description', 'conflict'],
        ['registered model wine/version-1', 'versionTaken'],
        ['registered model wine/aliases/old', 'versionTaken'],
      ],
    );
    assert.equal(engine.registry.modelVersion('wine', 1).source, 's3://mine/model');
    assert.deepEqual(engine.registry.modelVersion('wine', 2).aliases, ['new']);

    addPoint(run, 'm', 2, 2);
    mlflow.exec(`UPDATE model_versions SET current_stage = 'Production' WHERE version = 2;
      UPDATE registered_model_aliases SET version = 2 WHERE alias = 'old';`);
    const second = await engine.importAll(folder);
    assert.deepEqual([second.runs, second.points, second.modelVersions], [0, 1, 1]);
    assert.equal(engine.registry.modelVersion('wine', 2).stage, 'Production');
    assert.deepEqual(
      engine.registry.transitions('wine').map(({ from, to }) => [from, to]),
      [
        ['Staging', 'Production'],
        ['None', 'Staging'],
      ],
    );
    const dump = dumpStore(engine.database);
    engine.database.prepare('DELETE FROM import_parts').run();
    await engine.importAll(folder);
    assert.deepEqual(dumpStore(engine.database), dump);
  });

  it('reads a file whose server died in the middle of a write, or that has a log of its own', async () => {
    addRun(idOf('1'), '');
    mlflow.pragma('journal_mode = WAL');
    addRun(idOf('2'), '');
    assert.equal((await engine.importAll(folder)).runs, 2);
    mlflow.pragma('journal_mode = DELETE');
    // So many rows that SQLite begins to write them before they are committed.
    mlflow.pragma('cache_size = 2');
    mlflow.exec('BEGIN');
    for (let number = 0; number < 2000; number++) addRun(number.toString(16).padStart(32, '0'), '');
    mkdirSync(join(folder, 'died'));
    for (const name of ['mlflow.db', 'mlflow.db-journal']) {
      copyFileSync(join(folder, name), join(folder, 'died', name));
    }
    mlflow.exec('ROLLBACK');
    const [found] = await engine.interop.detect(join(folder, 'died'), unwatched);
    assert.equal(found?.runCount, 2, 'what was not committed does not count');
    assert.equal((await engine.importAll(join(folder, 'died'))).runs, 0);
  });

  it('takes the assessments of a trace, and names those that cannot be read', async () => {
    const trace = `tr-${idOf('1')}`;
    mlflow.prepare("INSERT INTO trace_info VALUES (?, 0, 10, 5, 'OK')").run(trace);
    const add = mlflow.prepare(
      "INSERT INTO assessments VALUES (?, ?, ?, ?, ?, NULL, ?, 12, 'HUMAN', 'me', 1, ?)",
    );
    add.run('a-1', trace, 'quality', 'feedback', '{"score": NaN, "why": "x"}', 11, '{"k": "v"}');
    add.run('a-2', trace, 'answer', 'expectation', '{"y": 1}', 12, null);
    add.run('a-3', trace, 'quality', 'feedback', 'no JSON', 13, null);
    add.run('a-4', trace, 'defect', 'issue', 'null', 14, null);
    add.run('a-5', trace, null, 'feedback', '1', 15, null);
    add.run('a-6', trace, 'quality', 'feedback', '1', 'yesterday', null);
    add.run('a-7', trace, 'quality', 'feedback', '1', 16, '{');
    const report = await engine.importAll(folder);
    assert.equal(report.traces, 1);
    assert.deepEqual(
      engine.tracking.trace(trace).assessments.map(({ name, kind, value }) => [name, kind, value]),
      [
        ['quality', 'feedback', { score: null, why: 'x' }],
        ['answer', 'expectation', { y: 1 }],
      ],
    );
    assert.deepEqual(
      report.omissions.map(({ subject, reason }) => [subject, reason]).sort(),
      ['a-3', 'a-4', 'a-5', 'a-6', 'a-7'].map((id) => [`trace ${trace}/assessments/${id}`, 'unreadable']),
    );
    const second = await engine.importAll(folder);
    assert.deepEqual([second.traces, second.omissions], [0, report.omissions]);
  });

  it('says when the file is none of MLflow, or broken', async () => {
    const other = new BetterSqlite3(join(folder, 'other.db'));
    other.exec('CREATE TABLE runs (id)');
    other.close();
    await assert.rejects(engine.importAll(join(folder, 'other.db')), /found \[\]/);
    writeFiles(folder, { 'broken.db': `SQLite format 3\0${'x'.repeat(5000)}` });
    await assert.rejects(engine.importAll(join(folder, 'broken.db')), /broken\.db cannot be imported/);
    renameSync(join(folder, 'broken.db'), join(folder, 'gone.db'));
    await assert.rejects(engine.importAll(join(folder, 'broken.db')), /no such file/);
  });
});
