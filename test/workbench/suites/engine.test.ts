import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import * as vscode from 'vscode';
import { terminalEnvironment, trackingServer } from './terminalEnvironment.ts';

describe('the engine in the editor', () => {
  it('starts by itself in a folder with Python, and gives terminals its address', async () => {
    const { url, token, ask } = await trackingServer();
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
    await ask('experiments/search', { max_results: 1 });
    const refused = await fetch(`${url}/api/2.0/mlflow/experiments/search?max_results=1`);
    assert.equal(refused.status, 401);
    assert.ok(token.length >= 43);
  });

  it('puts the command slipway on the PATH of terminals, with a Node that runs it', async () => {
    const { PATH = '', SLIPWAY_NODE } = await terminalEnvironment();
    const extension = vscode.extensions.getExtension('slipway.slipway');
    assert.ok(extension);
    assert.ok(PATH.split(delimiter).includes(join(extension.extensionPath, 'dist', 'bin')), PATH);
    assert.equal(SLIPWAY_NODE, process.execPath);
  });

  it('lets the Python programs of terminals tell what runs are made of, unless that is switched off', async () => {
    const { url } = await trackingServer();
    const extension = vscode.extensions.getExtension('slipway.slipway');
    assert.ok(extension);
    const own = process.env.PYTHONPATH ?? '';
    const on = await terminalEnvironment();
    assert.equal(on.PYTHONPATH, `${join(extension.extensionPath, 'dist', 'python')}${delimiter}${own}`);
    assert.equal(on.SLIPWAY_ENGINE_URL, url);

    const configuration = vscode.workspace.getConfiguration('slipway');
    await configuration.update('provenance.enabled', false, vscode.ConfigurationTarget.Workspace);
    try {
      let off = await terminalEnvironment();
      while (off.SLIPWAY_ENGINE_URL !== undefined) off = await terminalEnvironment();
      assert.equal(off.PYTHONPATH ?? '', own);
      assert.equal(off.MLFLOW_TRACKING_URI, url);
    } finally {
      await configuration.update('provenance.enabled', undefined, vscode.ConfigurationTarget.Workspace);
    }
  });

  it('keeps address and token when it is restarted', async () => {
    const before = await trackingServer();
    await vscode.commands.executeCommand('slipway.restartEngine');
    const after = await trackingServer();
    assert.equal(after.url, before.url);
    assert.equal(after.token, before.token);
    await after.ask('experiments/search', { max_results: 1 });
  });

  it('comes back at the same address after it was killed', async function () {
    if (process.platform === 'win32') this.skip();
    const { url, token, ask } = await trackingServer();
    const [killed] = enginePids();
    assert.ok(killed);
    process.kill(killed, 'SIGKILL');
    for (;;) {
      const answer = await fetch(`${url}/api/2.0/mlflow/experiments/search?max_results=1`, {
        headers: { authorization: `Bearer ${token}` },
      }).catch(() => null);
      if (answer?.ok && !enginePids().includes(killed)) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await ask('experiments/search', { max_results: 1 });
  });

  it('is one process for a folder', function () {
    if (process.platform === 'win32') this.skip();
    assert.equal(enginePids().length, 1);
  });
});

/** The engines that this extension host started. */
function enginePids(): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => {
    const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return Number(parent) === process.pid && command?.includes('engine.cjs') ? [Number(pid)] : [];
  });
}
