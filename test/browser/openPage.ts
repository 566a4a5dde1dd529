import type { Browser, Page } from 'playwright-core';
import { encodeNonFinite } from '../../src/protocol/nonFinite.ts';
import type { MessageFromPage, MessageToPage, PageType } from '../../src/protocol/page.ts';
import { type FakeHost, type Request, replyTo } from './fakeHost.ts';
import type { ThemeName } from './themes.ts';
import { applyTheme, asSentByVsCode, installVsCodeApi, styleOf } from './vscodeFrame.ts';

type Action = Extract<MessageFromPage, { readonly type: 'action' }>;

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

export interface OpenOptions {
  readonly theme?: ThemeName;
  readonly width?: number;
  readonly height?: number;
  readonly language?: string;
}

/** Opens a page that a page server has at this origin, before a host that answers it. */
export async function openPage(
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
