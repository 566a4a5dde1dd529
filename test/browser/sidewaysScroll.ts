import type { Page } from 'playwright-core';
import type { ThemeName } from './themes.ts';

/** Widths that pages must fit, in CSS pixels, each looked at in a theme of its own. */
export const pageWidths: readonly (readonly [width: number, theme: ThemeName])[] = [
  [400, 'dark'],
  [900, 'light'],
  [2000, 'highContrast'],
];

/** By how many CSS pixels a page is wider than its window. */
export function sidewaysScroll(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}
