import { Buffer } from 'node:buffer';
import { CancellationTokenSource, type Disposable, l10n, Uri, type Webview, window, workspace } from 'vscode';
import type { EngineMethod, EngineParams } from '../../protocol/engine.ts';
import { engineRequests } from '../../protocol/engine.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import { encodeNonFinite } from '../../protocol/nonFinite.ts';
import type { MessageToPage, PageMethod, PagePart, PageSubject } from '../../protocol/page.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { runCommand } from './commands.ts';
import { createDisposables } from './disposables.ts';
import { type ErrorReporter, localizeError } from './errors.ts';
import { type CheckedMessage, isAllowed, parseMessage } from './pageMessages.ts';
import { requireTrust } from './trust.ts';

export interface PageConnectionOptions {
  readonly webview: Webview;
  readonly subject: PageSubject;
  readonly folders: EngineFolders;
  readonly errors: ErrorReporter;
}

type Request = Extract<CheckedMessage, { readonly type: 'request' }>;
type Action = Extract<CheckedMessage, { readonly type: 'action' }>;

export interface PageConnection extends Disposable {
  /** Shows a part of the page, now or as soon as the page listens. */
  reveal(part: PagePart): void;
  /** The page is hidden: VS Code discards its content, and it will say anew when it listens. */
  hide(): void;
}

/**
 * The conversation with one open page: answers its requests from its folder's engine, does what it asks for, and
 * passes on what the engine tells.
 */
export function connectPage({ webview, subject, folders, errors }: PageConnectionOptions): PageConnection {
  const disposables = createDisposables();
  let listens = false;
  let wanted: PagePart | null = null;
  const running = new Map<number, CancellationTokenSource>();
  const send = (message: MessageToPage) => void webview.postMessage(encodeNonFinite(message));

  const answer = async ({ id, method, params }: Request) => {
    const cancellation = new CancellationTokenSource();
    running.set(id, cancellation);
    try {
      if (!isAllowed(subject.page, method)) {
        throw new SlipwayError('invalidParameter', { detail: `This page may not ask for ${method}.` });
      }
      if (startsWork(method)) requireTrust();
      const checked = checkedParams(method, params);
      const result = await folders.of(subject.folder).request(method, checked, cancellation.token);
      send({ type: 'result', id, result });
    } catch (error) {
      errors.record(error);
      send({ type: 'error', id, error: localizeError(error) });
    } finally {
      running.delete(id);
      cancellation.dispose();
    }
  };

  const act = async (action: Action) => {
    switch (action.action) {
      case 'openArtifact': {
        const { runId, path } = action;
        return runCommand('slipway.openArtifact', { folder: subject.folder, runId, path });
      }
      case 'registerModel':
        return runCommand('slipway.registerModel', { folder: subject.folder, runId: action.runId });
      case 'openRun':
        return runCommand('slipway.openRun', { folder: subject.folder, runId: action.runId });
      case 'showChanges':
        return runCommand('slipway.showChanges', { folder: subject.folder, runId: action.runId });
      case 'chooseReferenceFile': {
        const file = await chooseReferenceFile(folders.of(subject.folder));
        if (file !== undefined) send({ type: 'referenceFile', file });
        return;
      }
      case 'saveImage':
        return saveImage(folders.of(subject.folder), action.name, action.dataUrl);
      case 'saveTable':
        return saveTable(folders.of(subject.folder), action.name, action.text);
      case 'startEndpoint': {
        const { model, version } = action;
        return runCommand('slipway.startEndpoint', { folder: subject.folder, model, version });
      }
      case 'endpointCommand': {
        if (subject.page !== 'endpoint') return;
        const { folder, endpoint } = subject;
        return runCommand(`slipway.${action.command}`, { folder, endpoint });
      }
    }
  };

  const show = () => {
    listens = true;
    send({ type: 'show', subject, trusted: workspace.isTrusted });
    if (wanted !== null) send({ type: 'reveal', part: wanted });
    wanted = null;
  };

  const receive = async (message: unknown) => {
    const checked = parseMessage(message);
    switch (checked?.type) {
      case 'ready':
        return show();
      case 'request':
        return answer(checked);
      case 'cancel':
        return running.get(checked.id)?.cancel();
      case 'action':
        return act(checked);
      default:
        throw new SlipwayError('invalidParameter', { detail: 'A page sent a message of an unknown form.' });
    }
  };

  disposables.add(webview.onDidReceiveMessage((message) => receive(message).catch(errors.report)));
  disposables.add(
    folders.listen((client) => (event, data) => {
      // The compiler loses that event and data belong together.
      if (client.id === subject.folder) send({ type: 'event', event, data } as MessageToPage);
    }),
  );
  disposables.add(
    folders.withEach((client) =>
      client.onDidChangeState(({ name }) => {
        // What was told while the engine was away is lost, so the page is told that its subject may have changed.
        if (name === 'ready' && client.id === subject.folder) send(changeOf(subject));
      }),
    ),
  );
  disposables.add(workspace.onDidGrantWorkspaceTrust(() => send({ type: 'show', subject, trusted: true })));
  disposables.add({
    dispose() {
      for (const cancellation of running.values()) cancellation.cancel();
    },
  });
  return {
    reveal(part) {
      if (listens) send({ type: 'reveal', part });
      else wanted = part;
    },
    hide() {
      listens = false;
    },
    dispose: () => disposables.dispose(),
  };
}

/** Whether this starts a process: a page restored in a workspace that is not trusted any more may not. */
function startsWork(method: PageMethod): boolean {
  return method === 'monitoring/drift' || method === 'serving/loadTest';
}

function checkedParams<Method extends EngineMethod>(method: Method, params: unknown): EngineParams<Method> {
  const parsed = engineRequests[method].params.safeParse(params);
  if (parsed.success) return parsed.data as EngineParams<Method>;
  const detail = `${method}: ${parsed.error.issues[0]?.message ?? ''}`;
  throw new SlipwayError('invalidParameter', { detail }, { cause: parsed.error });
}

function changeOf(subject: PageSubject): MessageToPage {
  return subject.page === 'run'
    ? { type: 'event', event: 'tracking/changed', data: { experimentIds: [], runIds: [subject.runId] } }
    : { type: 'event', event: 'serving/changed', data: { endpoints: [subject.endpoint] } };
}

async function chooseReferenceFile(client: EngineClient): Promise<string | undefined> {
  const chosen = await window.showOpenDialog({
    title: l10n.t('Choose the data that the model was trained on'),
    openLabel: l10n.t('Compare With'),
    defaultUri: client.folder.uri,
    filters: { [l10n.t('Tables')]: ['csv', 'parquet'] },
  });
  return chosen?.[0]?.fsPath;
}

async function saveImage(client: EngineClient, name: string, dataUrl: string): Promise<void> {
  const picture = Buffer.from(dataUrl.slice(dataUrl.indexOf(',') + 1), 'base64');
  await save(client, name, 'png', picture);
}

function saveTable(client: EngineClient, name: string, text: string): Promise<void> {
  return save(client, name, 'csv', Buffer.from(text));
}

async function save(client: EngineClient, name: string, ending: string, content: Buffer): Promise<void> {
  const fileName = `${name.replaceAll(/[^\p{L}\p{N} _.-]/gu, '_')}.${ending}`;
  const target = await window.showSaveDialog({
    defaultUri: Uri.joinPath(client.folder.uri, fileName),
    filters: { [ending.toUpperCase()]: [ending] },
  });
  if (target) await workspace.fs.writeFile(target, content);
}
