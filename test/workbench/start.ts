import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildExtension } from '../toolchain/build.ts';
import { repository } from '../toolchain/cacheFolder.ts';
import { commandOnPath } from '../toolchain/commandOnPath.ts';
import { startPortForwarder } from './portForwarder.ts';
import { sampleWorkspace } from './sampleWorkspace.ts';
import { startVscodeServer } from './vscodeServer.ts';
import { writeSettings } from './workbench.ts';
import { workbenchAddress } from './workbenchAddress.ts';

/**
 * Builds Slipway and opens a real VS Code with it on a copy of the sample project: desktop VS Code when `code` is on
 * the PATH, otherwise the VS Code server, whose address is printed. Ends with the window, or with Ctrl+C.
 *
 *   npm start                       desktop VS Code when there is one
 *   npm start -- --server           the VS Code server in any case
 */
const interrupted = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
});

await buildExtension();
const sample = await sampleWorkspace();
try {
  const desktop = process.argv.includes('--server') ? null : commandOnPath('code');
  if (desktop === null) await openInServer(sample.folder);
  else await openInDesktop(desktop, sample.folder);
} finally {
  await sample.remove();
}

async function openInServer(workspace: string): Promise<void> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'slipway-start-'));
  const forwarder = await startPortForwarder();
  try {
    await writeSettings(dataFolder, { 'workbench.startupEditor': 'readme' });
    const server = await startVscodeServer({
      dataFolder,
      extensionsFolder: join(dataFolder, 'extensions'),
      trusted: true,
      environment: { VSCODE_PROXY_URI: forwarder.template },
    });
    const address = workbenchAddress({ authority: server.authority, workspace, extensionFolder: repository });
    console.log(`\nSlipway is open on the sample project at\n\n  ${address}\n\nCtrl+C ends it.`);
    await Promise.race([interrupted, server.ended]);
    await server.close();
  } finally {
    await forwarder.close();
    await rm(dataFolder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function openInDesktop(code: string, workspace: string): Promise<void> {
  console.log('\nOpening desktop VS Code on the sample project. Close its window to end.');
  const child = spawn(
    code,
    ['--new-window', '--wait', `--extensionDevelopmentPath=${repository}`, workspace],
    { stdio: 'inherit', shell: process.platform === 'win32' },
  );
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  await Promise.race([interrupted, ended]);
  child.kill();
}
