import { join } from 'node:path';
import { downloadAndUnzipVSCode, runTests } from '@vscode/test-electron';
import { cacheFolder, repository } from '../toolchain/cacheFolder.ts';

/** Where `@vscode/test-electron` asks for the newest version before it downloads anything. */
const updateServer = 'https://update.code.visualstudio.com/api/releases/stable';

/**
 * Desktop VS Code for tests: the one named in `SLIPWAY_TEST_VSCODE`, else one that is downloaded where the download
 * can be reached and a display is there.
 *
 * @returns the absolute path of the executable, or null when there is none to be had.
 */
export async function desktopExecutable(): Promise<string | null> {
  const named = process.env.SLIPWAY_TEST_VSCODE;
  if (named) return named;
  if (process.platform === 'linux' && !process.env.DISPLAY) return null;
  const reachable = await fetch(updateServer, { signal: AbortSignal.timeout(5000) }).then(
    (answer) => answer.ok,
    () => false,
  );
  if (!reachable) return null;
  return downloadAndUnzipVSCode({ cachePath: join(cacheFolder, 'vscode-desktop') });
}

/**
 * Runs the suites in desktop VS Code. What they report tells whether they passed, so a failure is not thrown, and
 * its console goes straight to this one: no lines are returned.
 */
export async function runInDesktop(
  executable: string,
  testsModule: string,
  workspace: string,
  environment: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  await runTests({
    vscodeExecutablePath: executable,
    extensionDevelopmentPath: repository,
    extensionTestsPath: testsModule,
    extensionTestsEnv: environment,
    launchArgs: [workspace, '--disable-workspace-trust', '--disable-extensions'],
  }).catch((error: unknown) => console.log(String(error)));
  return [];
}
