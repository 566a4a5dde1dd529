import type { ScorerMessage } from '../protocol/scorer.ts';
import type { RequestCounters } from './requestCounters.ts';
import type { ShadowRuns } from './shadowRuns.ts';

/** Tells the engine what was asked, soon after it was, and not for each request. */
export interface StatisticsTeller {
  /** Something was counted. */
  touch(): void;
  /** Tells what was not told yet. */
  tellNow(): void;
}

const delayMilliseconds = 250;

export function createStatisticsTeller(
  counter: Pick<RequestCounters, 'variants' | 'refusedCount'>,
  shadows: ShadowRuns,
  tell: (message: ScorerMessage) => void,
): StatisticsTeller {
  let timer: NodeJS.Timeout | null = null;
  const tellNow = () => {
    if (!timer) return;
    clearTimeout(timer);
    timer = null;
    tell({
      type: 'statistics',
      variants: counter.variants(),
      shadows: shadows.statistics(),
      refusedCount: counter.refusedCount(),
    });
  };
  return {
    touch() {
      timer ??= setTimeout(tellNow, delayMilliseconds);
    },
    tellNow,
  };
}
