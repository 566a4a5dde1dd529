import { type HttpEngine, openHttpEngine } from './httpEngine.ts';

/** An engine behind HTTP that hears of changed experiments and runs. */
export interface TrackingEngine extends HttpEngine {
  readonly token: string;
  /** Experiments and runs that were told to have changed since the last look, as `experiment` or `experiment/run`. */
  changed(): readonly string[];
}

export async function openTrackingEngine(): Promise<TrackingEngine> {
  const told = new Set<string>();
  const token = 'a token that only this test knows';
  const engine = await openHttpEngine(token, {
    tracking: (experimentId, runId) =>
      void told.add(runId === undefined ? experimentId : `${experimentId}/${runId}`),
  });
  return {
    ...engine,
    token,
    changed() {
      const names = [...told].sort();
      told.clear();
      return names;
    },
  };
}
