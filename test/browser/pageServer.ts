import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { pageHtml } from '../../src/extension/views/pageHtml.ts';
import type { PageType } from '../../src/protocol/page.ts';
import { repository } from '../toolchain/cacheFolder.ts';
import type { FakeHost } from './fakeHost.ts';
import { type OpenOptions, type OpenPage, openPage } from './openPage.ts';

/** The built pages behind a local address, in the real frame with its content security policy. */
export interface PageServer {
  open(page: PageType, host: FakeHost, options?: OpenOptions): Promise<OpenPage>;
  close(): Promise<void>;
}

const entries: Readonly<Record<PageType, string>> = {
  run: 'src/webview/tracking/runPage.tsx',
  drift: 'src/webview/monitoring/driftPage.tsx',
  endpoint: 'src/webview/serving/endpointPage.tsx',
};

/** Builds the pages as `esbuild.js` does and serves them. */
export async function servePages(browser: Browser): Promise<PageServer> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-pages-'));
  await build({
    absWorkingDir: repository,
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
    const page = pageAt(url.pathname);
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

function pageAt(path: string): PageType | null {
  switch (path) {
    case '/run':
      return 'run';
    case '/drift':
      return 'drift';
    case '/endpoint':
      return 'endpoint';
    default:
      return null;
  }
}

async function frameOf(page: PageType, language: string, origin: string): Promise<string> {
  const name = language === 'en' ? 'bundle.l10n.json' : `bundle.l10n.${language}.json`;
  return pageHtml({
    page,
    language,
    translations: JSON.parse(await readFile(join(repository, 'l10n', name), 'utf8')),
    title: page,
    source: origin,
    resource: (file) => `${origin}/${file}`,
  });
}

function resource(folder: string, path: string): Promise<Buffer> {
  if (path === '/favicon.ico') return Promise.resolve(Buffer.alloc(0));
  const codicons = join(repository, 'node_modules/@vscode/codicons/dist');
  return readFile(join(path.startsWith('/codicon.') ? codicons : folder, path));
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
