import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { createDataDigests } from '../../src/engine/provenance/dataDigests.ts';
import { openProvenanceStage, type ProvenanceStage } from './provenanceStage.ts';

describe('the data that runs name', () => {
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
  const place = (name: string) => join(repository.folder, name);
  const write = (name: string, content: string) => {
    mkdirSync(join(place(name), '..'), { recursive: true });
    repository.write(name, content);
  };
  /** The files of a run of a program with these arguments. */
  const filesOf = async (...args: readonly string[]) => {
    const program = createHash('md5').update(args.join('\0')).digest('hex');
    await tell({ program, command: ['python', 'train.py', ...args] });
    return (await made(await createRun(program))).files;
  };
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

  it('reads regular files of this machine only, each once', async () => {
    const file = (name: string) => join(repository.folder, name);
    repository.write('data.csv', 'x');
    mkdirSync(file('folder'));
    // Whoever opens one waits until somebody writes.
    if (process.platform !== 'win32') execFileSync('mkfifo', [file('pipe')]);
    const command = ['python', 'train.py', 'data.csv', '--data=data.csv', 'folder', 'pipe', 'none.csv', ''];
    await tell({ command });
    const runId = await createRun();
    for (const [index, uri] of [
      '//host/share/x',
      '\\\\host\\share\\x',
      'file://host/x',
      's3://b/x',
      'a\0b',
    ].entries()) {
      await engine.call('POST', '/runs/log-inputs', {
        run_id: runId,
        datasets: [
          {
            dataset: {
              name: `d${index}`,
              digest: '1',
              source_type: 'local',
              source: JSON.stringify({ uri }),
            },
          },
        ],
      });
    }
    assert.deepEqual(
      (await made(runId)).files.map(({ path, size }) => [path, size]),
      [[file('data.csv'), 1]],
    );
  });

  it('does not read a file through that is too large, but knows its size', async () => {
    const size = 3 * 1024 * 1024 * 1024;
    repository.write('huge.bin', '');
    truncateSync(join(repository.folder, 'huge.bin'), size);
    await tell({ command: ['python', 'train.py', 'huge.bin'] });
    const { files } = await made(await createRun());
    assert.deepEqual(
      files.map((file) => [file.size, file.digest]),
      [[size, null]],
    );
  });

  it('takes a file as it is when the run begins', async () => {
    repository.write('data.csv', 'one');
    await tell({ command: ['python', 'train.py', 'data.csv'] });
    const [first] = (await made(await createRun())).files;
    repository.write('new.csv', 'two');
    renameSync(join(repository.folder, 'new.csv'), join(repository.folder, 'data.csv'));
    const [second] = (await made(await createRun())).files;
    assert.notEqual(second?.digest, first?.digest);
    assert.equal(second?.size, first?.size);
  });

  it('reads folders through, by the names, sizes and contents of their files', async () => {
    for (const name of ['one/b.csv', 'one/a/x.csv', 'one/a.csv']) write(name, name.slice(4));
    for (const name of ['two/a.csv', 'two/a/x.csv', 'two/b.csv']) write(name, name.slice(4));
    const lines = ['a.csv', 'a/x.csv', 'b.csv'].map((name) => `${name}\0${name.length}\0${sha256(name)}\n`);
    const digest = sha256(lines.join(''));
    const extent = { size: 17, fileCount: 3, digest, isTooLarge: false };
    assert.deepEqual(await filesOf('one', `--more=${place('two')}`), [
      { path: place('one'), origin: 'argument', ...extent },
      { path: place('two'), origin: 'argument', ...extent },
    ]);
    const digestNow = async () => (await filesOf('two'))[0]?.digest;
    assert.equal(await digestNow(), digest);
    write('two/b.csv', 'B.csv');
    const changed = await digestNow();
    write('two/b.csv', 'b.csv');
    assert.equal(await digestNow(), digest);
    renameSync(place('two/b.csv'), place('two/c.csv'));
    const renamed = await digestNow();
    assert.equal(new Set([digest, changed, renamed]).size, 3);
  });

  it('reads what links lead to, and ends where they lead in a circle', async function () {
    if (process.platform === 'win32') this.skip();
    write('data/a.csv', 'a');
    write('elsewhere/b.csv', 'b');
    symlinkSync('../elsewhere', place('data/linked'));
    symlinkSync('../data', place('elsewhere/back'));
    symlinkSync('../elsewhere/b.csv', place('data/b.csv'));
    execFileSync('mkfifo', [place('data/pipe')]);
    const lines = ['a.csv', 'b.csv', 'linked/b.csv'].map((name) => {
      const content = name.at(-5) ?? '';
      return `${name}\0${1}\0${sha256(content)}\n`;
    });
    const [folder] = await filesOf('data');
    assert.deepEqual([folder?.fileCount, folder?.digest], [3, sha256(lines.join(''))]);
  });

  it('says of a folder that it is too large, and does not read it', async () => {
    write('large/huge.bin', '');
    truncateSync(place('large/huge.bin'), 3 * 1024 * 1024 * 1024);
    for (let index = 0; index <= 10_000; index += 1) write(`many/${index}`, '');
    assert.deepEqual(
      (await filesOf('large', 'many')).map(({ path, digest, isTooLarge }) => [path, digest, isTooLarge]),
      [
        [place('large'), null, true],
        [place('many'), null, true],
      ],
    );
  });

  it('makes no digest of a folder of which it cannot read a part', async function () {
    if (process.platform === 'win32') this.skip();
    write('data/a.csv', 'a');
    symlinkSync('nowhere', place('data/b.csv'));
    const [folder] = await filesOf('data');
    assert.deepEqual([folder?.digest, folder?.isTooLarge], [null, false]);
  });

  it('looks at data once for all runs that began before it looked', async () => {
    write('data/a.csv', 'a');
    const digests = createDataDigests();
    const digestSince = async (since: number) =>
      (await digests.digestOf(place('data'), since, new AbortController().signal))?.digest;
    const before = performance.now();
    const first = await digestSince(before);
    write('data/a.csv', 'b');
    assert.equal(await digestSince(before), first);
    assert.notEqual(await digestSince(performance.now()), first);
  });

  it('takes no folder for data in which the program itself lies', async () => {
    write('package/__main__.py', '');
    write('package/data.csv', 'x');
    await tell({
      entry_point: place('package/__main__.py'),
      command: ['python', '-m', 'package', '.', '..', '/', 'package/data.csv'],
    });
    const { files } = await made(await createRun());
    assert.deepEqual(
      files.map(({ path }) => path),
      [place('package/data.csv')],
    );
  });
});
