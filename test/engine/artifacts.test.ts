import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { type ArtifactStore, createArtifactStore } from '../../src/engine/tracking/artifacts.ts';
import { SlipwayError } from '../../src/protocol/errors.ts';
import { evilPaths } from './artifactsCorpus.ts';

describe('artifact store', () => {
  let folder: string;
  let root: string;
  let store: ArtifactStore;

  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-artifacts-')));
    root = join(folder, 'artifacts');
    store = createArtifactStore(root);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const write = (path: string, content: string) => store.write(path, Readable.from([content]));

  it('gives back what was written, and makes the folders above it', async () => {
    await write('1/run/artifacts/dir/a b.txt', 'hello');
    const file = store.open('1/run/artifacts/dir/a b.txt');
    assert.equal(file.name, 'a b.txt');
    assert.equal(file.size, 5);
    assert.equal(await text(file.content), 'hello');
    assert.equal(
      store.resolve('mlflow-artifacts:/1/run/artifacts', 'dir/a b.txt'),
      join(root, '1/run/artifacts/dir/a b.txt'),
    );
  });

  it('replaces a file, and takes an empty one', async () => {
    await write('a', 'first');
    await write('a', '');
    assert.equal(await text(store.open('a').content), '');
  });

  it('lists by name, relative to the URI, without what is not an artifact', async () => {
    await write('1/run/artifacts/b/c.txt', 'xy');
    await write('1/run/artifacts/a.txt', 'x');
    const uri = 'mlflow-artifacts:/1/run/artifacts';
    assert.deepEqual(store.list(uri, ''), [
      { path: 'a.txt', isDirectory: false, size: 1 },
      { path: 'b', isDirectory: true, size: 0 },
    ]);
    assert.deepEqual(store.list(uri, 'b'), [{ path: 'b/c.txt', isDirectory: false, size: 2 }]);
    assert.deepEqual(store.list(uri, 'b/c.txt'), []);
    assert.deepEqual(store.list(uri, 'missing'), []);
    assert.deepEqual(
      store.list('mlflow-artifacts:/', '').map(({ path }) => path),
      ['1'],
    );
  });

  it('leaves nothing of a write that broke off', async () => {
    await write('a', 'before');
    const broken = Readable.from(
      (async function* () {
        yield 'part';
        throw new Error('connection lost');
      })(),
    );
    await assert.rejects(store.write('a', broken), /connection lost/);
    assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'before');
    assert.deepEqual(readdirSync(join(root, '.uploads')), []);
  });

  it('keeps uploads to itself, and removes those that a day ago were never finished', async () => {
    const uploads = join(root, '.uploads');
    mkdirSync(uploads, { recursive: true });
    writeFileSync(join(uploads, 'old'), '');
    writeFileSync(join(uploads, 'new'), '');
    utimesSync(join(uploads, 'old'), new Date(0), new Date(0));
    await write('a', '');
    assert.deepEqual(readdirSync(uploads), ['new']);
    if (process.platform !== 'win32') assert.equal(statSync(join(root, 'a')).mode & 0o077, 0);
    assert.throws(() => store.open('.uploads/new'), { kind: 'invalidParameter' });
    assert.deepEqual(
      store.list('mlflow-artifacts:/', '').map(({ path }) => path),
      ['a'],
    );
  });

  it('takes writes again after somebody cleared the store away', async () => {
    await write('a', 'first');
    rmSync(root, { recursive: true });
    await write('a', 'second');
    assert.equal(await text(store.open('a').content), 'second');
  });

  it('removes files and folders, but never the root', async () => {
    await write('a/b/c', '');
    store.remove('a/b');
    assert.ok(existsSync(join(root, 'a')));
    assert.ok(!existsSync(join(root, 'a/b')));
    store.remove('a/b');
    for (const path of ['', '.', './']) assert.throws(() => store.remove(path), SlipwayError);
    assert.ok(existsSync(root));
  });

  it('says what is wrong with a path that is taken by the other kind', async () => {
    await write('file', '');
    await write('folder/x', '');
    await assert.rejects(write('file/x', ''), { kind: 'invalidParameter' });
    await assert.rejects(write('folder', ''), { kind: 'invalidParameter' });
    store.remove('file/x');
    assert.ok(existsSync(join(root, 'file')));
    assert.throws(() => store.open('file/x'), { kind: 'notFound' });
    assert.throws(() => store.open('folder'), { kind: 'notFound' });
    assert.throws(() => store.open('missing'), { kind: 'notFound' });
  });

  for (const path of evilPaths) {
    it(`refuses ${JSON.stringify(path)}`, async () => {
      assert.throws(() => store.open(path), { kind: 'invalidParameter' });
      assert.throws(() => store.remove(path), { kind: 'invalidParameter' });
      assert.throws(() => store.list('mlflow-artifacts:/1', path), { kind: 'invalidParameter' });
      await assert.rejects(write(path, 'x'), { kind: 'invalidParameter' });
      assert.deepEqual(readdirSync(folder), existsSync(root) ? ['artifacts'] : []);
    });
  }

  for (const uri of [
    'file:///etc',
    '/etc',
    'mlflow-artifacts://host/1',
    'mlflow-artifacts:1',
    'mlflow-artifacts:/1/../../etc',
    'mlflow-artifacts:////etc',
    'mlflow-artifacts:/1#/../etc',
    'http://host/api/2.0/mlflow-artifacts/artifacts/1',
    '',
  ]) {
    it(`refuses the location ${JSON.stringify(uri)}`, () => {
      assert.throws(() => store.resolve(uri), { kind: 'invalidParameter' });
    });
  }

  it('never resolves outside of its root', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '..',
        '.',
        '/',
        '\\',
        '%2e',
        '%2f',
        '%5c',
        '%25',
        '\0',
        ':',
        'C:',
        '#',
        '?',
        ';',
        '//',
        ' ',
      ),
      fc.string({ maxLength: 6, unit: 'grapheme' }),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 12 }),
        fc.array(piece, { maxLength: 6 }),
        (uriParts, pathParts) => {
          let resolved: string;
          try {
            resolved = store.resolve(`mlflow-artifacts:/${uriParts.join('')}`, pathParts.join(''));
          } catch (error) {
            assert.ok(error instanceof SlipwayError && error.kind === 'invalidParameter');
            return;
          }
          assert.ok(resolved === root || resolved.startsWith(root + sep));
          assert.ok(!resolved.slice(root.length).split(sep).includes('..'));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('takes every ordinary path and gives it back from a list', async () => {
    const segment = fc
      .stringMatching(/^[\p{L}\p{N}_ ()&=+@!,~$-][\p{L}\p{N}_ ()&=+@!,~$.-]{0,20}[\p{L}\p{N}_]$/u)
      .filter((name) => name === name.normalize('NFC'));
    await fc.assert(
      fc.asyncProperty(fc.array(segment, { minLength: 1, maxLength: 4 }), async (segments) => {
        const path = ['run', ...segments].join('/');
        await write(path, path);
        assert.equal(await text(store.open(path).content), path);
        const listed = store.list('mlflow-artifacts:/run', segments.slice(0, -1).join('/'));
        assert.ok(listed.some((entry) => entry.path === segments.join('/')));
        store.remove('run');
      }),
      { numRuns: 60 },
    );
  });

  describe('with symbolic links', () => {
    beforeEach(async function () {
      await write('1/inside.txt', 'inside');
      mkdirSync(join(folder, 'outside'));
      writeFileSync(join(folder, 'outside/secret.txt'), 'secret');
      try {
        symlinkSync(join(folder, 'outside'), join(root, '1/out'));
      } catch {
        // Windows lets only some users make links.
        this.skip();
      }
      symlinkSync(join(folder, 'outside/secret.txt'), join(root, '1/secret.txt'));
      symlinkSync(join(root, '1/inside.txt'), join(root, '1/alias.txt'));
      symlinkSync(join(folder, 'missing'), join(root, '1/broken'));
      symlinkSync(join(root, '1/loop'), join(root, '1/loop'));
    });

    it('follows none that leads out, for reading, writing, removing or listing', async () => {
      for (const path of [
        '1/secret.txt',
        '1/out/secret.txt',
        '1/out',
        '1/out/new/file',
        '1/broken',
        '1/broken/x',
        '1/loop',
      ]) {
        assert.throws(() => store.open(path), { kind: 'invalidParameter' }, path);
        assert.throws(() => store.remove(path), { kind: 'invalidParameter' }, path);
        assert.throws(() => store.list('mlflow-artifacts:/', path), { kind: 'invalidParameter' }, path);
        await assert.rejects(write(path, 'x'), { kind: 'invalidParameter' }, path);
      }
      assert.equal(readFileSync(join(folder, 'outside/secret.txt'), 'utf8'), 'secret');
      assert.deepEqual(readdirSync(join(folder, 'outside')), ['secret.txt']);
      assert.ok(!existsSync(join(folder, 'missing')));
    });

    it('lists only what stays inside', () => {
      assert.deepEqual(
        store.list('mlflow-artifacts:/1', '').map(({ path }) => path),
        ['alias.txt', 'inside.txt'],
      );
    });

    it('follows one that stays inside', async () => {
      assert.equal(await text(store.open('1/alias.txt').content), 'inside');
    });

    it('works in a store that itself lies behind a link', async () => {
      symlinkSync(root, join(folder, 'linked'));
      const linked = createArtifactStore(join(folder, 'linked'));
      assert.equal(await text(linked.open('1/inside.txt').content), 'inside');
      assert.throws(() => linked.open('1/secret.txt'), { kind: 'invalidParameter' });
    });

    it('removes a link, not what it leads to', () => {
      store.remove('1/alias.txt');
      assert.ok(existsSync(join(root, '1/inside.txt')));
    });
  });
});
