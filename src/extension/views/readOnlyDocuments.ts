import {
  commands,
  type Disposable,
  EventEmitter,
  l10n,
  ProgressLocation,
  Uri,
  window,
  workspace,
} from 'vscode';
import { createDisposables } from './disposables.ts';

/** Documents that Slipway writes and the person only reads; they live in memory, so closing one asks nothing. */
export interface ReadOnlyDocuments extends Disposable {
  /** Puts a text under a path such as `/churn.md`; an open document of that path changes. */
  put(path: string, text: string): Uri;
  /** Shows Markdown as people read it, under a name that may hold anything; says so while that takes its time. */
  showMarkdown(name: string, text: string): Promise<void>;
}

const scheme = 'slipway';

export function createReadOnlyDocuments(): ReadOnlyDocuments {
  const texts = new Map<string, string>();
  const disposables = createDisposables();
  const changed = disposables.add(new EventEmitter<Uri>());
  disposables.add(
    workspace.registerTextDocumentContentProvider(scheme, {
      onDidChange: changed.event,
      provideTextDocumentContent: (uri) => texts.get(uri.toString()) ?? '',
    }),
  );
  disposables.add(workspace.onDidCloseTextDocument(({ uri }) => texts.delete(uri.toString())));
  const put = (path: string, text: string): Uri => {
    const uri = Uri.from({ scheme, path });
    texts.set(uri.toString(), text);
    changed.fire(uri);
    return uri;
  };
  return {
    put,
    async showMarkdown(name, text) {
      const uri = put(`/${name.replaceAll(/[%/\\]/g, encodeURIComponent)}.md`, text);
      await window.withProgress(
        { location: ProgressLocation.Notification, title: l10n.t('Opening the report…') },
        async () => {
          await commands.executeCommand('markdown.showPreview', uri);
          // The first preview stays empty until the editor has loaded what it draws Markdown with: this waits for that.
          await commands.executeCommand('markdown.api.render', '');
        },
      );
    },
    dispose: () => disposables.dispose(),
  };
}
