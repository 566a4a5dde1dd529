import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openWorkbench, type Workbench } from '../workbench/workbench.ts';
import { row, rowsOf } from './sideBar.ts';
import { enginePids } from './slipwayProcesses.ts';
import { environmentOf, openTerminal } from './terminal.ts';
import { trackingClient } from './trackingClient.ts';
import { until } from './until.ts';

describe('in a workspace with several folders', function () {
  this.timeout(240_000);
  before(function () {
    if (process.platform === 'win32') this.skip();
  });

  it('each has its own engine and store, and rows name the folder', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'slipway-folders-'));
    for (const name of ['alpha', 'beta']) {
      await mkdir(join(parent, name));
      await writeFile(join(parent, name, 'train.py'), '');
    }
    const workspace = join(parent, 'both.code-workspace');
    await writeFile(workspace, JSON.stringify({ folders: [{ path: 'alpha' }, { path: 'beta' }] }));
    const workbench = await openWorkbench({ workspace });
    try {
      await workbench.openContainer('Slipway');
      await row(workbench, 'alpha').waitFor();
      await row(workbench, 'beta').waitFor();
      await until('an engine for each folder', () => enginePids().length === 2);

      const [inAlpha, inBeta] = [await trainIn(workbench, 'alpha'), await trainIn(workbench, 'beta')];
      assert.notEqual(inAlpha.MLFLOW_TRACKING_URI, inBeta.MLFLOW_TRACKING_URI);
      for (const name of ['alpha', 'beta']) {
        await row(workbench, `run of ${name}`).waitFor();
        assert.ok(existsSync(join(parent, name, '.slipway', 'store.db')), name);
      }
      assert.deepEqual(await rowsOf(workbench), [
        { level: 1, label: 'alpha' },
        { level: 2, label: 'experiment of alpha' },
        { level: 3, label: 'run of alpha' },
        { level: 1, label: 'beta' },
        { level: 2, label: 'experiment of beta' },
        { level: 3, label: 'run of beta' },
      ]);

      // Without the second folder, as when the person removes it from the workspace.
      await writeFile(workspace, JSON.stringify({ folders: [{ path: 'alpha' }] }));
      await row(workbench, 'beta').waitFor({ state: 'detached' });
      await until('the end of the engine of the folder that went', () => enginePids().length === 1);
      assert.equal(await trackingClient(inBeta).answers(), false);
      assert.equal(await trackingClient(inAlpha).answers(), true);
      await until('rows without a folder', async () => {
        const rows = await rowsOf(workbench);
        return rows[0]?.label === 'experiment of alpha' && rows[1]?.label === 'run of alpha';
      });
    } finally {
      await workbench.dispose();
      await rm(parent, { recursive: true, force: true, maxRetries: 5 });
    }
  });
});

/** Starts a run in a folder as its terminal would. Gives the terminal's environment. */
async function trainIn(workbench: Workbench, folder: string): Promise<Readonly<Record<string, string>>> {
  await openTerminal(workbench, folder);
  const environment = await environmentOf(workbench);
  const client = trackingClient(environment);
  const experiment = await client.createExperiment(`experiment of ${folder}`);
  await client.startRun(experiment, `run of ${folder}`);
  return environment;
}
