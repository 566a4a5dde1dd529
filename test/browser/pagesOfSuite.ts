import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../browser.ts';
import type { OpenPage } from './openPage.ts';
import { type PageServer, servePages } from './pageServer.ts';

/**
 * Serves the pages to the suite in which it is called. After each test the pages that it opened are closed, and the test
 * fails when one of them had complaints.
 */
export function pagesOfSuite(): Pick<PageServer, 'open'> {
  let browser: Browser;
  let server: PageServer;
  const opened: OpenPage[] = [];

  before(async () => {
    browser = await launchBrowser();
    server = await servePages(browser);
  });
  after(async () => {
    await server?.close();
    await browser?.close();
  });
  afterEach(async () => {
    const pages = opened.splice(0);
    const complaints = pages.flatMap((page) => page.complaints);
    await Promise.all(pages.map((page) => page.close()));
    assert.deepEqual(complaints, []);
  });

  return {
    async open(type, host, options) {
      const page = await server.open(type, host, options);
      opened.push(page);
      return page;
    },
  };
}
