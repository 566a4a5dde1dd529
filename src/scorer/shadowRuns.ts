import type { Tensor } from '../inference/datatypes.ts';
import type { TensorSpecification } from '../inference/model.ts';
import { shadowVariant } from '../protocol/inferenceLogTables.ts';
import type { ShadowStatistics } from '../protocol/scorer.ts';
import type { LoadedModels } from './loadedModels.ts';
import type { ChosenVersion, LoadedVersion } from './modelRepository.ts';
import type { Outcome } from './server.ts';
import { createShadowComparison, type ShadowComparison } from './shadowComparison.ts';

/** Asks shadows what clients were asked, after those have their answers. */
export interface ShadowRuns {
  /** Told of each request that was answered. */
  answered(outcome: Outcome): void;
  statistics(): readonly ShadowStatistics[];
  /** Resolves when no shadow is being asked any more. */
  settled(): Promise<void>;
}

/** So many requests may wait for a shadow; more pass it by, so that it never takes the room of those who wait. */
const waitingRequests = 64;

/** @param heard told what a shadow answered, as an outcome of its own. */
export function createShadowRuns(
  models: Pick<LoadedModels, 'split' | 'versions'>,
  heard: (outcome: Outcome) => void,
): ShadowRuns {
  const comparisons = new Map<string, ShadowComparison>();
  const asked = new Set<Promise<void>>();

  const comparisonOf = (stable: LoadedVersion, shadow: LoadedVersion): ShadowComparison => {
    const key = `${stable.version}/${shadow.version}/${stable.name}`;
    const known = comparisons.get(key);
    if (known) return known;
    const created = createShadowComparison(stable, shadow);
    comparisons.set(key, created);
    return created;
  };
  const ask = async (outcome: Outcome, stable: LoadedVersion, loaded: LoadedVersion): Promise<void> => {
    const { prediction } = outcome;
    if (!prediction) return;
    const comparison = comparisonOf(stable, loaded);
    const chosen: ChosenVersion = { loaded, variant: shadowVariant };
    const feeds = feedsFor(loaded, stable, prediction.feeds);
    const started = performance.now();
    const took = () => Math.round((performance.now() - started) * 1000);
    try {
      if (!feeds) throw new Error('The shadow takes other inputs.');
      const outputs = await loaded.predictor.predict(feeds);
      comparison.compared(prediction.outputs, outputs);
      heard({
        ...outcome,
        chosen,
        status: 200,
        latencyMicroseconds: took(),
        prediction: { ...prediction, feeds, outputs },
      });
    } catch {
      // Nobody waits for it: that it failed is in its statistics and in the log.
      comparison.failed();
      heard({ ...outcome, chosen, status: 500, latencyMicroseconds: took(), prediction: null });
    }
  };
  return {
    answered(outcome) {
      const { chosen, prediction } = outcome;
      if (!chosen || !prediction || chosen.variant === 'version') return;
      const shadow = models.split(chosen.loaded.name)?.shadow;
      if (!shadow || Math.random() >= shadow.share) return;
      const loaded = models.versions(chosen.loaded.name).find(({ version }) => version === shadow.version);
      if (!loaded || loaded.version === chosen.loaded.version) return;
      if (asked.size >= waitingRequests) {
        comparisonOf(chosen.loaded, loaded).skipped();
        return;
      }
      const answer = ask(outcome, chosen.loaded, loaded).finally(() => asked.delete(answer));
      asked.add(answer);
    },
    async settled() {
      while (asked.size > 0) await Promise.allSettled(asked);
    },
    statistics: () => [...comparisons.values()].map((comparison) => comparison.statistics()),
  };
}

/** The feeds of a request in the order of another version's inputs; null when that takes others. */
function feedsFor(
  shadow: LoadedVersion,
  stable: LoadedVersion,
  feeds: readonly Tensor[],
): readonly Tensor[] | null {
  const given = stable.predictor.inputs;
  const wanted = shadow.predictor.inputs;
  const ordered: Tensor[] = [];
  for (const input of wanted) {
    const feed = feeds[given.findIndex(({ name }) => name === input.name)] ?? onlyFeed(wanted, feeds);
    if (!feed || feed.datatype !== input.datatype) return null;
    ordered.push(feed);
  }
  return ordered;
}

/** A model with one input is asked by position, whatever its input is called. */
function onlyFeed(wanted: readonly TensorSpecification[], feeds: readonly Tensor[]): Tensor | undefined {
  return wanted.length === 1 && feeds.length === 1 ? feeds[0] : undefined;
}
