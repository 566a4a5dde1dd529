import { type Disposable, EventEmitter, Uri, workspace } from 'vscode';
import { type EndpointTarget, targets } from '../contributions.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { createDisposables } from '../views/disposables.ts';
import { sentenceOf } from '../views/errors.ts';
import type { Formats } from '../views/formats.ts';
import { endpointDocument } from './endpointDocument.ts';

/** Documents about endpoints, written anew whenever they are opened, after a reload of the window, too. */
export interface EndpointDocuments extends Disposable {
  uriOf(target: EndpointTarget): Uri;
}

export interface EndpointDocumentsOptions {
  readonly folders: EngineFolders;
  readonly formats: Formats;
}

const scheme = 'slipway-endpoint';

export function createEndpointDocuments({ folders, formats }: EndpointDocumentsOptions): EndpointDocuments {
  const disposables = createDisposables();
  const changed = disposables.add(new EventEmitter<Uri>());
  disposables.add(
    workspace.registerTextDocumentContentProvider(scheme, {
      onDidChange: changed.event,
      async provideTextDocumentContent(uri) {
        try {
          const { folder, endpoint } = targetOf(uri);
          const description = await folders.of(folder).request('serving/describe', { endpoint });
          return endpointDocument(description, formats);
        } catch (error) {
          return `${sentenceOf(error)}\n`;
        }
      },
    }),
  );
  disposables.add(
    folders.listen((client) => (event) => {
      if (event !== 'serving/changed') return;
      for (const { uri } of workspace.textDocuments) {
        if (uri.scheme === scheme && targetOf(uri).folder === client.id) changed.fire(uri);
      }
    }),
  );
  return {
    uriOf: ({ folder, endpoint }) =>
      Uri.from({
        scheme,
        path: `/${encodeURIComponent(endpoint)}.md`,
        query: JSON.stringify({ folder, endpoint }),
      }),
    dispose: () => disposables.dispose(),
  };
}

function targetOf(uri: Uri): EndpointTarget {
  return targets.endpoint.parse(JSON.parse(uri.query));
}
