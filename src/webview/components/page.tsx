import * as l10n from '@vscode/l10n';
import { createContext, type FunctionComponent, render } from 'preact';
import { useCallback, useContext, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { EngineEvent, EngineEvents } from '../../protocol/engine.ts';
import type { PagePart, PageState, PageSubject, PageType } from '../../protocol/page.ts';
import { createHost, type Host, type VsCodeApi } from './host.ts';
import { configureLanguageFrom } from './localization.ts';
import './elements.ts';
import './page.css';

declare function acquireVsCodeApi(): VsCodeApi;

type SubjectOf<Page extends PageType> = Extract<PageSubject, { readonly page: Page }>;

/** What a page's content is drawn with. */
export interface PageProperties<Page extends PageType> {
  readonly subject: SubjectOf<Page>;
  /** False: nothing may be started, only looked at. */
  readonly trusted: boolean;
}

interface PageConnection {
  readonly host: Host;
  readonly view: ViewMemory;
  /** What the person asked to see last; another object each time. */
  readonly wish: { readonly part: PagePart } | null;
}

/** The person's choices on the page by name, kept so that a reload of the window brings them back. */
interface ViewMemory {
  read(name: string): unknown;
  write(name: string, value: unknown): void;
}

const Connection = createContext<PageConnection | null>(null);

function useConnection(): PageConnection {
  const connection = useContext(Connection);
  if (!connection) throw new Error('This component belongs inside a page.');
  return connection;
}

/** The line to the extension host. */
export function useHost(): Host {
  return useConnection().host;
}

/**
 * A choice of the person that survives a reload of the window, such as whether a group is open.
 *
 * @param isValid tells whether a kept value still fits; else the page begins with `initial`
 */
export function useViewState<Value>(
  name: string,
  initial: Value,
  isValid: (kept: unknown) => kept is Value,
): readonly [Value, (value: Value) => void] {
  const { view } = useConnection();
  const [value, setValue] = useState<Value>(() => {
    const kept = view.read(name);
    return isValid(kept) ? kept : initial;
  });
  const choose = useCallback(
    (chosen: Value) => {
      view.write(name, chosen);
      setValue(() => chosen);
    },
    [view, name],
  );
  return [value, choose];
}

/** Calls the latest handler for each event of that name. */
export function useEngineEvent<Event extends EngineEvent>(
  event: Event,
  handler: (data: EngineEvents[Event]) => void,
): void {
  const host = useHost();
  const latest = useRef(handler);
  latest.current = handler;
  useEffect(() => host.onEvent(event, (data) => latest.current(data)), [host, event]);
}

/** Calls the latest handler with the file that the person chose after the action `chooseReferenceFile`. */
export function useReferenceFile(handler: (file: string) => void): void {
  const host = useHost();
  const latest = useRef(handler);
  latest.current = handler;
  useEffect(() => host.on('referenceFile', (message) => latest.current(message.file)), [host]);
}

/** Calls the latest handler with each part of the page that the person wants to see. */
export function useReveal(handler: (part: PagePart) => void): void {
  const { wish } = useConnection();
  const latest = useRef(handler);
  latest.current = handler;
  useEffect(() => {
    if (wish) latest.current(wish.part);
  }, [wish]);
}

/** Draws a page of the given type into the document and connects it to the extension host. Call it once. */
export function mountPage<Page extends PageType>(
  page: Page,
  Content: FunctionComponent<PageProperties<Page>>,
): void {
  configureLanguageFrom(document);
  const host = createHost(acquireVsCodeApi(), window);
  const root = document.createElement('main');
  document.body.append(root);
  render(<PageFrame page={page} host={host} Content={Content} />, root);
}

function PageFrame<Page extends PageType>(properties: {
  readonly page: Page;
  readonly host: Host;
  readonly Content: FunctionComponent<PageProperties<Page>>;
}) {
  const { page, host, Content } = properties;
  const [shown, setShown] = useState<PageProperties<Page> | null>(null);
  const [wish, setWish] = useState<PageConnection['wish']>(null);
  const memory = useRef<PageState | null>(null);
  memory.current ??= host.readState();

  const view = useMemo<ViewMemory>(
    () => ({
      read: (name) => memory.current?.view[name],
      write: (name, value) => {
        if (!memory.current) return;
        memory.current = { ...memory.current, view: { ...memory.current.view, [name]: value } };
        host.writeState(memory.current);
      },
    }),
    [host],
  );

  useEffect(() => {
    const stop = host.on('show', ({ subject, trusted }) => {
      if (!isAbout(subject, page)) return;
      const same = memory.current !== null && keyOf(memory.current.subject) === keyOf(subject);
      memory.current = { subject, view: same ? (memory.current?.view ?? {}) : {} };
      host.writeState(memory.current);
      setShown({ subject, trusted });
    });
    const stopWishes = host.on('reveal', ({ part }) => setWish({ part }));
    host.ready();
    return () => {
      stop();
      stopWishes();
    };
  }, [host, page]);

  useScrollMemory(view, shown !== null);
  if (!shown) return <div class="page" role="status" aria-busy="true" aria-label={l10n.t('Loading')} />;
  return (
    <Connection.Provider key={keyOf(shown.subject)} value={{ host, view, wish }}>
      <Content {...shown} />
    </Connection.Provider>
  );
}

function isAbout<Page extends PageType>(subject: PageSubject, page: Page): subject is SubjectOf<Page> {
  return subject.page === page;
}

function keyOf(subject: PageSubject): string {
  return JSON.stringify([subject.folder, subject.page === 'run' ? subject.runId : subject.endpoint]);
}

/** Keeps how far the person had scrolled, and goes back there once the page has grown long enough. */
function useScrollMemory(view: ViewMemory, active: boolean): void {
  useEffect(() => {
    if (!active) return;
    const kept = view.read('scroll');
    let wanted = typeof kept === 'number' && kept > 0 ? kept : null;
    const growth = new ResizeObserver(() => {
      if (wanted === null || document.documentElement.scrollHeight < wanted + window.innerHeight) return;
      window.scrollTo(0, wanted);
      wanted = null;
    });
    growth.observe(document.body);
    const giveUp = () => {
      wanted = null;
    };
    const listeners = new AbortController();
    const { signal } = listeners;
    for (const type of ['wheel', 'keydown', 'pointerdown']) {
      window.addEventListener(type, giveUp, { passive: true, signal });
    }
    window.addEventListener('scrollend', () => view.write('scroll', window.scrollY), { signal });
    return () => {
      growth.disconnect();
      listeners.abort();
    };
  }, [view, active]);
}
