import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { commandOnPath, isExecutable } from './toolchain/commandOnPath.ts';

const commands = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge'];

const installedElsewhere = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  ...[process.env.ProgramFiles, process.env['ProgramFiles(x86)']].flatMap((folder) =>
    folder
      ? [
          join(folder, 'Google/Chrome/Application/chrome.exe'),
          join(folder, 'Microsoft/Edge/Application/msedge.exe'),
        ]
      : [],
  ),
];

/** A browser's executable and whether it is the headless one that comes with the development dependencies. */
export interface BrowserExecutable {
  readonly path: string;
  readonly fromPackage: boolean;
}

/**
 * The Chromium that drives pages and the workbench: the one named in `SLIPWAY_TEST_BROWSER`, else one that is on the
 * machine, else the headless one of the package `@sparticuz/chromium` (Linux x64 only).
 *
 * @throws Error when there is none; the message says what to install.
 */
export async function browserExecutable(): Promise<BrowserExecutable> {
  const named = process.env.SLIPWAY_TEST_BROWSER;
  if (named) return { path: named, fromPackage: false };
  const found = commandOnPath(...commands) ?? installedElsewhere.find(isExecutable);
  if (found !== undefined) return { path: found, fromPackage: false };
  if (process.platform === 'linux' && process.arch === 'x64') {
    const { default: packaged } = await import('@sparticuz/chromium');
    return { path: await packaged.executablePath(), fromPackage: true };
  }
  throw new Error('No Chromium found. Install Chrome or Chromium, or name one in SLIPWAY_TEST_BROWSER.');
}

/** Starts a headless browser, with more command line arguments. The caller closes it. */
export async function launchBrowser(more: readonly string[] = []): Promise<Browser> {
  const { path, fromPackage } = await browserExecutable();
  return chromium.launch({
    executablePath: path,
    headless: true,
    args: [
      ...(fromPackage ? ['--headless=shell'] : []),
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--no-first-run',
      ...more,
    ],
  });
}
