import type { Locator } from 'playwright-core';

/** Whether what is shown goes away within a second. */
export async function disappears(shown: Locator): Promise<boolean> {
  return shown.waitFor({ state: 'hidden', timeout: 1_000 }).then(
    () => true,
    () => false,
  );
}
