import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { pageHtml } from '../../src/extension/views/pageHtml.ts';
import { encodeNonFinite } from '../../src/protocol/nonFinite.ts';
import type {
  LocalizedError,
  MessageFromPage,
  MessageToPage,
  PageSubject,
  PageType,
} from '../../src/protocol/page.ts';
import { fonts, type ThemeName, themes } from './themes.ts';

const root = join(import.meta.dirname, '../..');

type Request = Extract<MessageFromPage, { readonly type: 'request' }>;
type Action = Extract<MessageFromPage, { readonly type: 'action' }>;

/** Stands in for the extension host: answers as the engine would. Thrown `FailedRequest`s become `error` messages. */
export interface FakeHost {
  readonly subject: PageSubject;
  readonly trusted: boolean;
  answer(request: Request): unknown;
}

/** A failure that the fake host answers with. */
export class FailedRequest extends Error {
  readonly error: LocalizedError;

  constructor(error: LocalizedError) {
    super(error.message);
    this.error = error;
  }
}

/** A page that is open in the browser. */
export interface OpenPage {
  readonly page: Page;
  /** Everything that the page asked the host for, in order. */
  readonly requests: Request[];
  readonly actions: Action[];
  readonly cancelled: number[];
  /** Errors and warnings of the console, failed loads and breaches of the content security policy. */
  readonly complaints: string[];
  /** Resolves once what the page has told so far fulfils the condition. */
  until(condition: () => boolean): Promise<void>;
  send(message: MessageToPage): Promise<void>;
  setTheme(theme: ThemeName): Promise<void>;
  close(): Promise<void>;
}

/** The built pages behind a local address, in the real frame with its content security policy. */
export interface PageServer {
  open(page: PageType, host: FakeHost, options?: OpenOptions): Promise<OpenPage>;
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly theme?: ThemeName;
  readonly width?: number;
  readonly height?: number;
  readonly language?: string;
}

const entries: Readonly<Record<PageType, string>> = {
  run: 'src/webview/tracking/runPage.tsx',
  drift: 'src/webview/monitoring/driftPage.tsx',
};

/** Builds the pages as `esbuild.js` does and serves them. */
export async function servePages(browser: Browser): Promise<PageServer> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-pages-'));
  await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: folder,
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'iife',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'warning',
  });
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const origin = `http://${request.headers.host}`;
    const page = url.pathname === '/run' ? 'run' : url.pathname === '/drift' ? 'drift' : null;
    void (
      page ? frameOf(page, url.searchParams.get('language') ?? 'en', origin) : resource(folder, url.pathname)
    ).then(
      (body) => {
        response.setHeader(
          'content-type',
          page ? 'text/html' : (types[extname(url.pathname)] ?? 'text/plain'),
        );
        response.end(body);
      },
      () => {
        response.statusCode = 404;
        response.end();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    open: (page, host, options = {}) => openPage(browser, origin, page, host, options),
    async close() {
      await closed(server);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.ttf': 'font/ttf',
};

async function frameOf(page: PageType, language: string, origin: string): Promise<string> {
  const name = language === 'en' ? 'bundle.l10n.json' : `bundle.l10n.${language}.json`;
  return pageHtml({
    page,
    language,
    translations: JSON.parse(await readFile(join(root, 'l10n', name), 'utf8')),
    title: page,
    source: origin,
    resource: (file) => `${origin}/${file}`,
  });
}

function resource(folder: string, path: string): Promise<Buffer> {
  if (path === '/favicon.ico') return Promise.resolve(Buffer.alloc(0));
  const codicons = join(root, 'node_modules/@vscode/codicons/dist');
  return readFile(join(path.startsWith('/codicon.') ? codicons : folder, path));
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

async function openPage(
  browser: Browser,
  origin: string,
  type: PageType,
  host: FakeHost,
  { theme = 'dark', width = 1200, height = 900, language = 'en' }: OpenOptions,
): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport: { width, height },
    permissions: ['clipboard-read', 'clipboard-write'],
    timezoneId: 'America/Sao_Paulo',
  });
  const page = await context.newPage();
  const requests: Request[] = [];
  const actions: Action[] = [];
  const cancelled: number[] = [];
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('requestfailed', (request) => complaints.push(`did not load: ${request.url()}`));

  const send = async (message: MessageToPage) => {
    await page.evaluate(
      (data) => window.dispatchEvent(new MessageEvent('message', { data })),
      asSentByVsCode(encodeNonFinite(message)),
    );
  };
  let waiting: { readonly condition: () => boolean; readonly resolve: () => void }[] = [];
  const checkWaiting = () => {
    for (const { condition, resolve } of waiting) if (condition()) resolve();
    waiting = waiting.filter(({ condition }) => !condition());
  };
  const receive = async (message: MessageFromPage) => {
    if (message.type === 'ready') await send({ type: 'show', subject: host.subject, trusted: host.trusted });
    else if (message.type === 'cancel') cancelled.push(message.id);
    else if (message.type === 'action') actions.push(message);
    else requests.push(message);
    checkWaiting();
    if (message.type === 'request') {
      await send(await replyTo(host, message));
    }
  };
  // A page that is being reloaded or closed takes no answer any more.
  await page.exposeFunction('slipwayReceive', (message: MessageFromPage) =>
    receive(message).catch((error: unknown) => {
      if (!/closed|destroyed|navigation/i.test(String(error))) throw error;
    }),
  );
  await page.addInitScript(installVsCodeApi);
  await page.addInitScript(applyTheme, styleOf(theme));
  await page.goto(`${origin}/${type}?language=${language}`);
  return {
    page,
    requests,
    actions,
    cancelled,
    complaints,
    until: (condition) =>
      new Promise((resolve) => {
        waiting.push({ condition, resolve });
        checkWaiting();
      }),
    send,
    setTheme: (name) => page.evaluate(applyTheme, styleOf(name)),
    close: () => context.close(),
  };
}

/** VS Code carries messages as JSON, in which NaN and infinities are lost, and typed arrays beside it. */
function asSentByVsCode(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map(asSentByVsCode);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, asSentByVsCode(part)]));
}

async function replyTo(host: FakeHost, request: Request): Promise<MessageToPage> {
  try {
    return { type: 'result', id: request.id, result: (await host.answer(request)) as never };
  } catch (error) {
    if (error instanceof FailedRequest) return { type: 'error', id: request.id, error: error.error };
    throw error;
  }
}

/** Runs in the page: what VS Code gives to it. Its state outlives a reload, as it does in VS Code. */
function installVsCodeApi(): void {
  const kept = 'vscode-state';
  Object.assign(window, {
    acquireVsCodeApi: () => ({
      postMessage: (message: unknown) => void Reflect.get(window, 'slipwayReceive')(message),
      getState: () => JSON.parse(sessionStorage.getItem(kept) ?? 'null'),
      setState: (state: unknown) => sessionStorage.setItem(kept, JSON.stringify(state)),
    }),
  });
}

interface ThemeStyle {
  readonly kind: string;
  readonly variables: Readonly<Record<string, string>>;
}

function styleOf(name: ThemeName): ThemeStyle {
  const theme = themes[name];
  return { kind: theme.kind, variables: { ...fonts, ...theme.colors } };
}

/** Runs in the page: sets the variables and the class as VS Code does, now or once there is a body. */
function applyTheme({ kind, variables }: ThemeStyle): void {
  const apply = () => {
    const { style } = document.documentElement;
    for (const name of [...style]) style.removeProperty(name);
    for (const [name, value] of Object.entries(variables)) style.setProperty(`--vscode-${name}`, value);
    document.body.className = kind;
  };
  if (document.body) apply();
  else {
    new MutationObserver((_, observer) => {
      if (!document.body) return;
      observer.disconnect();
      apply();
    }).observe(document, { childList: true, subtree: true });
  }
}
