import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { pythonWithPeers } from '../python.ts';
import { repository } from '../toolchain/cacheFolder.ts';
import type { Workbench } from '../workbench/workbench.ts';
import { inSampleProject } from './inSampleProject.ts';
import { row, unfold } from './sideBar.ts';
import { enginePids } from './slipwayProcesses.ts';
import { until } from './until.ts';

/** Both kinds of tasks: one that a shell runs, and a process without a shell. */
const kinds = ['shell', 'process'] as const;

const script = `import sys
import mlflow

mlflow.set_experiment("tasks")
with mlflow.start_run(run_name=sys.argv[1]):
    mlflow.log_metric("loss", 0.5)
`;

describe('a run that a task of the editor starts', function () {
  this.timeout(300_000);

  it('keeps what it was made of, and the side bar and its page show it', async function () {
    if (process.platform === 'win32') this.skip();
    const python = pythonWithPeers(this);
    await inSampleProject({}, async (workbench, folder) => {
      const commit = await prepare(folder, python);
      const picture = (name: string) =>
        workbench.screenshot(join(repository, 'out', 'journey', `task-${name}.png`));
      // VS Code starts a terminal anew that was opened before its environment was known.
      await until('the engine', () => enginePids().length > 0);
      await row(workbench, 'boosting-shallow').waitFor();
      for (const kind of kinds) {
        await runTask(workbench, `train in a ${kind}`);
        await unfold(row(workbench, 'tasks'), { timeout: 120_000 });
        const run = row(workbench, `${kind}-run`);
        await run.locator('.codicon-pass').waitFor({ timeout: 120_000 });
        await run.click();
        const madeFrom = workbench.webview().getByRole('region', { name: 'Made from' });
        await fact(madeFrom, 'Command', `train_task.py ${kind}-run numbers`).waitFor();
        await fact(madeFrom, 'Commit', commit.slice(0, 10)).waitFor();
        await fact(madeFrom, 'Branch', 'tuning').waitFor();
        await fact(madeFrom, 'Uncommitted', '1 changed file').waitFor();
        const data = madeFrom.locator('.data-rows li', { hasText: 'numbers' });
        await data.filter({ hasText: '2 files, 6 B' }).locator('.digest').waitFor();
        // The pointer rests on the row since it was clicked, which opens no tooltip.
        await workbench.page.mouse.move(1, 1);
        await run.hover();
        await workbench.page
          .locator('.workbench-hover', { hasText: `Commit: ${commit.slice(0, 10)} · tuning · with changes` })
          .waitFor();
        await picture(kind);
      }
    });
  });
});

/** Makes the project a repository with tasks, a script that is not committed as it is, and a folder of data. */
async function prepare(folder: string, python: string): Promise<string> {
  const git = (...args: readonly string[]) => {
    const identity = [
      '-c',
      'user.name=Ana',
      '-c',
      'user.email=ana@example.com',
      '-c',
      'commit.gpgSign=false',
    ];
    return execFileSync('git', [...identity, ...args], {
      cwd: folder,
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim();
  };
  const tasks = kinds.map((kind) => ({
    label: `train in a ${kind}`,
    type: kind,
    command: python,
    args: ['train_task.py', `${kind}-run`, 'numbers'],
    problemMatcher: [],
  }));
  await mkdir(join(folder, '.vscode'), { recursive: true });
  await writeFile(join(folder, '.vscode', 'tasks.json'), JSON.stringify({ version: '2.0.0', tasks }));
  await mkdir(join(folder, 'numbers'));
  await writeFile(join(folder, 'numbers', 'a.csv'), '1,2');
  await writeFile(join(folder, 'numbers', 'b.csv'), '3,4');
  await writeFile(join(folder, '.gitignore'), '.slipway\n');
  await writeFile(join(folder, 'train_task.py'), '');
  git('init', '--quiet', '--initial-branch=tuning');
  git('add', '.');
  git('commit', '--quiet', '--message=first');
  await writeFile(join(folder, 'train_task.py'), script);
  return git('rev-parse', 'HEAD');
}

/** An editor that still starts may take the focus, and with it the list; then it is asked for again, as a person does. */
async function runTask({ page, runCommand }: Workbench, label: string): Promise<void> {
  const task = page.locator('.quick-input-widget .monaco-list-row', { hasText: label }).first();
  await until(`the task "${label}" in the list`, async () => {
    await runCommand('Tasks: Run Task');
    return await task.click({ timeout: 10_000 }).then(
      () => true,
      () => false,
    );
  });
}

/** What stands beside the name of a fact, when it contains this text. */
function fact(section: Locator, name: string, text: string): Locator {
  return section.locator(`dt:text-is("${name}") + dd`, { hasText: text });
}
