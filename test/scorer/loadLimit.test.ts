import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromErrorData } from '../../src/protocol/errors.ts';
import type { ScorerModelInput } from '../../src/protocol/scorer.ts';
import { linearModel } from '../fixtures/onnxFile.ts';
import { type RunningScorer, removeFolder, startScorerProcess, temporaryFolder } from './scorerProcess.ts';

const body = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }] };

describe('A version whose loading blocks the thread for good', () => {
  it('has its process killed by the watchdog, which says why', function () {
    if (process.platform === 'win32') this.skip();
    const script = join(import.meta.dirname, '../fixtures/blockedLoad.ts');
    const ended = spawnSync(process.execPath, [script], { encoding: 'utf8', timeout: 50_000 });
    assert.equal(ended.signal, 'SIGKILL', 'not by the test, whose patience ended');
    assert.match(ended.stderr, /version 2 of "wine" took longer than 200 ms to load/);
  });
});

describe('A version that never finishes loading', function () {
  this.timeout(60_000);
  let folder: string;
  let scorer: RunningScorer;
  before(async function () {
    if (process.platform === 'win32') this.skip();
    folder = await temporaryFolder();
    scorer = await startScorerProcess(folder, linearModel(), { limits: { loadMilliseconds: 3_000 } });
  });
  after(async () => {
    await scorer?.drain();
    if (folder) await removeFolder(folder);
  });

  /** Has it loaded, and asks the version that answers until it is known what came of it. */
  async function load(source: ScorerModelInput['source']) {
    let isLoading = true;
    const loading = scorer
      .command({
        type: 'load',
        model: { name: 'wine', version: 4, source, columns: null, example: null },
      })
      .finally(() => {
        isLoading = false;
      });
    let answers = 0;
    while (isLoading) {
      assert.equal((await scorer.ask('/v2/models/wine/versions/3/infer', { body })).status, 200);
      answers += 1;
    }
    assert.ok(answers > 1);
    assert.equal((await scorer.ask('/v2/models/wine/versions/4/infer', { body })).status, 404);
    return loading;
  }

  it('fails when its file does not come, and is not served when it comes after all', async () => {
    const file = join(folder, 'pipe.onnx');
    execFileSync('mkfifo', [file]);
    const told = await load({ type: 'onnx', file });
    assert.equal(told.type, 'refused');
    if (told.type !== 'refused') return;
    assert.equal(told.error.kind, 'modelUnreadable');
    assert.match(fromErrorData(told.error).message, /version 4 of "wine".*it took longer than 3 s to load/i);
    await writeFile(file, linearModel());
    assert.equal((await scorer.ask('/v2/models/wine/versions/3/infer', { body })).status, 200);
    assert.equal((await scorer.ask('/v2/models/wine/versions/4/infer', { body })).status, 404);
  });

  it('does not keep its process from ending', async () => {
    const other = await startScorerProcess(folder, linearModel(), { limits: { loadMilliseconds: 3_000 } });
    const file = join(folder, 'never.onnx');
    execFileSync('mkfifo', [file]);
    const source = { type: 'onnx' as const, file };
    const model = { name: 'wine', version: 4, source, columns: null, example: null };
    assert.equal((await other.command({ type: 'load', model })).type, 'refused');
    await other.drain();
  });

  it('fails when its Python process says nothing, and that process is ended', async () => {
    const python = join(folder, 'python');
    const pidFile = join(folder, 'pid');
    await writeFile(python, `#!/bin/sh\necho $$ > ${pidFile}\nexec sleep 600\n`);
    await chmod(python, 0o755);
    const told = await load({ type: 'python', folder, python });
    assert.equal(told.type, 'refused');
    if (told.type !== 'refused') return;
    assert.equal(told.error.kind, 'pythonModelUnreadable');
    assert.match(fromErrorData(told.error).message, /version 4 of "wine".*loading took longer than 3 s/i);
    // That it ends is waited for before it is told.
    const id = Number(await readFile(pidFile, 'utf8'));
    assert.throws(() => process.kill(id, 0), { code: 'ESRCH' });
  });
});
