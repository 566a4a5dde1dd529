import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { EngineParams } from '../../protocol/engine.ts';
import type { LoadTestReport, LoadTestStep } from '../../protocol/loadTest.ts';
import type { LocalizedError } from '../../protocol/page.ts';
import { localizedErrorOf } from '../components/loading.ts';
import { useEngineEvent, useHost } from '../components/page.tsx';

/** How a load test stands. What it has measured stays when it is stopped. */
export interface LoadTestRun {
  readonly running: boolean;
  /** Between 0 and 1; null until the first word of progress. */
  readonly fraction: number | null;
  readonly steps: readonly LoadTestStep[];
  /** Null until it is over. */
  readonly report: LoadTestReport | null;
  readonly error: LocalizedError | null;
  readonly start: (params: EngineParams<'serving/loadTest'>) => void;
  readonly cancel: () => void;
}

type State = Omit<LoadTestRun, 'start' | 'cancel'>;

const idle: State = { running: false, fraction: null, steps: [], report: null, error: null };

export function useLoadTest(endpoint: string): LoadTestRun {
  const host = useHost();
  const [state, setState] = useState(idle);
  const running = useRef<AbortController | null>(null);

  useEngineEvent('job/progress', ({ method, subject, fraction }) => {
    if (method !== 'serving/loadTest' || subject !== endpoint) return;
    setState((before) => (before.running ? { ...before, fraction } : before));
  });
  useEngineEvent('serving/loadTestStep', ({ endpoint: tested, step }) => {
    if (tested !== endpoint) return;
    setState((before) => (before.running ? { ...before, steps: [...before.steps, step] } : before));
  });

  const start = useCallback(
    async (params: EngineParams<'serving/loadTest'>) => {
      const abort = new AbortController();
      running.current = abort;
      setState({ ...idle, running: true });
      try {
        const report = await host.request('serving/loadTest', params, abort.signal);
        setState({ ...idle, steps: report.steps, report });
      } catch (thrown) {
        const error = localizedErrorOf(thrown);
        setState((before) => ({
          ...before,
          running: false,
          fraction: null,
          error: error.kind === 'cancelled' ? null : error,
        }));
      }
    },
    [host],
  );
  const cancel = useCallback(() => running.current?.abort(), []);
  useEffect(() => cancel, [cancel]);
  return { ...state, start: (params) => void start(params), cancel };
}
