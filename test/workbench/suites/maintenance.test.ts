import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { z } from 'zod';
import { folder } from './sampleStore.ts';
import { trackingServer } from './terminalEnvironment.ts';

const run = z.object({
  run: z.object({ info: z.object({ run_id: z.string(), lifecycle_stage: z.string() }) }),
});
const created = z.object({ experiment_id: z.string() });
const experiment = z.object({ experiment: z.object({ lifecycle_stage: z.string() }) });

describe('the life cycle', () => {
  before(async () => {
    await vscode.extensions.getExtension('slipway.slipway')?.activate();
  });
  afterEach(async () => {
    await vscode.commands.executeCommand('notifications.clearAll');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('deletes a run and an experiment that can be restored, without asking', async () => {
    const { ask } = await trackingServer();
    const { experiment_id } = created.parse(
      await ask('experiments/create', { name: `to delete ${Date.now()}` }),
    );
    const { run_id } = run.parse(await ask('runs/create', { experiment_id, start_time: Date.now() })).run
      .info;
    await vscode.commands.executeCommand('slipway.deleteRun', { folder: folder(), runId: run_id });
    const deleted = run.parse(await ask(`runs/get?run_id=${run_id}`));
    assert.equal(deleted.run.info.lifecycle_stage, 'deleted');
    await vscode.commands.executeCommand('slipway.deleteExperiment', {
      folder: folder(),
      experimentId: experiment_id,
    });
    const found = experiment.parse(await ask(`experiments/get?experiment_id=${experiment_id}`));
    assert.equal(found.experiment.lifecycle_stage, 'deleted');
    await ask('experiments/restore', { experiment_id });
  });

  it('shows the disk usage as a document', async () => {
    await vscode.commands.executeCommand('slipway.showDiskUsage');
    const labels = () => vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs.map(({ label }) => label));
    while (!labels().some((label) => /disk usage/i.test(label))) {
      await new Promise<void>((resolve) => {
        const subscription = vscode.window.tabGroups.onDidChangeTabs(() => {
          subscription.dispose();
          resolve();
        });
      });
    }
  });
});
