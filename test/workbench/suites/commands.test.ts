import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { commands } from '../../../src/extension/contributions.ts';
import { folder, recordedRun, registeredModel, stageOf } from './sampleStore.ts';

describe('commands', () => {
  before(async () => {
    await vscode.extensions.getExtension('slipway.slipway')?.activate();
  });
  afterEach(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('are all registered, and no other of ours', async () => {
    const found = await vscode.commands.getCommands(true);
    const ours = found.filter((id) => /^slipway\.\w+$/.test(id));
    assert.deepEqual(ours.sort(), Object.keys(commands).sort());
  });

  it('open a page once, however often they are run', async () => {
    const { runId, name } = await recordedRun();
    const endpoint = await registeredModel();
    await vscode.commands.executeCommand('slipway.openRun', { folder: folder(), runId });
    await vscode.commands.executeCommand('slipway.openRun', { folder: folder(), runId });
    await vscode.commands.executeCommand('slipway.showDrift', { folder: folder(), endpoint });
    // Tabs are told in order, so a second page of the run would stand before the drift page.
    assert.deepEqual(await pagesUpTo('slipway.drift'), [
      { viewType: 'slipway.run', label: name },
      { viewType: 'slipway.drift', label: `Drift: ${endpoint}` },
    ]);
  });

  it('copy the ID of a run', async () => {
    const { runId } = await recordedRun();
    await vscode.commands.executeCommand('slipway.copyRunId', { folder: folder(), runId });
    assert.equal(await vscode.env.clipboard.readText(), runId);
  });

  it('refuse arguments of a wrong form', async () => {
    await vscode.commands.executeCommand('slipway.copyRunId', { folder: folder(), runId: 7 });
    await vscode.commands.executeCommand('slipway.openRun', { folder: 'file:///nowhere', runId: 'x' });
    assert.deepEqual(pageTabs(), []);
  });

  it('move a version to a stage that changes nothing in production without asking', async () => {
    const model = await registeredModel();
    const target = { folder: folder(), model, version: 1, stage: 'None', why: 'to try it again' };
    await vscode.commands.executeCommand('slipway.promoteVersion', target);
    assert.equal(await stageOf(model, 1), 'None');
  });

  it('serve a version, hand out its address, and stop it', async () => {
    const model = await registeredModel();
    const endpoint = { folder: folder(), endpoint: model };
    await vscode.commands.executeCommand('slipway.startEndpoint', { folder: folder(), model, version: 2 });

    await vscode.commands.executeCommand('slipway.copyAsCurl', endpoint);
    const curl = await vscode.env.clipboard.readText();
    const [, url = ''] = /^curl -sS '([^']*)'/.exec(curl) ?? [];
    const [, token] = /Authorization: Bearer ([\w-]+)/.exec(curl) ?? [];
    const [, body = ''] = /-d '(.*)'$/s.exec(curl) ?? [];
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/v2\/models\/.*\/infer$/);
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(url, { method: 'POST', headers, body });
    assert.equal(answer.status, 200, await answer.text());

    await vscode.commands.executeCommand('slipway.copyEndpointAddress', endpoint);
    assert.match(await vscode.env.clipboard.readText(), /^https?:\/\/.+\/infer$/);

    await vscode.commands.executeCommand('slipway.stopEndpoint', endpoint);
    await assert.rejects(fetch(url, { method: 'POST', headers, body }));
  });

  it('copy the sample project with its recorded runs, never over another', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'slipway-copies-'));
    try {
      await vscode.commands.executeCommand('slipway.openSampleProject', { parent, open: false });
      await vscode.commands.executeCommand('slipway.openSampleProject', { parent, open: false });
      assert.deepEqual((await readdir(parent)).sort(), ['slipway-sample', 'slipway-sample-2']);
      assert.ok((await stat(join(parent, 'slipway-sample', '.slipway', 'store.db'))).isFile());
      assert.ok((await stat(join(parent, 'slipway-sample', 'train.py'))).isFile());
      assert.ok(!(await readdir(join(parent, 'slipway-sample'))).includes('recorded'));
    } finally {
      await rm(parent, { recursive: true, force: true });
    }
  });
});

interface PageTab {
  readonly viewType: string;
  readonly label: string;
}

/** Our pages that are open, once there is one of the given type: VS Code tells of tabs a moment later. */
async function pagesUpTo(viewType: string): Promise<readonly PageTab[]> {
  while (!pageTabs().some((tab) => tab.viewType === viewType)) {
    await new Promise<void>((resolve) => {
      const subscription = vscode.window.tabGroups.onDidChangeTabs(() => {
        subscription.dispose();
        resolve();
      });
    });
  }
  return pageTabs();
}

function pageTabs(): readonly PageTab[] {
  return vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .flatMap(({ input, label }) => {
      if (!(input instanceof vscode.TabInputWebview)) return [];
      // VS Code puts a prefix of its own before the type.
      const viewType = input.viewType.replace(/^mainThreadWebview-/, '');
      return viewType.startsWith('slipway.') ? [{ viewType, label }] : [];
    });
}
