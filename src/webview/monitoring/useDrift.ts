import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { EngineParams } from '../../protocol/engine.ts';
import type { DriftReport } from '../../protocol/monitoring.ts';
import type { LocalizedError } from '../../protocol/page.ts';
import { localizedErrorOf } from '../components/loading.ts';
import { useEngineEvent, useHost } from '../components/page.tsx';

/** How a comparison stands. The last report stays while a newer one is computed. */
export interface DriftComputation {
  readonly report: DriftReport | null;
  readonly error: LocalizedError | null;
  readonly computing: boolean;
  /** Between 0 and 1; null until the first word of progress. */
  readonly fraction: number | null;
  readonly compare: (question: EngineParams<'monitoring/drift'>) => void;
  readonly cancel: () => void;
}

/** Computes the drift of an endpoint on demand; a new question cancels the one before it. */
export function useDrift(endpoint: string): DriftComputation {
  const host = useHost();
  const [state, setState] = useState<Omit<DriftComputation, 'compare' | 'cancel'>>({
    report: null,
    error: null,
    computing: false,
    fraction: null,
  });
  const running = useRef<AbortController | null>(null);

  useEngineEvent('job/progress', ({ method, subject, fraction }) => {
    if (method !== 'monitoring/drift' || subject !== endpoint) return;
    setState((before) => (before.computing ? { ...before, fraction } : before));
  });

  const compare = useCallback(
    async (question: EngineParams<'monitoring/drift'>) => {
      running.current?.abort();
      const abort = new AbortController();
      running.current = abort;
      setState((before) => ({ ...before, error: null, computing: true, fraction: null }));
      try {
        const report = await host.request('monitoring/drift', question, abort.signal);
        if (running.current === abort) setState({ report, error: null, computing: false, fraction: null });
      } catch (thrown) {
        if (running.current !== abort) return;
        const error = localizedErrorOf(thrown);
        setState((before) => ({
          report: error.kind === 'cancelled' ? before.report : null,
          error: error.kind === 'cancelled' ? null : error,
          computing: false,
          fraction: null,
        }));
      }
    },
    [host],
  );
  const cancel = useCallback(() => running.current?.abort(), []);
  useEffect(() => cancel, [cancel]);
  return { ...state, compare: (question) => void compare(question), cancel };
}
