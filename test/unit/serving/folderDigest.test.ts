import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFolderDigests, folderDigest } from '../../../src/engine/serving/folderDigest.ts';
import { removeFolder, temporaryFolder } from '../../scorer/scorerProcess.ts';

describe('the digest of a folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
    mkdirSync(join(folder, 'code'));
    writeFileSync(join(folder, 'MLmodel'), 'flavors: {}\n');
    writeFileSync(join(folder, 'code', 'rules.py'), 'print(1)\n');
  });
  afterEach(() => removeFolder(folder));

  it('is the same at once and without haste, and another one for other paths and contents', async () => {
    const before = createFolderDigests().atOnce(folder);
    assert.equal(await folderDigest(folder), before);
    const seen = new Set([before]);
    writeFileSync(join(folder, 'code', 'rules.py'), 'print(2)\n');
    seen.add(await folderDigest(folder));
    writeFileSync(join(folder, 'more'), '');
    seen.add(await folderDigest(folder));
    symlinkSync('more', join(folder, 'link'));
    seen.add(await folderDigest(folder));
    assert.equal(seen.size, 4);
  });

  it('is known at once of large files only after they were read without haste', async () => {
    const digests = createFolderDigests(20);
    assert.equal(digests.atOnce(folder), null);
    const digest = await digests.of(folder);
    assert.equal(digests.atOnce(folder), digest);
    writeFileSync(join(folder, 'MLmodel'), 'flavors: {a: 1}\n');
    assert.equal(digests.atOnce(folder), null);
  });

  it('lets everything else go on while large files are read', async () => {
    const bytes = 64 * 1024 * 1024;
    writeFileSync(join(folder, 'weights'), Buffer.alloc(bytes));
    const digests = createFolderDigests();
    let turns = 0;
    const counting = setInterval(() => {
      turns += 1;
    }, 0);
    const [digest, again] = await Promise.all([digests.of(folder), digests.of(folder)]);
    clearInterval(counting);
    assert.equal(digest, again);
    assert.ok(turns > 2, `${turns} turns`);
  });
});
