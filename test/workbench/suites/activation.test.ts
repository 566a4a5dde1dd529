import assert from 'node:assert/strict';
import * as vscode from 'vscode';

describe('activation', () => {
  it('loads no native module into the extension host', async () => {
    const extension = vscode.extensions.getExtension('slipway.slipway');
    assert.ok(extension, 'the extension is not installed');
    await extension.activate();
    await vscode.commands.executeCommand('slipway.experiments.focus');
    assert.deepEqual(ourNativeModules(), []);
  });
});

/** The shared libraries in this process that belong to the native packages of Slipway. */
function ourNativeModules(): string[] {
  const report: unknown = process.report.getReport();
  assert.ok(typeof report === 'object' && report !== null && 'sharedObjects' in report);
  assert.ok(Array.isArray(report.sharedObjects) && report.sharedObjects.length > 0);
  return report.sharedObjects.filter((file) => /better-sqlite3|better_sqlite3|onnxruntime|duckdb/.test(file));
}
