import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { LocalizedError } from '../../protocol/page.ts';
import type { EndpointLive } from '../../protocol/serving.ts';
import { localizedErrorOf } from '../components/loading.ts';
import { useEngineEvent, useHost } from '../components/page.tsx';
import { appended, emptyHistory, type LiveHistory, wantedFrom } from './liveHistory.ts';

/** What the page knows of its endpoint; the last of it stays while newer is on its way. */
export interface Live {
  readonly live: EndpointLive | null;
  readonly history: LiveHistory;
  readonly error: LocalizedError | null;
  /** UTC milliseconds: when this was asked. */
  readonly now: number;
  readonly reload: () => void;
}

const secondMilliseconds = 1000;

/**
 * Asks for what is new of an endpoint when the engine tells of a change, and each second while it answers: curves go on
 * while nothing happens, too.
 */
export function useLive(endpoint: string): Live {
  const host = useHost();
  const [state, setState] = useState<Omit<Live, 'reload'>>(() => ({
    live: null,
    history: emptyHistory,
    error: null,
    now: Date.now(),
  }));
  const held = useRef({ history: emptyHistory, asking: false, stale: false });

  const ask = useCallback(async () => {
    const now = held.current;
    if (now.asking) {
      now.stale = true;
      return;
    }
    now.asking = true;
    try {
      do {
        now.stale = false;
        const asked = Date.now();
        const live = await host.request('serving/live', { endpoint, from: wantedFrom(now.history, asked) });
        now.history = appended(now.history, live);
        setState({ live, history: now.history, error: null, now: asked });
      } while (now.stale);
    } catch (thrown) {
      const error = localizedErrorOf(thrown);
      setState((before) => ({ ...before, error }));
    } finally {
      now.asking = false;
    }
  }, [host, endpoint]);

  useEffect(() => void ask(), [ask]);
  useEngineEvent('serving/changed', ({ endpoints }) => {
    if (endpoints.length === 0 || endpoints.includes(endpoint)) void ask();
  });
  const ready = state.live?.endpoint.state === 'ready' && state.error === null;
  useEffect(() => {
    if (!ready) return;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void ask();
    }, secondMilliseconds);
    return () => clearInterval(timer);
  }, [ready, ask]);
  return { ...state, reload: () => void ask() };
}
