import type { Locator } from 'playwright-core';
import type { Workbench } from '../workbench/workbench.ts';
import { until } from './until.ts';

/**
 * The notification that says this, once it is there. The editor does not pop its notifications up while it is driven by
 * tests; its list, which closes when it is empty, has them.
 *
 * @param patience milliseconds; a minute when nothing is said.
 */
export async function notification(
  workbench: Workbench,
  text: string | RegExp,
  patience?: number,
): Promise<Locator> {
  const center = workbench.page.locator('.notifications-center.visible');
  const found = center.locator('.notification-list-item', { hasText: text }).first();
  await until(
    `the notification ${text}`,
    async () => {
      if (!(await center.isVisible())) await workbench.runCommand('Notifications: Show Notifications');
      return found.isVisible();
    },
    patience,
  );
  return found;
}

/** Waits for a notification, and clears them all. */
export async function said(workbench: Workbench, text: string | RegExp): Promise<void> {
  await notification(workbench, text);
  await workbench.runCommand('Notifications: Clear All Notifications');
}

/** Takes what a notification offers, once it is there. It goes away then. */
export async function answerNotification(
  workbench: Workbench,
  text: string | RegExp,
  button: string,
  patience?: number,
): Promise<void> {
  const shown = await notification(workbench, text, patience);
  await shown.locator('.monaco-button', { hasText: button }).click();
}
