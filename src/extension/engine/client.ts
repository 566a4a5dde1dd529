import {
  type CancellationToken,
  type Disposable,
  type Event as EditorEvent,
  EventEmitter,
  type LogOutputChannel,
  type Memento,
  type SecretStorage,
  Uri,
  type WorkspaceFolder,
  workspace,
} from 'vscode';
import { CancellationToken as NeverCancelled, ResponseError } from 'vscode-jsonrpc/node';
import type {
  EngineAddress,
  EngineEvent,
  EngineEvents,
  EngineMethod,
  EngineParams,
  EngineResult,
} from '../../protocol/engine.ts';
import { fromErrorData, isErrorData, SlipwayError, toSlipwayError } from '../../protocol/errors.ts';
import type { PythonConsent } from '../../protocol/pythonModels.ts';
import { settingOf } from '../views/settings.ts';
import { findFreePort } from './freePort.ts';
import { type EngineProcess, type ProcessEnd, startEngineProcess } from './process.ts';
import { createRestartBudget } from './restartBudget.ts';
import { engineToken } from './token.ts';

export type EngineState =
  /** Nothing has needed it yet. */
  | { readonly name: 'idle' }
  /** `expected` is where it will answer, unless the port is taken meanwhile; null as long as that is not known. */
  | { readonly name: 'starting'; readonly expected: Pick<EngineAddress, 'url' | 'token'> | null }
  /** `address` is null in a workspace that is not trusted: nothing listens. */
  | { readonly name: 'ready'; readonly address: EngineAddress | null }
  | { readonly name: 'failed'; readonly error: SlipwayError };

/** The engine of one workspace folder, as the rest of the extension sees it. */
export interface EngineClient {
  readonly folder: WorkspaceFolder;
  /** The folder's URI as text: how commands and pages name it. */
  readonly id: string;
  readonly state: EngineState;
  readonly onDidChangeState: EditorEvent<EngineState>;
  /** It crashed and is being started again. */
  readonly onDidCrash: EditorEvent<ProcessEnd>;
  /** False where there is nothing to read and nothing may be started: no store, and no trust. */
  canRead(): Promise<boolean>;
  /** Whether the folder has a store already. */
  hasStore(): Promise<boolean>;
  /** Starts the engine when it does not run. */
  start(): Promise<void>;
  /**
   * Asks the engine, starting it first when needed.
   *
   * @throws SlipwayError what the engine answered, or engineStopped.
   */
  request<Method extends EngineMethod>(
    method: Method,
    params: EngineParams<Method>,
    cancellation?: CancellationToken,
  ): Promise<EngineResult<Method>>;
  /** Lets the engine load a Python model, now and whenever it starts: the person allowed it. */
  allowPython(consent: PythonConsent): Promise<void>;
  on<Event extends EngineEvent>(event: Event, listener: (data: EngineEvents[Event]) => void): Disposable;
  /** Every event that the engine tells. */
  onAny(listener: EngineListener): Disposable;
  restart(): Promise<void>;
  /** Ends the process; it must not be used afterwards. */
  close(): Promise<void>;
}

export type EngineListener = <Event extends EngineEvent>(event: Event, data: EngineEvents[Event]) => void;

export interface EngineClientOptions {
  readonly folder: WorkspaceFolder;
  /** The engine's bundle. */
  readonly script: string;
  /** Keeps the port, so that terminals that are open find the engine again, and which Python models were allowed. */
  readonly memory: Memento;
  readonly secrets: SecretStorage;
  readonly log: LogOutputChannel;
}

/** Python models that are remembered as allowed; the person is asked again for older ones. */
const keptConsents = 500;

interface Conversation {
  readonly process: EngineProcess;
  readonly address: EngineAddress | null;
}

const events = [
  'tracking/changed',
  'registry/changed',
  'serving/changed',
  'provenance/changed',
  'job/progress',
  'serving/loadTestStep',
  'serving/settingsRead',
  'serving/rolloutReplaced',
  'log',
] as const satisfies readonly EngineEvent[];

/** A client of a folder's engine. The process starts with the first request and is restarted when it crashes. */
export function createEngineClient(options: EngineClientOptions): EngineClient {
  const { folder, log, memory } = options;
  const id = folder.uri.toString();
  const portKey = `slipway.port:${id}`;
  const consentsKey = `slipway.pythonConsents:${id}`;
  const stateChanged = new EventEmitter<EngineState>();
  const crashed = new EventEmitter<ProcessEnd>();
  const listeners = new Set<EngineListener>();
  const restarts = createRestartBudget();
  let state: EngineState = { name: 'idle' };
  let conversation: Promise<Conversation> | null = null;
  /** An engine that cannot open its store, and stays to put a backup in its place. */
  let damaged: EngineProcess | null = null;
  let closed = false;

  const become = (next: EngineState) => {
    state = next;
    stateChanged.fire(next);
  };

  const listen = ({ connection }: EngineProcess) => {
    for (const event of events) {
      connection.onNotification(event, (data: EngineEvents[typeof event]) => {
        for (const listener of listeners) listener(event, data);
      });
    }
    connection.onError(([error]) => log.error('engine connection', error));
    connection.listen();
  };

  const pythonConsents = () => memory.get<PythonConsent[]>(consentsKey, []);

  const open = async (): Promise<Conversation> => {
    become({ name: 'starting', expected: null });
    const token = await engineToken(options.secrets, id);
    const port = workspace.isTrusted ? (memory.get<number>(portKey) ?? (await findFreePort())) : null;
    if (port !== null) become({ name: 'starting', expected: { url: `http://127.0.0.1:${port}`, token } });
    const process = startEngineProcess({
      script: options.script,
      nodePath: settingOf('slipway.nodePath', folder) || globalThis.process.execPath,
      output: (line) => log.info(`[engine ${folder.name}] ${line}`),
    });
    listen(process);
    try {
      const address = await ask(process, 'engine/open', {
        workspace: folder.uri.fsPath,
        preferredPort: port,
        token,
        trusted: workspace.isTrusted,
        pythonConsents: pythonConsents(),
      });
      if (address !== null) await memory.update(portKey, address.port);
      return { process, address };
    } catch (error) {
      if (toSlipwayError(error).kind === 'storeDamaged') damaged = process;
      else await process.end();
      throw error;
    }
  };

  const begin = (): Promise<Conversation> => {
    const opening = open();
    conversation = opening;
    opening.then(
      (opened) => {
        if (conversation !== opening) return;
        become({ name: 'ready', address: opened.address });
        void opened.process.ended.then((end) => {
          if (conversation === opening) recover(end);
        });
      },
      (error) => {
        if (conversation === opening) become({ name: 'failed', error: toSlipwayError(error) });
      },
    );
    return opening;
  };

  const recover = (end: ProcessEnd) => {
    log.error(`[engine ${folder.name}] ended unexpectedly: ${describeEnd(end)}`);
    conversation = null;
    if (restarts.spend()) {
      crashed.fire(end);
      begin().catch(() => {});
    } else {
      const error = new SlipwayError('engineStopped', { detail: describeEnd(end) });
      conversation = Promise.reject(error);
      conversation.catch(() => {});
      become({ name: 'failed', error });
    }
  };

  const end = async () => {
    const ending = conversation;
    conversation = null;
    const opened = await ending?.catch(() => null);
    await opened?.process.end();
    await damaged?.end();
    damaged = null;
  };

  const hasStore = async (): Promise<boolean> => {
    try {
      await workspace.fs.stat(Uri.joinPath(folder.uri, '.slipway', 'store.db'));
      return true;
    } catch {
      return false;
    }
  };

  const running = async (): Promise<Conversation> => {
    if (closed) throw new SlipwayError('engineStopped', { detail: folder.name });
    if (conversation) return conversation;
    if (!workspace.isTrusted && !(await hasStore())) throw new SlipwayError('workspaceUntrusted');
    return conversation ?? begin();
  };

  const restart = async () => {
    if (closed) return;
    await end();
    restarts.reset();
    if (!closed) await running();
  };

  return {
    folder,
    id,
    get state() {
      return state;
    },
    onDidChangeState: stateChanged.event,
    onDidCrash: crashed.event,
    canRead: async () => workspace.isTrusted || (await hasStore()),
    hasStore,
    start: async () => void (await running()),
    async request(method, params, cancellation) {
      if (damaged === null || !mendsStore(method)) {
        const { process } = await running();
        return ask(process, method, params, cancellation);
      }
      const answer = await ask(damaged, method, params, cancellation);
      if (method === 'maintenance/restore') await restart();
      return answer;
    },
    async allowPython(consent) {
      const others = pythonConsents().filter(({ digest }) => digest !== consent.digest);
      await memory.update(consentsKey, [...others, consent].slice(-keptConsents));
      const { process } = await running();
      await ask(process, 'python/allow', consent);
    },
    on(event, listener) {
      const selective: EngineListener = (happened, data) => {
        if (isEvent(event, happened, data)) listener(data);
      };
      listeners.add(selective);
      return { dispose: () => listeners.delete(selective) };
    },
    onAny(listener) {
      listeners.add(listener);
      return { dispose: () => listeners.delete(listener) };
    },
    restart,
    async close() {
      closed = true;
      await end();
      listeners.clear();
      stateChanged.dispose();
      crashed.dispose();
    },
  };
}

/** What an engine answers whose store is too damaged to be opened. */
function mendsStore(method: EngineMethod): boolean {
  return method === 'maintenance/describeBackup' || method === 'maintenance/restore';
}

async function ask<Method extends EngineMethod>(
  process: EngineProcess,
  method: Method,
  params: EngineParams<Method>,
  cancellation?: CancellationToken,
): Promise<EngineResult<Method>> {
  try {
    return await process.connection.sendRequest<EngineResult<Method>>(
      method,
      params,
      // Left out, it would travel as a second parameter.
      cancellation ?? NeverCancelled.None,
    );
  } catch (error) {
    if (cancellation?.isCancellationRequested) throw new SlipwayError('cancelled');
    if (error instanceof ResponseError && isErrorData(error.data)) throw fromErrorData(error.data);
    if (process.listens) throw toSlipwayError(error);
    throw new SlipwayError('engineStopped', { detail: describeEnd(await process.ended) }, { cause: error });
  }
}

function isEvent<Event extends EngineEvent>(
  wanted: Event,
  happened: EngineEvent,
  data: EngineEvents[EngineEvent],
): data is EngineEvents[Event] {
  return data !== undefined && happened === wanted;
}

function describeEnd({ code, signal, error }: ProcessEnd): string {
  if (error) return error.message;
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}
