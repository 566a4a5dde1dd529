import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import type { Theme, Workbench } from '../workbench/workbench.ts';
import { chooseInContextMenu } from './contextMenu.ts';
import { inSampleProject } from './inSampleProject.ts';
import { row, textsOf, unfold } from './sideBar.ts';
import { enginePids } from './slipwayProcesses.ts';
import { openTerminal, outputOf, typeLine } from './terminal.ts';
import { until } from './until.ts';

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
export function walkJourney(options: JourneyOptions): Promise<JourneyFindings> {
  return inSampleProject({ recorded: false, theme: options.theme }, (workbench) =>
    walk(workbench, options).catch(async (error: unknown) => {
      await options.picture('failure', workbench);
      throw error;
    }),
  );
}

async function walk(workbench: Workbench, options: JourneyOptions): Promise<JourneyFindings> {
  const { page } = workbench;
  const picture = (name: string) => options.picture(name, workbench);
  await page.getByText('Runs of your training scripts appear here').waitFor();
  await picture('empty');

  // VS Code starts a terminal anew that was opened before its environment was known; what is typed then is lost.
  await until('the engine', () => enginePids().length > 0);
  await openTerminal(workbench);
  await typeLine(workbench, `"${options.python}" train.py --model logistic --quick --run-name first`);
  const first = row(workbench, 'first');
  await unfold(row(workbench, model), training);
  await first.waitFor(training);
  await first.click();
  const curve = workbench.webview().locator('canvas').first();
  await curve.waitFor(training);
  await picture('run-live');
  await finished(workbench, first);
  await typeLine(workbench, `"${options.python}" train.py --model boosting --quick --run-name second`);
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
  await unfold(row(workbench, model, 'Models'));
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
  const models = await textsOf(workbench, 'Models');
  await picture('models');

  await chooseInContextMenu(row(workbench, 'v2', 'Models'), 'Start Endpoint');
  const endpoint = row(workbench, model, 'Endpoints');
  await endpoint.filter({ hasText: 'v2' }).waitFor({ timeout: 60_000 });

  await workbench.runCommand('View: Toggle Panel Visibility');
  const command = `"${options.python}" replay.py | tail -n 1`;
  const replay = (await outputOf(workbench, command, training.timeout)).trim();
  await picture('endpoints');
  await workbench.runCommand('View: Toggle Panel Visibility');

  await chooseInContextMenu(endpoint, 'Show Drift');
  const drift = workbench.webview();
  await drift.locator('article.column-card').first().waitFor({ timeout: 60_000 });
  const driftedColumns = await names(drift.locator('article.column-card.drifted'));
  const steadyColumns = await names(drift.locator('article.column-card:not(.drifted)'));
  await drift.locator('article.column-card canvas').first().waitFor();
  await picture('drift');
  return { curve: words, confirmation, models, replay, driftedColumns, steadyColumns };
}

async function names(cards: Locator): Promise<string[]> {
  return Promise.all((await cards.all()).map(async (card) => (await card.getAttribute('aria-label')) ?? ''));
}

async function finished(workbench: Workbench, run: Locator): Promise<void> {
  await run.locator('.codicon-loading').waitFor({ state: 'detached', ...training });
  await workbench.webview().getByText('Finished').first().waitFor(training);
}

async function register(workbench: Workbench, run: Locator, isFirst: boolean): Promise<void> {
  await chooseInContextMenu(run, 'Register Model');
  const input = workbench.page.locator('.quick-input-widget');
  if (isFirst) {
    await input.getByText('Its versions are numbered from 1.').waitFor();
    assert.equal(await input.locator('input').first().inputValue(), model);
    await workbench.answer('Its versions are numbered from 1.');
  } else {
    await workbench.pick('Register as a version of which model?', model);
  }
}

async function promote(workbench: Workbench, version: string, why: string): Promise<void> {
  await chooseInContextMenu(row(workbench, version, 'Models'), 'Promote Version');
  await workbench.pick('to which stage?', 'the one that answers for real');
  await workbench.answer('Kept with your name and the time', why);
}

async function confirm(workbench: Workbench): Promise<void> {
  await workbench.page.locator('.monaco-dialog-box').getByRole('button', { name: 'Promote' }).click();
}
