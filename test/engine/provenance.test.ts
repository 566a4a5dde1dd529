import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, parse } from 'node:path';
import { textAt } from './answers.ts';
import { openProvenanceStage, type ProvenanceStage, program } from './provenanceStage.ts';
import { openTrackingEngine, type TrackingEngine } from './trackingEngine.ts';

describe('provenance', () => {
  let stage: ProvenanceStage;
  let engine: ProvenanceStage['engine'];
  let repository: ProvenanceStage['repository'];

  beforeEach(async () => {
    stage = await openProvenanceStage();
    ({ engine, repository } = stage);
  });
  afterEach(() => stage.close());

  const tell: ProvenanceStage['tell'] = (fields) => stage.tell(fields);
  const createRun: ProvenanceStage['createRun'] = (header) => stage.createRun(header);
  const made: ProvenanceStage['made'] = (runId) => stage.made(runId);
  const commitAll = () => {
    repository.git('add', '.');
    repository.git('commit', '--quiet', '--message=next');
    return repository.git('rev-parse', 'HEAD');
  };
  const count = (table: string) =>
    engine.database.prepare<[], { readonly n: number }>(`SELECT COUNT(*) AS n FROM ${table}`).get()?.n;

  it('knows a run whose program told of itself later, as when the engine was still starting', async () => {
    repository.write('train.py', '');
    const commit = commitAll();
    const first = await createRun();
    assert.equal((await made(first)).program, null);
    assert.equal(await tell(), 200);
    assert.equal((await made(first)).code?.commit, commit);
    assert.equal((await made(first)).program?.pythonVersion, '3.13.2');
  });

  it('tells that more is known of a run, where there is no code too', async () => {
    const runId = await createRun();
    await tell({ entry_point: null, folder: parse(repository.folder).root });
    assert.equal((await made(runId)).code, null);
    assert.deepEqual(stage.told, [runId]);
  });

  it('keeps the first report of a program', async () => {
    await tell();
    await tell({ python_version: '2.7' });
    assert.equal((await made(await createRun())).program?.pythonVersion, '3.13.2');
  });

  it('takes no report and no name that are none', async () => {
    for (const fields of [{ program: 'x' }, { kind: 'virus' }, { command: 'rm' }, { folder: '' }]) {
      assert.equal(await tell(fields), 400, JSON.stringify(fields));
    }
    assert.equal((await made(await createRun("x'; DROP TABLE runs"))).program, null);
    assert.equal(count('programs'), 0);
  });

  it('knows what changed: renamed, deleted, with spaces, in other folders, not told to git yet', async () => {
    mkdirSync(join(repository.folder, 'a folder'));
    for (const file of ['train.py', 'old name.py', 'gone.py', 'a folder/über.py'])
      repository.write(file, `${file}\n`);
    commitAll();
    repository.git('mv', 'old name.py', 'new name.py');
    repository.write('a folder/über.py', 'changed\n');
    repository.write('a folder/added.py', 'print(1)\n');
    rmSync(join(repository.folder, 'gone.py'));
    await tell();
    const runId = await createRun();
    assert.deepEqual((await made(runId)).code?.changedFiles.toSorted(), [
      'a folder/added.py',
      'a folder/über.py',
      'gone.py',
      'new name.py',
    ]);
    const text = engine.provenance.changes(runId)?.text ?? '';
    for (const line of ['rename to new name.py', '+++ b/a folder/über.py', '+print(1)', '-gone.py']) {
      assert.ok(text.includes(line), `${line} in\n${text}`);
    }
  });

  it('knows a clean work tree, one without a commit, and one without a branch', async () => {
    repository.write('train.py', '');
    await tell();
    const unborn = await made(await createRun());
    assert.equal(unborn.code?.commit, null);
    assert.equal(unborn.code?.branch, 'main');

    const commit = commitAll();
    repository.git('checkout', '--quiet', '--detach');
    await tell({ program: 'a'.repeat(32) });
    const runId = await createRun('a'.repeat(32));
    const { code } = await made(runId);
    assert.deepEqual(
      { ...code, root: '' },
      {
        root: '',
        commit,
        branch: null,
        repository: null,
        changedFiles: [],
        changedFileCount: 0,
        hasChanges: false,
      },
    );
    assert.equal(engine.provenance.changes(runId), null);
  });

  it('runs none of the programs that a repository names', async () => {
    repository.write('train.py', 'a\n');
    repository.write('.gitattributes', '*.py diff=evil\n');
    commitAll();
    const mark = join(repository.folder, '..', `mark-${process.pid}`);
    const evil = `touch ${mark}; cat`;
    for (const name of [
      'diff.external',
      'diff.evil.command',
      'diff.evil.textconv',
      'core.fsmonitor',
      'core.pager',
    ]) {
      repository.git('config', name, evil);
    }
    repository.write('train.py', 'b\n');
    await tell();
    const runId = await createRun();
    await engine.provenance.settled();
    assert.match(engine.provenance.changes(runId)?.text ?? '', /^\+b$/m);
    assert.throws(() => realpathSync(mark), /ENOENT/);
  });

  it('keeps as much of the changes as fits, and says so', async () => {
    repository.write('train.py', 'a\n');
    commitAll();
    repository.write('train.py', 'a long line of code\n'.repeat(100_000));
    repository.write('other.py', 'x\n');
    await tell();
    const runId = await createRun();
    assert.equal((await made(runId)).code?.changedFileCount, 2);
    const changes = engine.provenance.changes(runId);
    assert.equal(changes?.complete, false);
    assert.ok(changes.text.endsWith('code\n') && changes.text.length <= 1024 * 1024);
  });

  it('looks where the program was started when its script is an installed tool', async () => {
    repository.write('a', '');
    const commit = commitAll();
    const tool = join(tmpdir(), 'venv', 'bin', 'torchrun');
    await tell({ entry_point: tool, prefix: join(tmpdir(), 'venv') });
    assert.equal((await made(await createRun())).code?.commit, commit);
  });

  it('records runs although git hangs, and ends it with the engine', async function () {
    if (process.platform === 'win32') this.skip();
    const folder = mkdtempSync(join(tmpdir(), 'slipway-git-'));
    writeFileSync(join(folder, 'git'), '#!/bin/sh\nexec sleep 300\n');
    chmodSync(join(folder, 'git'), 0o755);
    const path = process.env.PATH;
    process.env.PATH = `${folder}${delimiter}${path}`;
    try {
      const hanging = await openTrackingEngine();
      await tellTo(hanging, stage.report());
      const { body } = await hanging.call('POST', '/runs/create', { experiment_id: '0' });
      assert.equal(textAt(body, 'run.info.status'), 'RUNNING');
      hanging.provenance.runCreated(textAt(body, 'run.info.run_id'), program);
      await hanging.close();
    } finally {
      process.env.PATH = path;
      rmSync(folder, { recursive: true });
    }
  });

  it('names packages as they are searched for, the first of each name on the search path', async () => {
    const place = (name: string) => join(repository.folder, name);
    for (const folder of [
      'one/scikit_learn-1.9.1.dist-info',
      'one/ruamel.yaml-0.18.dist-info',
      'one/not a package',
      'two/scikit_learn-0.1.dist-info',
      'two/old_style-2.0-py3.11.egg-info',
      'two/~broken-1.0.dist-info.tmp',
    ]) {
      mkdirSync(place(folder), { recursive: true });
    }
    await tell({ search_path: ['', place('one'), place('two'), place('none'), place('python313.zip')] });
    const runId = await createRun();
    await engine.provenance.settled();
    assert.deepEqual(engine.provenance.packages(runId), [
      { name: 'old-style', version: '2.0' },
      { name: 'ruamel-yaml', version: '0.18' },
      { name: 'scikit-learn', version: '1.9.1' },
    ]);
  });

  it('goes with the runs that are deleted for good, and keeps what others need', async () => {
    repository.write('train.py', 'a\n');
    commitAll();
    repository.write('train.py', 'b\n');
    await tell();
    const [first, second] = [await createRun(), await createRun()];
    await engine.provenance.settled();
    const remove = engine.database.prepare<[string], never>('DELETE FROM runs WHERE run_uuid = ?');
    remove.run(first);
    assert.deepEqual([count('run_programs'), count('provenance_texts')], [1, 3]);
    remove.run(second);
    assert.deepEqual([count('run_programs'), count('provenance_texts')], [0, 2]);

    engine.provenance.forgetIdlePrograms();
    assert.equal(count('programs'), 1);
    engine.database.prepare('UPDATE programs SET creation_time = 0').run();
    engine.provenance.forgetIdlePrograms();
    assert.deepEqual([count('programs'), count('provenance_texts')], [0, 0]);
  });

  it('leaves the tags that the client wrote', async () => {
    repository.write('train.py', '');
    commitAll();
    await tell();
    const answer = await engine.fetch('/api/2.0/mlflow/runs/create', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-slipway-program': program },
      body: JSON.stringify({
        experiment_id: '0',
        tags: [{ key: 'mlflow.source.git.commit', value: 'mine' }],
      }),
    });
    const runId = textAt(await answer.json(), 'run.info.run_id');
    await engine.provenance.settled();
    const { tags } = engine.tracking.wholeRun(runId);
    assert.equal(tags.find(({ key }) => key === 'mlflow.source.git.commit')?.value, 'mine');
    assert.equal(tags.find(({ key }) => key === 'mlflow.source.git.branch')?.value, 'main');
  });
});

async function tellTo(engine: TrackingEngine, body: object): Promise<void> {
  await engine.fetch('/api/2.0/slipway/programs', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}
