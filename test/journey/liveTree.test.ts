import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pythonWithPeers } from '../python.ts';
import { repository } from '../toolchain/cacheFolder.ts';
import { inSampleProject } from './inSampleProject.ts';
import { row, unfold } from './sideBar.ts';
import { openTerminal, outputOf } from './terminal.ts';

describe('the experiments in the side bar, while a script of the real Python client logs', function () {
  this.timeout(240_000);

  it('show the run as it stands, without a refresh, and stay unfolded', async function () {
    if (process.platform === 'win32') this.skip();
    const python = pythonWithPeers(this);
    const signals = await mkdtemp(join(tmpdir(), 'slipway-signals-'));
    const signal = (name: string) => writeFile(join(signals, name), '');
    await inSampleProject({}, async (workbench) => {
      try {
        const other = row(workbench, 'boosting-deep');
        await unfold(other);
        await row(workbench, 'Parameters').waitFor();

        await openTerminal(workbench);
        const script = join(repository, 'test', 'fixtures', 'python', 'live_run.py');
        const printed = outputOf(workbench, `"${python}" "${script}" ${signals}`);
        printed.catch(() => {});
        const experiment = row(workbench, 'live,').or(row(workbench, 'live 1 run')).first();
        await unfold(experiment, { timeout: 60_000 });
        const run = row(workbench, 'live-run');
        await run.locator('.codicon-sync.codicon-modifier-spin, .codicon-loading').waitFor();
        await run.filter({ hasText: 'running' }).waitFor();

        await signal('step-1');
        await run.filter({ hasText: '0.25 val_accuracy' }).waitFor();
        await experiment.locator('.monaco-tl-twistie').click();
        await run.waitFor({ state: 'detached' });
        await unfold(experiment);
        await signal('step-2');
        await run.filter({ hasText: '0.75 val_accuracy' }).waitFor();
        assert.equal(await other.getAttribute('aria-expanded'), 'true');

        await signal('end');
        await run.locator('.codicon-pass').waitFor();
        await run.filter({ hasText: 'just now' }).waitFor();
        assert.equal(await other.getAttribute('aria-expanded'), 'true');
        await row(workbench, 'Parameters').waitFor();
        assert.doesNotMatch(await printed, /View run|#\/experiments/);
      } finally {
        await Promise.all(['step-1', 'step-2', 'end'].map(signal));
      }
    }).finally(() => rm(signals, { recursive: true, force: true }));
  });
});
