import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countsVariable } from '../report/countingReporter.ts';
import { addCounts, type Counts, noCounts } from '../report/counts.ts';
import { failed } from '../report/runMocha.ts';
import { bundleSuites } from './bundleSuites.ts';
import { desktopExecutable, runInDesktop } from './desktop.ts';
import { reportVariable } from './extensionHost.ts';
import { sampleWorkspace } from './sampleWorkspace.ts';
import { serverPackage } from './vscodeServer.ts';
import { openWorkbench } from './workbench.ts';

/**
 * Runs the workbench suites inside the extension host of every real VS Code that there is: the VS Code server in a
 * browser always, desktop VS Code where it can be had.
 */
export async function runSuites(environment: Readonly<Record<string, string>>): Promise<Counts> {
  const testsModule = await bundleSuites();
  if (testsModule === null) return noCounts;
  console.log(`\nWorkbench suites in the VS Code server (${serverPackage.name} ${serverPackage.version})\n`);
  const inServer = await counted('VS Code server', (workspace, variables) =>
    runInServer(testsModule, workspace, { ...environment, ...variables }),
  );
  const desktop = await desktopExecutable();
  if (desktop === null) {
    console.log('\nDesktop VS Code cannot be downloaded here: the suites ran in the VS Code server only.');
    return inServer;
  }
  console.log(`\nWorkbench suites in desktop VS Code (${desktop})\n`);
  const inDesktop = await counted('desktop VS Code', (workspace, variables) =>
    runInDesktop(desktop, testsModule, workspace, { ...environment, ...variables }),
  );
  return addCounts(inServer, inDesktop);
}

async function counted(
  name: string,
  start: (workspace: string, variables: Record<string, string>) => Promise<readonly string[]>,
): Promise<Counts> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-suites-'));
  const countsFile = join(folder, 'counts.json');
  const reportFile = join(folder, 'report.txt');
  const sample = await sampleWorkspace();
  try {
    const consoleLines = await start(sample.folder, {
      [countsVariable]: countsFile,
      [reportVariable]: reportFile,
    });
    console.log(await readFile(reportFile, 'utf8').catch(() => ''));
    const text = await readFile(countsFile, 'utf8').catch(() => null);
    if (text !== null) return JSON.parse(text);
    console.log(consoleLines.slice(-100).join('\n'));
    return failed(name, 'The suites did not run to their end.');
  } finally {
    await sample.remove();
    await rm(folder, { recursive: true, force: true });
  }
}

async function runInServer(
  testsModule: string,
  workspace: string,
  environment: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const lines: string[] = [];
  const exit = Promise.withResolvers<void>();
  const workbench = await openWorkbench({
    workspace,
    environment,
    testsModule,
    onConsole: (line) => lines.push(line),
    onExit: () => exit.resolve(),
  });
  workbench.page.once('close', () => exit.resolve());
  workbench.page.once('crash', () => exit.resolve());
  await exit.promise;
  await workbench.dispose();
  return lines;
}
