import type { MainMetric } from '../../protocol/tracking.ts';
import { guessMainMetric } from './mainMetric.ts';
import type { ExperimentActivity, OverviewStore } from './overviewStore.ts';

/** Main metrics of experiments for which nobody chose one, guessed by the metrics of their newest runs. */
export interface GuessedMetrics {
  /**
   * Hears of metrics that were logged for the first time since the last call. Called before the guesses of a list of
   * experiments, it spares all those that nothing has changed for.
   */
  refresh(): void;
  guess(experiment: ExperimentActivity): MainMetric | null;
}

interface Guess {
  /** Changes when runs begin, or go. */
  readonly runs: string;
  readonly metric: MainMetric | null;
}

/** A guess looks at a few hundred rows, and thousands of experiments are listed whenever one of them changes. */
export function createGuessedMetrics(store: OverviewStore): GuessedMetrics {
  const guesses = new Map<number, Guess>();
  // Before the first look nothing is known that could be out of date.
  let newest: number | null = null;
  return {
    refresh() {
      const { newest: now, experiments } = store.newMetrics(newest ?? Number.MAX_SAFE_INTEGER);
      if (newest !== null && now < newest) guesses.clear();
      for (const experiment of experiments) guesses.delete(experiment);
      newest = now;
    },
    guess({ key, runCount, newestStart }) {
      const runs = `${runCount} ${newestStart}`;
      const known = guesses.get(key);
      if (known?.runs === runs) return known.metric;
      const metric = guessMainMetric(store.metricKeys(key));
      guesses.set(key, { runs, metric });
      return metric;
    },
  };
}
