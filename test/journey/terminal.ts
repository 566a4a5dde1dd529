import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Workbench } from '../workbench/workbench.ts';
import { until } from './until.ts';

/**
 * Opens a new terminal and waits until it takes input.
 *
 * @param folder the name of the workspace folder in which it opens, where there are several.
 */
export async function openTerminal(workbench: Workbench, folder?: string): Promise<void> {
  const { page } = workbench;
  const tabs = page.locator('.terminal-wrapper');
  const before = await tabs.count();
  await workbench.runCommand('Terminal: Create New Terminal');
  if (folder !== undefined) {
    await page.locator('.quick-input-widget .monaco-list-row', { hasText: folder }).first().click();
  }
  await until('a new terminal', async () => (await tabs.count()) > before);
  await page.locator('.terminal-wrapper.active .xterm-screen').first().waitFor();
}

/** Types a command line into the open terminal. */
export async function typeLine(workbench: Workbench, line: string): Promise<void> {
  // The command that sticks to the top once its output scrolls has such an input too, further down.
  const input = workbench.page.locator('.terminal-wrapper.active .xterm-helper-textarea').first();
  await input.focus();
  await input.pressSequentially(line);
  await input.press('Enter');
}

/**
 * What a command line prints in the open terminal, where the person sees it too, once it ended.
 *
 * @param patience milliseconds that it may take; a minute when nothing is said.
 */
export async function outputOf(workbench: Workbench, command: string, patience?: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-output-'));
  const output = join(folder, 'output');
  const done = join(folder, 'done');
  try {
    await typeLine(workbench, `${command} 2>&1 | tee ${output}; touch ${done}`);
    await until(`the end of ${command}`, () => existsSync(done), patience);
    return await readFile(output, 'utf8');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The environment variables of the open terminal. */
export async function environmentOf(workbench: Workbench): Promise<Readonly<Record<string, string>>> {
  const pairs = (await outputOf(workbench, 'env')).split('\n').flatMap((line) => {
    const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(pairs);
}
