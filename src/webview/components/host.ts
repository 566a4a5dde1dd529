import type { EngineEvent, EngineEvents, EngineParams, EngineResult } from '../../protocol/engine.ts';
import { decodeNonFinite } from '../../protocol/nonFinite.ts';
import type {
  LocalizedError,
  MessageFromPage,
  MessageToPage,
  PageAction,
  PageMethod,
  PageState,
} from '../../protocol/page.ts';

/** What VS Code gives to a page by `acquireVsCodeApi`. */
export interface VsCodeApi {
  postMessage(message: MessageFromPage): void;
  getState(): unknown;
  setState(state: PageState): void;
}

/** A request that failed, with its texts in the person's language. */
export class RequestError extends Error {
  readonly error: LocalizedError;

  constructor(error: LocalizedError) {
    super(error.message);
    this.name = 'RequestError';
    this.error = error;
  }
}

type MessageOf<Type extends MessageToPage['type']> = Extract<MessageToPage, { readonly type: Type }>;

/** The page's line to the extension host. */
export interface Host {
  /** Tells that the page listens; the host answers with `show`. */
  ready(): void;
  /** Asks the engine; fails with `RequestError`. Aborting tells the host to stop and fails with kind `cancelled`. */
  request<Method extends PageMethod>(
    method: Method,
    params: EngineParams<Method>,
    signal?: AbortSignal,
  ): Promise<EngineResult<Method>>;
  /** Asks the host to do something; there is no answer. */
  act(action: PageAction): void;
  /** Calls the handler for each message of this type until the returned function is called. */
  on<Type extends 'show' | 'referenceFile' | 'reveal'>(
    type: Type,
    handler: (message: MessageOf<Type>) => void,
  ): () => void;
  /** Calls the handler for each event of that name until the returned function is called. */
  onEvent<Event extends EngineEvent>(event: Event, handler: (data: EngineEvents[Event]) => void): () => void;
  /** What `writeState` kept, even from before a reload of the window; null when nothing fitting was kept. */
  readState(): PageState | null;
  writeState(state: PageState): void;
}

interface Pending {
  readonly settle: (message: MessageOf<'result'> | MessageOf<'error'>) => void;
}

/** Connects to the extension host: `api` carries messages there, `incoming` (the window) receives its answers. */
export function createHost(api: VsCodeApi, incoming: EventTarget): Host {
  const pending = new Map<number, Pending>();
  const listeners = new Set<(message: MessageToPage) => void>();
  let lastId = 0;

  incoming.addEventListener('message', (event) => {
    const message = decodeNonFinite('data' in event ? event.data : null);
    if (!isMessageToPage(message)) return;
    if (message.type === 'result' || message.type === 'error') {
      pending.get(message.id)?.settle(message);
      return;
    }
    for (const listener of [...listeners]) listener(message);
  });

  function listen(listener: (message: MessageToPage) => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  return {
    ready: () => api.postMessage({ type: 'ready' }),
    request(method, params, signal) {
      type Result = EngineResult<typeof method>;
      lastId += 1;
      const id = lastId;
      return new Promise<Result>((resolve, reject) => {
        const abort = () => {
          pending.delete(id);
          api.postMessage({ type: 'cancel', id });
          reject(new RequestError({ kind: 'cancelled', message: '', remedy: '' }));
        };
        if (signal?.aborted) {
          reject(new RequestError({ kind: 'cancelled', message: '', remedy: '' }));
          return;
        }
        signal?.addEventListener('abort', abort, { once: true });
        pending.set(id, {
          settle: (message) => {
            pending.delete(id);
            signal?.removeEventListener('abort', abort);
            // The id ties the answer to the method, which the compiler cannot see.
            if (message.type === 'result') resolve(message.result as Result);
            else reject(new RequestError(message.error));
          },
        });
        api.postMessage({ type: 'request', id, method, params } as MessageFromPage);
      });
    },
    act: (action) => api.postMessage({ type: 'action', ...action }),
    on(type, handler) {
      return listen((message) => {
        if (message.type === type) handler(message as MessageOf<typeof type>);
      });
    },
    onEvent(event, handler) {
      return listen((message) => {
        if (message.type === 'event' && message.event === event) {
          handler(message.data as EngineEvents[typeof event]);
        }
      });
    },
    readState: () => pageStateFrom(api.getState()),
    writeState: (state) => api.setState(state),
  };
}

function isMessageToPage(message: unknown): message is MessageToPage {
  return (
    typeof message === 'object' && message !== null && 'type' in message && typeof message.type === 'string'
  );
}

/** The kept state, or null when it is of another shape, as one kept by an older version may be. */
export function pageStateFrom(kept: unknown): PageState | null {
  if (!isRecord(kept) || !isRecord(kept.subject) || !isRecord(kept.view)) return null;
  const { page, folder, runId, endpoint } = kept.subject;
  if (typeof folder !== 'string') return null;
  if (page === 'run' && typeof runId === 'string')
    return { subject: { page, folder, runId }, view: kept.view };
  if ((page === 'drift' || page === 'endpoint') && typeof endpoint === 'string') {
    return { subject: { page, folder, endpoint }, view: kept.view };
  }
  return null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
