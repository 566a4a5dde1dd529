import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { linearModel } from '../fixtures/onnxFile.ts';
import { type RunningScorer, removeFolder, startScorerProcess, temporaryFolder } from './scorerProcess.ts';

describe('The runtime of models', () => {
  let folder: string;
  let scorer: RunningScorer;
  before(async function () {
    if (process.platform !== 'linux') this.skip();
    folder = await temporaryFolder();
    // Where it sees that tests run, it would be silent by itself.
    const { CI } = process.env;
    delete process.env.CI;
    try {
      scorer = await startScorerProcess(folder, linearModel());
    } finally {
      if (CI !== undefined) process.env.CI = CI;
    }
  });
  after(async () => {
    await scorer?.drain();
    if (folder) await removeFolder(folder);
  });

  it('keeps nothing to tell its makers', () => {
    const open = `/proc/${scorer.process.pid}/fd`;
    const files = readdirSync(open).map((name) => readlinkSync(`${open}/${name}`));
    assert.ok(files.length > 0);
    assert.deepEqual(
      files.filter((file) => file.includes('onnxruntime.db')),
      [],
    );
  });
});
