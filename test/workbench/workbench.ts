import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Browser, errors, type FrameLocator, type Page } from 'playwright-core';
import { launchBrowser } from '../browser.ts';
import { repository } from '../toolchain/cacheFolder.ts';
import { packageExtension } from '../vsix/packageExtension.ts';
import { disappears } from './disappears.ts';
import { installVsix, type ServerOptions, startVscodeServer, type VscodeServer } from './vscodeServer.ts';
import { workbenchAddress } from './workbenchAddress.ts';

/** The themes in which views and pages are looked at. */
export const themes = {
  light: 'Default Light Modern',
  dark: 'Default Dark Modern',
  'high-contrast': 'Default High Contrast',
  'high-contrast-light': 'Default High Contrast Light',
} as const;

export type Theme = keyof typeof themes;

/** What a test asks of a workbench. */
export interface WorkbenchOptions {
  /** Absolute path of the folder (or `.code-workspace` file) that is opened. */
  readonly workspace: string;
  /** The language in which extensions speak; the workbench itself stays English, as it has no language pack. */
  readonly locale?: 'en' | 'pt-br';
  readonly theme?: Theme;
  /** False opens the folder in Restricted Mode. Default true. */
  readonly trusted?: boolean;
  /** The extension from the repository's folder with its `dist/` (the default), or packaged and installed. */
  readonly extension?: 'development' | 'vsix';
  /** Another extension's folder in place of the repository's. */
  readonly extensionFolder?: string;
  /** Starts another server in place of that of VS Code alone. */
  readonly startServer?: (options: ServerOptions) => Promise<VscodeServer>;
  /** More of the person's settings. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly viewport?: { readonly width: number; readonly height: number };
  /** Environment variables that the server and its extension host get. */
  readonly environment?: Readonly<Record<string, string>>;
  /** A module whose `run()` is called in the extension host; its exit code arrives at `onExit`. */
  readonly testsModule?: string;
  readonly onConsole?: (line: string) => void;
  readonly onExit?: (code: number) => void;
}

/** A real VS Code workbench, open in a real browser. */
export interface Workbench {
  readonly page: Page;
  /** Holds the server's logs and the person's settings; removed by `dispose`. */
  readonly dataFolder: string;
  /** Runs a command through the palette, by its title with its category: `Slipway: Open Run`. */
  runCommand(title: string): Promise<void>;
  /** Takes the choice whose row contains this text, of the quick pick whose title contains the question. */
  pick(question: string, text: string): Promise<void>;
  /** Gives this value, or the one proposed, to the input box that asks the question. */
  answer(question: string, value?: string): Promise<void>;
  /** The content of the visible webview; `index` tells several visible ones apart. */
  webview(index?: number): FrameLocator;
  /** Opens a container of the activity bar by its name. */
  openContainer(name: string): Promise<void>;
  screenshot(file: string): Promise<void>;
  /** Reloads the window and waits until it stands again. */
  reload(): Promise<void>;
  /** Closes the window, then the server. */
  dispose(): Promise<void>;
}

/** Settings that keep a fresh VS Code quiet: nothing asks, nothing pops up, nothing goes to the network. */
const quietSettings = {
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'git.openRepositoryInParentFolders': 'never',
  'security.workspace.trust.startupPrompt': 'never',
  'telemetry.telemetryLevel': 'off',
  'update.showReleaseNotes': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
} as const;

/**
 * Opens a workspace in a real VS Code server and a real browser, with the extension loaded.
 *
 * @throws Error when the server or the workbench does not come up.
 */
export async function openWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'slipway-workbench-'));
  const extensionsFolder = join(dataFolder, 'extensions');
  const undo: (() => Promise<unknown>)[] = [
    () => rm(dataFolder, { recursive: true, force: true, maxRetries: 5 }),
  ];
  const dispose = async (): Promise<void> => {
    for (let last = undo.pop(); last; last = undo.pop()) await last();
  };
  try {
    await writeSettings(dataFolder, {
      'workbench.colorTheme': themes[options.theme ?? 'dark'],
      ...options.settings,
    });
    await mkdir(extensionsFolder);
    const development = (options.extension ?? 'development') === 'development';
    if (!development) await installVsix(await packageExtension(), extensionsFolder);

    const server = await (options.startServer ?? startVscodeServer)({
      dataFolder,
      extensionsFolder,
      trusted: options.trusted ?? true,
      ...(options.environment && { environment: options.environment }),
    });
    undo.push(() => server.close());
    const browser = await launchBrowser(server.browserArguments);
    undo.push(() => browser.close());
    const page = await openPage(browser, server, options, development);
    return { page, dataFolder, ...pageActions(page), dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Writes a fresh server's settings: the quiet ones, and those given. */
export async function writeSettings(
  dataFolder: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<void> {
  const user = join(dataFolder, 'data', 'User');
  await mkdir(user, { recursive: true });
  await writeFile(join(user, 'settings.json'), JSON.stringify({ ...quietSettings, ...settings }, null, 2));
}

async function openPage(
  browser: Browser,
  server: VscodeServer,
  options: WorkbenchOptions,
  development: boolean,
): Promise<Page> {
  const context = await browser.newContext({
    viewport: options.viewport ?? { width: 1400, height: 900 },
    locale: options.locale === 'pt-br' ? 'pt-BR' : 'en-US',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  if (options.locale === 'pt-br') {
    await page.addInitScript(() => Object.assign(globalThis, { _VSCODE_NLS_LANGUAGE: 'pt-br' }));
  }
  await page.exposeFunction('codeAutomationLog', (_type: string, args: unknown[]) =>
    options.onConsole?.(
      args.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join(' '),
    ),
  );
  await page.exposeFunction('codeAutomationExit', (code: number) => options.onExit?.(code));
  await page.goto(
    workbenchAddress({
      authority: server.authority,
      workspace: options.workspace,
      ...(development && { extensionFolder: options.extensionFolder ?? repository }),
      ...(options.testsModule && { testsModule: options.testsModule }),
    }),
  );
  await whenRestored(page);
  return page;
}

async function whenRestored(page: Page): Promise<void> {
  await page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: 120_000 });
}

/** Milliseconds. */
const patienceWithPalette = 10_000;
const mostPalettes = 4;
const mostKeys = 10;

/** What a person does in a workbench, however its page was opened. */
export function pageActions(page: Page): Omit<Workbench, 'page' | 'dataFolder' | 'dispose'> {
  // A pointer that rests where it clicked opens the tooltip of whatever appears under it.
  const moveMouseAway = (): Promise<void> => page.mouse.move(1, 1);
  const runCommand = async (title: string): Promise<void> => {
    const palette = page.locator('.quick-input-widget');
    const start = title.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
    const row = palette.locator(`.monaco-list-row[aria-label^="${start}"]`).first();
    for (let attempt = 1; ; attempt += 1) {
      await page.keyboard.press('F1');
      try {
        await palette.locator('input').first().fill(`>${title}`, { timeout: patienceWithPalette });
        await row.click({ timeout: patienceWithPalette });
        break;
      } catch (error) {
        // The key is lost while the focus is in a page that is still loading, or an earlier palette closes.
        if (!(error instanceof errors.TimeoutError) || attempt === mostPalettes) throw error;
        // One that was opened too early may never show what came since.
        await page.keyboard.press('Escape');
      }
    }
    await moveMouseAway();
  };
  return {
    runCommand,
    async pick(question, text) {
      const title = page.locator('.quick-input-title', { hasText: question });
      const quickPick = page.locator('.quick-input-widget').filter({ has: title });
      await quickPick.locator('.monaco-list-row').filter({ hasText: text }).first().click();
      await moveMouseAway();
    },
    async answer(question, value) {
      const asked = page.locator('.quick-input-widget').filter({ hasText: question });
      const input = asked.locator('input').first();
      await input.waitFor();
      if (value !== undefined) await input.fill(value);
      // The key is lost while the focus goes from one question to the next.
      for (let attempt = 1; attempt <= mostKeys; attempt += 1) {
        await page.keyboard.press('Enter');
        if (await disappears(asked)) return;
        await asked.locator('input').evaluateAll(([first]) => first instanceof HTMLElement && first.focus());
      }
      throw new Error(`The answer to "${question}" was not taken.`);
    },
    webview: (index = 0) =>
      page
        .locator('iframe.webview.ready:visible')
        .nth(index)
        .contentFrame()
        .frameLocator('iframe#active-frame'),
    async openContainer(name) {
      await page.locator(`.part.activitybar .action-label[aria-label^="${name}"]`).first().click();
      await moveMouseAway();
    },
    async screenshot(file) {
      await mkdir(dirname(file), { recursive: true });
      await page.screenshot({ path: file });
    },
    async reload() {
      const loaded = page.waitForEvent('load');
      await runCommand('Developer: Reload Window');
      await loaded;
      await whenRestored(page);
    },
  };
}
