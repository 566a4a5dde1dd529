import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installOnce } from '../../toolchain/installOnce.ts';

describe('a folder that is installed once', () => {
  let cache = '';
  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'slipway-cache-'));
  });
  afterEach(() => rm(cache, { recursive: true, force: true }));

  const fill = (text: string) => (partial: string) => writeFile(join(partial, 'tool'), text);

  it('is filled the first time and kept afterwards', async () => {
    const folder = join(cache, 'tool-1');
    await installOnce(folder, fill('first'));
    await installOnce(folder, fill('second'));
    assert.equal(await readFile(join(folder, 'tool'), 'utf8'), 'first');
    assert.deepEqual(await readdir(cache), ['tool-1']);
  });

  it('does not appear at all when filling it fails, and can be tried again', async () => {
    const folder = join(cache, 'tool-1');
    const failing = async (partial: string): Promise<void> => {
      await fill('half')(partial);
      throw new Error('no network');
    };
    await assert.rejects(installOnce(folder, failing), /no network/);
    assert.deepEqual(await readdir(cache), []);
    await installOnce(folder, fill('whole'));
    assert.equal(await readFile(join(folder, 'tool'), 'utf8'), 'whole');
  });

  it('is left as it is when another process installed it meanwhile', async () => {
    const folder = join(cache, 'tool-1');
    await installOnce(folder, async (partial) => {
      await fill('slower')(partial);
      await mkdir(folder);
      await fill('faster')(folder);
    });
    assert.equal(await readFile(join(folder, 'tool'), 'utf8'), 'faster');
    assert.deepEqual(await readdir(cache), ['tool-1']);
  });
});
