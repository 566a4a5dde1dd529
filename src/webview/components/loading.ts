import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { LocalizedError } from '../../protocol/page.ts';
import { RequestError } from './host.ts';

/** The state of something that is asked from the engine. The last value stays while a newer one is on its way. */
export interface Loaded<Value> {
  readonly value: Value | null;
  readonly error: LocalizedError | null;
  /** Asks again. While an answer is on its way it asks once more after it, however often it was called. */
  readonly reload: () => void;
}

/** Asks when the component appears and whenever `load` changes; stops asking when it goes. */
export function useLoaded<Value>(load: (signal: AbortSignal) => Promise<Value>): Loaded<Value> {
  const [state, setState] = useState<Omit<Loaded<Value>, 'reload'>>({ value: null, error: null });
  const again = useRef<() => void>(() => undefined);

  useEffect(() => {
    const abort = new AbortController();
    let asking = false;
    let stale = false;

    async function ask(): Promise<void> {
      if (asking) {
        stale = true;
        return;
      }
      asking = true;
      try {
        do {
          stale = false;
          await askOnce();
        } while (stale);
      } finally {
        asking = false;
      }
    }

    async function askOnce(): Promise<void> {
      try {
        const value = await load(abort.signal);
        setState({ value, error: null });
      } catch (thrown) {
        if (abort.signal.aborted) return;
        const error = localizedErrorOf(thrown);
        setState((before) => ({ ...before, error }));
      }
    }

    again.current = () => void ask();
    void ask();
    return () => abort.abort();
  }, [load]);

  const reload = useCallback(() => again.current(), []);
  return { ...state, reload };
}

/** The texts of a failed request; a fault of the page itself is thrown on. */
export function localizedErrorOf(thrown: unknown): LocalizedError {
  if (thrown instanceof RequestError) return thrown.error;
  throw thrown;
}
