import type { Locator, Page } from 'playwright-core';
import type { Workbench } from '../workbench/workbench.ts';
import { chooseInContextMenu } from './contextMenu.ts';
import { row } from './sideBar.ts';
import { until } from './until.ts';

/** Serves the version of the sample's model that is in production, and gives the endpoint's row when it is ready. */
export async function startEndpoint(
  workbench: Pick<Workbench, 'page' | 'runCommand' | 'pick'>,
): Promise<Locator> {
  await row(workbench, 'boosting-shallow').waitFor();
  await workbench.runCommand('Slipway: Start Endpoint');
  await workbench.pick('Choose the version', 'Production');
  const endpoint = row(workbench, 'flight-delays', 'Endpoints');
  await endpoint.filter({ hasText: 'ready' }).waitFor();
  return endpoint;
}

/** Opens the endpoint's page to try it, and has it predict. The caller closes the page. */
export async function predictInBrowser(workbench: Pick<Workbench, 'page' | 'runCommand'>): Promise<Page> {
  const opening = workbench.page.context().waitForEvent('page');
  await workbench.runCommand('Slipway: Try in Browser');
  const opened = await opening;
  await opened.getByRole('button', { name: 'Predict' }).click();
  await opened
    .getByText(/status 200/i)
    .first()
    .waitFor();
  return opened;
}

/** Lets version 3 of the sample's model come in as a canary. */
export async function startCanary(workbench: Workbench): Promise<void> {
  const { page } = workbench;
  await workbench.runCommand('Slipway: Start Rollout');
  await workbench.pick('Which version of', 'v3');
  await workbench.pick('How is version 3 to come in', 'Canary');
  await workbench.answer('The steps of version 3');
  await page.locator('.monaco-dialog-box').getByRole('button', { name: 'Start Rollout' }).click();
}

/**
 * Moves version 3 of the sample's model to Production.
 *
 * @param traffic what the question must say of the requests.
 */
export async function promoteServed(workbench: Workbench, traffic: string): Promise<void> {
  const { page } = workbench;
  await chooseInContextMenu(row(workbench, 'v3', 'Models'), 'Promote Version');
  await workbench.pick('to which stage?', 'the one that answers for real');
  await workbench.answer('Kept with your name and the time');
  const dialog = page.locator('.monaco-dialog-box');
  await dialog.filter({ hasText: traffic }).getByRole('button', { name: 'Promote' }).click();
}

/** A request to the only endpoint. */
export interface CopiedCall {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** What the command says that is copied for the only endpoint. */
export async function copyCall(workbench: Workbench): Promise<CopiedCall> {
  await workbench.runCommand('Slipway: Copy as curl');
  const curl = await until('the copied command', async () => {
    const text = await workbench.page.evaluate(() => navigator.clipboard.readText());
    return text.startsWith('curl') && text;
  });
  const [, url = ''] = /^curl -sS '([^']*)'/.exec(curl) ?? [];
  const [, authorization = ''] = /Authorization: (Bearer [\w-]+)/.exec(curl) ?? [];
  const [, body = ''] = /-d '(.*)'$/s.exec(curl) ?? [];
  return { url, headers: { authorization, 'content-type': 'application/json' }, body };
}

/** Makes a call so often a second. */
export async function sendTraffic(
  { url, headers, body }: CopiedCall,
  rate: number,
  seconds: number,
): Promise<void> {
  for (let sent = 0; sent < rate * seconds; sent += 1) {
    const answer = await fetch(url, { method: 'POST', headers, body });
    if (!answer.ok) throw new Error(`The endpoint answered ${answer.status}: ${await answer.text()}`);
    await new Promise((resolve) => setTimeout(resolve, 1000 / rate));
  }
}
