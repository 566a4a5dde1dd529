import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importedRuns } from '../../interop/importedRuns.ts';
import { type ImportEngine, openImportEngine, unwatched } from '../importEngine.ts';
import { dumpStore } from '../storeDump.ts';

/** The experiments are made with Git alone, in the way of DVC: commits that `refs/exps` names after where they began. */
describe('Experiments that DVC keeps in Git', function () {
  this.timeout(60_000);
  let engine: ImportEngine;
  let project: string;
  let baseline: string;
  beforeEach(() => {
    engine = openImportEngine();
    project = join(engine.folder, 'source', 'bikes');
    mkdirSync(join(project, '.dvc'), { recursive: true });
    git('init', '-q', '.');
    write({ 'dvc.yaml': 'metrics: [metrics.json]\nparams: [params.yaml]\n', 'train.py': '' });
    baseline = commit();
  });
  afterEach(() => engine.close());

  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=nobody', '-c', 'user.email=nobody@example.invalid', ...args], {
      cwd: project,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    }).trim();
  const gitWith = (input: Uint8Array, ...args: readonly string[]) =>
    execFileSync('git', [...args], { cwd: project, encoding: 'utf8', input }).trim();
  const write = (files: Readonly<Record<string, string>>) => {
    for (const [path, content] of Object.entries(files)) writeFileSync(join(project, path), content);
  };
  const commit = () => {
    git('add', '-A');
    git('commit', '-q', '--allow-empty', '-m', 'kept');
    return git('rev-parse', 'HEAD');
  };
  const name = (experiment: string, id: string) =>
    git('update-ref', `refs/exps/${baseline.slice(0, 2)}/${baseline.slice(2)}/${experiment}`, id);
  /** Keeps files as an experiment, and goes back to where it began. */
  const keep = (experiment: string, files: Readonly<Record<string, string>>) => {
    write(files);
    const id = commit();
    name(experiment, id);
    git('reset', '-q', '--hard', baseline);
    return id;
  };
  const runs = () => importedRuns(engine, 'bikes');

  it('come in while the source is kept in sync, those that are packed too', async () => {
    keep('first', { 'metrics.json': '{"auc": 0.5}', 'params.yaml': 'lr: 0.1' });
    git('pack-refs', '--all');
    const source = { kind: 'dvc', path: project } as const;
    await engine.interop.import({ ...source, remaps: [], keepInSync: true }, unwatched);
    assert.deepEqual(Object.keys(runs()), ['first']);
    keep('second', { 'metrics.json': '{"auc": 0.75}', 'params.yaml': 'lr: 0.2' });
    while (runs().second === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    await engine.interop.stopSync(source);
    assert.deepEqual(runs().first?.params, { lr: '0.1' });
    assert.deepEqual(runs().second?.metrics, { auc: [[0, 0.75]] });
  });

  it('stay apart when they came to the same', async () => {
    const files = { 'metrics.json': '{"auc": 0.5}', 'params.yaml': 'lr: 0.1' };
    keep('one', files);
    keep('two', { ...files, 'train.py': 'pass' });
    await engine.importAll(project);
    const { one, two } = runs();
    assert.deepEqual([one?.metrics, two?.metrics], [{ auc: [[0, 0.5]] }, { auc: [[0, 0.5]] }]);
    const before = dumpStore(engine.database);
    await engine.importAll(project);
    assert.deepEqual(dumpStore(engine.database), before);
  });

  it('are counted where there is no git', async () => {
    keep('first', { 'metrics.json': '{"auc": 0.5}' });
    const { PATH } = process.env;
    process.env.PATH = join(engine.folder, 'nothing');
    try {
      const { runs: count, omissions } = await engine.importAll(project);
      assert.equal(count, 0);
      const detail = 'experiments that DVC keeps in Git (1), because git could not list them';
      assert.deepEqual(omissions.at(-1), { subject: 'bikes', reason: 'notSupported', values: { detail } });
    } finally {
      process.env.PATH = PATH;
    }
  });

  it('let nothing be run that the repository names, and nothing be written elsewhere', async () => {
    const id = keep('first', { 'metrics.json': '{"auc": 0.5}', 'params.yaml': 'lr: 0.1' });
    const marker = join(engine.folder, 'was-run');
    const script = join(project, 'hostile.sh');
    writeFileSync(script, `#!/bin/sh\ntouch '${marker}'\n`, { mode: 0o755 });
    // An object that is to be fetched from where the repository says, with the program that it names.
    const object = git('rev-parse', `${id}:metrics.json`);
    rmSync(join(project, '.git', 'objects', object.slice(0, 2), object.slice(2)));
    git('config', 'core.repositoryformatversion', '1');
    git('config', 'extensions.partialClone', 'origin');
    git('config', 'remote.origin.url', project);
    git('config', 'remote.origin.promisor', 'true');
    git('config', 'remote.origin.uploadpack', script);
    git('config', 'core.fsmonitor', script);
    git('config', 'core.sshCommand', script);
    git('config', 'protocol.allow', 'always');
    // A tree that leads out of the folder it is written to.
    const escaping = gitWith(Buffer.from('{"auc": 0.25}'), 'hash-object', '-w', '--stdin');
    const bytes = Buffer.concat([Buffer.from('100644 metrics.json\0'), Buffer.from(escaping, 'hex')]);
    const inner = gitWith(bytes, 'hash-object', '-t', 'tree', '--literally', '-w', '--stdin');
    const above = Buffer.concat([Buffer.from('40000 ..\0'), Buffer.from(inner, 'hex')]);
    const outer = gitWith(above, 'hash-object', '-t', 'tree', '--literally', '-w', '--stdin');
    name('escaping', git('commit-tree', '-m', 'x', outer));

    const { omissions } = await engine.importAll(project);
    assert.ok(!existsSync(marker), 'a program of the repository was run');
    const subjects = omissions.map(({ subject, reason }) => [subject, reason]);
    for (const expected of [
      ['experiment first/dvc.yaml/metrics/metrics.json', 'filesMissing'],
      ['experiment escaping/../metrics.json', 'leadsOutside'],
    ]) {
      assert.ok(
        subjects.some((found) => found.join() === expected.join()),
        JSON.stringify(omissions),
      );
    }
    assert.deepEqual(readdirSync(join(engine.folder, 'source')), ['bikes']);
  });
});
