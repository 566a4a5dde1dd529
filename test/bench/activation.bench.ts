import type { Page } from 'playwright-core';
import { sampleWorkspace } from '../workbench/sampleWorkspace.ts';
import { openWorkbench } from '../workbench/workbench.ts';
import { median } from './median.ts';

const windows = 5;

/**
 * How long Slipway's `activate()` takes in the extension host of a real VS Code, as VS Code itself measures it, beside
 * its built-in Git extension in the same windows. The median of several cold windows.
 */
export async function run(): Promise<void> {
  const slipway: number[] = [];
  const git: number[] = [];
  for (let window = 0; window < windows; window += 1) {
    const sample = await sampleWorkspace();
    const workbench = await openWorkbench({ workspace: sample.folder, extension: 'vsix' });
    try {
      const { page } = workbench;
      await workbench.openContainer('Slipway');
      await page.locator('.part.sidebar .monaco-list-row[aria-label*="boosting-shallow"]').first().waitFor();
      await workbench.runCommand('Developer: Show Running Extensions');
      slipway.push(await activationTime(page, 'Slipway: MLOps in your editor'));
      git.push(await activationTime(page, 'Git'));
    } finally {
      await workbench.dispose();
      await sample.remove();
    }
  }
  console.log(`  Slipway  ${median(slipway)} ms to activate (${slipway.join(', ')})`);
  console.log(`  Git      ${median(git)} ms to activate (${git.join(', ')})`);
  console.log(`  ratio    ${(median(slipway) / median(git)).toFixed(2)} of the medians`);
  console.log(`           ${(Math.min(...slipway) / Math.min(...git)).toFixed(2)} of the fastest`);
}

/** Read from VS Code's list of running extensions, whose rows say `Activation: 12ms`. */
async function activationTime(page: Page, name: string): Promise<number> {
  const row = page
    .locator('.runtime-extensions-editor .extension')
    .filter({ has: page.locator('.name', { hasText: new RegExp(`^${name}$`) }) });
  const text = (await row.locator('.activation-time').first().textContent()) ?? '';
  const match = /(\d+)ms/.exec(text);
  if (!match) throw new Error(`VS Code does not say how long ${name} took to activate: ${text}`);
  return Number(match[1]);
}
