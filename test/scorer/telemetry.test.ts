import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { linearModel } from '../fixtures/onnxFile.ts';
import { removeFolder, startScorerProcess, temporaryFolder } from './scorerProcess.ts';

describe('The runtime of models', () => {
  it('keeps nothing to tell its makers', async function () {
    if (process.platform !== 'linux') this.skip();
    const folder = await temporaryFolder();
    // Where it sees that tests run, it would be silent by itself.
    const { CI } = process.env;
    delete process.env.CI;
    const scorer = await startScorerProcess(folder, linearModel());
    if (CI !== undefined) process.env.CI = CI;
    const open = `/proc/${scorer.process.pid}/fd`;
    const files = readdirSync(open).map((name) => readlinkSync(`${open}/${name}`));
    assert.ok(files.length > 0);
    assert.deepEqual(
      files.filter((file) => file.includes('onnxruntime.db')),
      [],
    );
    await scorer.drain();
    await removeFolder(folder);
  });
});
