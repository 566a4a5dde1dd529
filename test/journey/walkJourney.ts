import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import { sampleWorkspace } from '../workbench/sampleWorkspace.ts';
import { openWorkbench, type Theme, type Workbench } from '../workbench/workbench.ts';

/** What a walk needs from who takes it. */
export interface JourneyOptions {
  /** A Python with the peers of `test/requirements.txt`. */
  readonly python: string;
  readonly theme: Theme;
  /** Called at each place worth a picture, with its name. */
  readonly picture: (name: string, workbench: Workbench) => Promise<void>;
}

/** What the walk saw, for a test to judge. */
export interface JourneyFindings {
  /** The picture of a finished run's curve, in words. */
  readonly curve: string;
  readonly confirmation: string;
  readonly models: readonly string[];
  readonly replay: string;
  readonly driftedColumns: readonly string[];
  readonly steadyColumns: readonly string[];
}

const model = 'flight-delays';

/** A training may take a while on a busy machine. */
const training = { timeout: 180_000 };

/**
 * Walks the whole journey in a real VS Code as a person would, with mouse and keyboard: trains two models in a terminal,
 * opens a run, registers both, promotes one after the other, serves, sends the later data, and looks at the drift.
 */
export async function walkJourney(options: JourneyOptions): Promise<JourneyFindings> {
  const sample = await sampleWorkspace(false);
  const workbench = await openWorkbench({ workspace: sample.folder, theme: options.theme });
  const { page } = workbench;
  const picture = (name: string) => options.picture(name, workbench);
  try {
    await workbench.openContainer('Slipway');
    await page.getByText('Runs of your training scripts appear here').waitFor();
    await picture('empty');

    await openTerminal(workbench);
    await type(workbench, `"${options.python}" train.py --model logistic --quick --run-name first`);
    const first = row(workbench, 'first');
    await unfold(workbench, model, training);
    await first.waitFor(training);
    await first.click();
    const curve = workbench.webview().locator('canvas').first();
    await curve.waitFor(training);
    await picture('run-live');
    await finished(workbench, first);
    await type(workbench, `"${options.python}" train.py --model boosting --quick --run-name second`);
    const second = row(workbench, 'second');
    await second.waitFor(training);
    await second.click();
    await finished(workbench, second);
    await workbench.webview().getByRole('heading', { name: 'second' }).waitFor();
    await curve.waitFor();
    const words = (await curve.getAttribute('aria-label')) ?? '';
    await workbench.runCommand('View: Toggle Panel Visibility');
    await picture('run');

    await register(workbench, first, true);
    await row(workbench, model, 'Models').waitFor();
    await register(workbench, second, false);
    await unfold(workbench, model, {}, 'Models');
    await row(workbench, 'v2', 'Models').waitFor();

    await promote(workbench, 'v1', 'the first that works');
    await confirm(workbench);
    await row(workbench, 'v1', 'Models').filter({ hasText: 'Production' }).waitFor();
    await promote(workbench, 'v2', 'a better score');
    const dialog = page.locator('.monaco-dialog-box');
    await dialog.waitFor();
    const confirmation = ((await dialog.textContent()) ?? '').replace(/\s+/g, ' ');
    await picture('promote');
    await confirm(workbench);
    await row(workbench, 'v2', 'Models').filter({ hasText: 'Production' }).waitFor();
    await row(workbench, 'v1', 'Models').filter({ hasText: 'Archived' }).waitFor();
    const models = await labels(workbench, 'Models');
    await picture('models');

    await menu(workbench, row(workbench, 'v2', 'Models'), 'Start Endpoint');
    const endpoint = row(workbench, model, 'Endpoints');
    await endpoint.filter({ hasText: 'v2' }).waitFor({ timeout: 60_000 });

    await workbench.runCommand('View: Toggle Panel Visibility');
    await type(workbench, `"${options.python}" replay.py | tail -n 1`);
    const replay = await terminalLine(workbench, /^Hit rate/);
    await picture('endpoints');
    await workbench.runCommand('View: Toggle Panel Visibility');

    await menu(workbench, endpoint, 'Show Drift');
    const drift = workbench.webview();
    await drift.locator('article.column-card').first().waitFor({ timeout: 60_000 });
    const driftedColumns = await names(drift.locator('article.column-card.drifted'));
    const steadyColumns = await names(drift.locator('article.column-card:not(.drifted)'));
    await drift.locator('article.column-card canvas').first().waitFor();
    await picture('drift');
    return { curve: words, confirmation, models, replay, driftedColumns, steadyColumns };
  } catch (error) {
    await picture('failure');
    throw error;
  } finally {
    await workbench.dispose();
    await sample.remove();
  }
}

/** A row of one of Slipway's trees, by the name it begins with. */
function row(workbench: Workbench, name: string, view = 'Experiments'): Locator {
  return pane(workbench, view)
    .locator('.monaco-list-row')
    .filter({ has: workbench.page.locator(`.label-name`, { hasText: new RegExp(`^${name}$`) }) })
    .first();
}

function pane(workbench: Workbench, view: string): Locator {
  return workbench.page.locator('.sidebar .pane').filter({
    has: workbench.page.locator('.pane-header', { hasText: view }),
  });
}

async function labels(workbench: Workbench, view: string): Promise<string[]> {
  const texts = await pane(workbench, view).locator('.monaco-list-row').allInnerTexts();
  return texts.map((text) => text.replace(/\s+/g, ' ').trim());
}

async function names(cards: Locator): Promise<string[]> {
  return Promise.all((await cards.all()).map(async (card) => (await card.getAttribute('aria-label')) ?? ''));
}

async function unfold(
  workbench: Workbench,
  name: string,
  waiting: { timeout?: number },
  view = 'Experiments',
): Promise<void> {
  const item = row(workbench, name, view);
  await item.waitFor(waiting);
  if ((await item.getAttribute('aria-expanded')) === 'true') return;
  await item.locator('.monaco-tl-twistie').click();
}

async function openTerminal(workbench: Workbench): Promise<void> {
  await workbench.runCommand('Terminal: Create New Terminal');
  await workbench.page.locator('.terminal-wrapper.active .xterm-screen').waitFor();
}

/** Types a command line into the open terminal. */
async function type(workbench: Workbench, line: string): Promise<void> {
  const input = workbench.page.locator('.terminal-wrapper.active .xterm-helper-textarea');
  await input.focus();
  await input.pressSequentially(line);
  await input.press('Enter');
}

/** What the terminal shows, once a line of it matches; read from the clipboard, as a terminal is a picture. */
async function terminalLine(workbench: Workbench, pattern: RegExp): Promise<string> {
  for (;;) {
    await workbench.runCommand('Terminal: Select All');
    await workbench.runCommand('Terminal: Copy Selection');
    const text = await workbench.page.evaluate(() => navigator.clipboard.readText());
    const line = text.split('\n').findLast((candidate) => pattern.test(candidate));
    if (line !== undefined) return line.trim();
  }
}

async function finished(workbench: Workbench, run: Locator): Promise<void> {
  await run.locator('.codicon-loading').waitFor({ state: 'detached', ...training });
  await workbench.webview().getByText('Finished').first().waitFor(training);
}

/** Chooses an entry of a row's context menu. A menu ignores a click that comes right after it opened. */
async function menu(workbench: Workbench, item: Locator, entry: string): Promise<void> {
  await item.click({ button: 'right' });
  const opened = workbench.page.locator('.monaco-menu');
  const chosen = opened.locator('.action-item').filter({ hasText: entry }).first();
  do {
    await chosen.click();
  } while (!(await disappears(opened)));
}

async function disappears(shown: Locator): Promise<boolean> {
  return shown.waitFor({ state: 'detached', timeout: 1_000 }).then(
    () => true,
    () => false,
  );
}

async function register(workbench: Workbench, run: Locator, isFirst: boolean): Promise<void> {
  await menu(workbench, run, 'Register Model');
  const input = workbench.page.locator('.quick-input-widget');
  if (isFirst) {
    await input.getByText('Its versions are numbered from 1.').waitFor();
    assert.equal(await input.locator('input').first().inputValue(), model);
    await workbench.page.keyboard.press('Enter');
  } else {
    await input.locator('.monaco-list-row', { hasText: model }).first().click();
  }
}

async function promote(workbench: Workbench, version: string, why: string): Promise<void> {
  const input = workbench.page.locator('.quick-input-widget');
  await menu(workbench, row(workbench, version, 'Models'), 'Promote Version');
  await input.locator('.monaco-list-row', { hasText: 'the one that answers for real' }).click();
  await input.getByText('Kept with your name and the time').waitFor();
  await input.locator('input').first().fill(why);
  await workbench.page.keyboard.press('Enter');
}

async function confirm(workbench: Workbench): Promise<void> {
  await workbench.page.locator('.monaco-dialog-box').getByRole('button', { name: 'Promote' }).click();
}
