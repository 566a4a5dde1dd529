import { type Disposable, env, l10n, Uri, ViewColumn, type WebviewPanel, window } from 'vscode';
import type { PagePart, PageSubject, PageType } from '../../protocol/page.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { createDisposables } from './disposables.ts';
import type { ErrorReporter } from './errors.ts';
import { connectPage, type PageConnection } from './pageConnection.ts';
import { pageHtml } from './pageHtml.ts';
import { parsePageState } from './pageMessages.ts';

/** Opens pages in editor tabs, and brings them back after a reload of the window. */
export interface PageHost extends Disposable {
  /** Shows the page of this subject, the one that is open already or a new one, and of it this part. */
  open(subject: PageSubject, title: string, part?: PagePart): void;
}

export interface PageHostOptions {
  readonly folders: EngineFolders;
  readonly errors: ErrorReporter;
  readonly extensionUri: Uri;
}

const pageTypes = ['run', 'drift', 'endpoint'] as const satisfies readonly PageType[];

export function createPageHost({ folders, errors, extensionUri }: PageHostOptions): PageHost {
  const root = Uri.joinPath(extensionUri, 'dist', 'webview');
  const panels = new Map<string, { readonly panel: WebviewPanel; readonly connection: PageConnection }>();
  const disposables = createDisposables();

  const fill = (panel: WebviewPanel, subject: PageSubject) => {
    const key = keyOf(subject);
    panel.iconPath = iconOf(extensionUri, subject.page);
    const { webview } = panel;
    webview.options = { enableScripts: true, localResourceRoots: [root] };
    const connection = connectPage({ webview, subject, folders, errors });
    panels.set(key, { panel, connection });
    panel.onDidChangeViewState(() => {
      if (!panel.visible) connection.hide();
    });
    panel.onDidDispose(() => {
      connection.dispose();
      if (panels.get(key)?.panel === panel) panels.delete(key);
    });
    webview.html = pageHtml({
      page: subject.page,
      language: env.language,
      translations: l10n.bundle ?? {},
      title: panel.title,
      source: webview.cspSource,
      resource: (file) => webview.asWebviewUri(Uri.joinPath(root, file)).toString(),
    });
    return connection;
  };

  for (const page of pageTypes) {
    disposables.add(
      window.registerWebviewPanelSerializer(viewTypeOf(page), {
        async deserializeWebviewPanel(panel, state: unknown) {
          const subject = parsePageState(state);
          if (subject?.page === page) fill(panel, subject);
          else panel.dispose();
        },
      }),
    );
  }

  return {
    open(subject, name, part) {
      const shown = panels.get(keyOf(subject));
      shown?.panel.reveal();
      const title = titleOf(subject.page, name);
      const connection =
        shown?.connection ??
        fill(window.createWebviewPanel(viewTypeOf(subject.page), title, ViewColumn.Active), subject);
      if (part !== undefined) connection.reveal(part);
    },
    // Panels stay: a reload of the window ends the extension too, and brings back only what was still open.
    dispose: () => disposables.dispose(),
  };
}

function viewTypeOf(page: PageType): string {
  return `slipway.${page}`;
}

function keyOf(subject: PageSubject): string {
  const noun = subject.page === 'run' ? subject.runId : subject.endpoint;
  return JSON.stringify([subject.page, subject.folder, noun]);
}

function titleOf(page: PageType, name: string): string {
  return page === 'drift' ? l10n.t('Drift: {0}', name) : name;
}

function iconOf(extensionUri: Uri, page: PageType): { light: Uri; dark: Uri } {
  const file = (theme: string) => Uri.joinPath(extensionUri, 'media', 'icons', `${page}-${theme}.svg`);
  return { light: file('light'), dark: file('dark') };
}
