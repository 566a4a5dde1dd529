import { isDeepStrictEqual } from 'node:util';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ScorerModelInput, ServedVersion, TrafficSplitInput } from '../../protocol/scorer.ts';
import type { ScorerOrder, ScorerProcess } from '../../supervision/scorerProcess.ts';
import { sampleOf, withSample } from './processOptions.ts';
import type { Serving, Supervisor } from './supervisorTypes.ts';

/** What was decided last, which every scorer that is started is to know. */
export interface Served {
  /** Null while nothing is served. */
  serving: Serving | null;
  /** Every version that is loaded, as the scorers describe it. */
  versions: readonly ServedVersion[];
}

export interface ScorerOrders extends Pick<Supervisor, 'load' | 'unload' | 'route' | 'label' | 'keepShare'> {
  /** Loads what is new and forgets what is not wanted any more, within the processes that run. */
  move(before: Serving, wished: Serving): Promise<void>;
  /** Tells a scorer what was decided while it started, such as a rollback. */
  catchUp(scorer: ScorerProcess, launched: Serving): Promise<void>;
}

export interface ScorerOrdersDependencies {
  readonly endpoint: string;
  readonly served: Served;
  readonly running: () => readonly ScorerProcess[];
  /** @throws SlipwayError `endpointNotReady`. */
  readonly requireReady: () => void;
  readonly changed: () => void;
}

/** The orders that the scorers of one endpoint get while they answer. */
export function createScorerOrders(dependencies: ScorerOrdersDependencies): ScorerOrders {
  const { endpoint, served, running, requireReady, changed } = dependencies;

  /** @throws SlipwayError why one refuses. One that ended meanwhile is followed by one that knows. */
  const tellAll = async (what: ScorerOrder): Promise<void> => {
    const told = await Promise.allSettled(running().map((scorer) => scorer.order(what)));
    for (const result of told) {
      if (result.status === 'rejected' && !hasEnded(result.reason)) throw result.reason;
    }
  };
  const remember = (change: Partial<Serving>) => {
    if (served.serving) served.serving = { ...served.serving, ...change };
  };
  const load = async (model: ScorerModelInput): Promise<ServedVersion> => {
    requireReady();
    const same = isVersion(model.name, model.version);
    const asked = running();
    const tell = (scorers: readonly ScorerProcess[]) =>
      Promise.allSettled(scorers.map((scorer) => scorer.order({ type: 'load', model })));
    // One tries it first: should it block or crash its process, the others go on answering.
    const told = await tell(asked.slice(0, 1));
    if (told[0]?.status === 'fulfilled') told.push(...(await tell(asked.slice(1))));
    const refused = told.find((result) => result.status === 'rejected');
    if (refused) {
      // Where it was loaded it is not kept, unless it took the place of the same one.
      const { name, version } = model;
      const holders = asked.filter((_scorer, index) => told[index]?.status === 'fulfilled');
      if (!served.serving?.models.some(same)) {
        await Promise.allSettled(holders.map((scorer) => scorer.order({ type: 'unload', name, version })));
      }
      throw refused.reason;
    }
    const loaded = told.flatMap((result) => (result.status === 'fulfilled' ? (result.value ?? []) : []))[0];
    if (!loaded || !served.serving) throw new SlipwayError('endpointNotReady', { endpoint });
    remember({ models: [...served.serving.models.filter((other) => !same(other)), model] });
    served.versions = [...served.versions.filter((other) => !same(other)), loaded];
    changed();
    return loaded;
  };
  const unload = async (name: string, version: number): Promise<void> => {
    requireReady();
    await tellAll({ type: 'unload', name, version });
    const same = isVersion(name, version);
    const { models = [], traffic = [] } = served.serving ?? {};
    const left = models.filter((other) => !same(other));
    const isServed = ({ model }: TrafficSplitInput) => left.some((other) => other.name === model);
    remember({ models: left, traffic: traffic.filter(isServed) });
    served.versions = served.versions.filter((other) => !same(other));
    changed();
  };
  const route = async (traffic: TrafficSplitInput): Promise<void> => {
    if (!served.serving) throw new SlipwayError('endpointNotReady', { endpoint });
    const before = served.serving.traffic.find(({ model }) => model === traffic.model);
    const isDecided = () => served.serving?.traffic.includes(traffic) === true;
    const others = () => (served.serving?.traffic ?? []).filter(({ model }) => model !== traffic.model);
    // Remembered first: a scorer that is started meanwhile must know of it.
    remember({ traffic: [...others(), traffic] });
    try {
      await tellAll({ type: 'route', traffic });
    } catch (error) {
      // Unless something else was decided meanwhile, all go on as before, those that did not refuse, too.
      if (isDecided()) {
        remember({ traffic: [...others(), ...(before ? [before] : [])] });
        if (before) await tellAll({ type: 'route', traffic: before }).catch(() => undefined);
      }
      throw error;
    }
    changed();
  };
  const keepShare = async (share: number): Promise<void> => {
    if (served.serving) remember({ options: withSample(served.serving.options, share) });
    await tellAll({ type: 'sample', share });
  };
  return {
    load,
    unload,
    route,
    keepShare,
    async label(name, version, labels) {
      const same = isVersion(name, version);
      remember({
        models: (served.serving?.models ?? []).map((model) =>
          same(model) ? { ...model, labels: [...labels] } : model,
        ),
      });
      await tellAll({ type: 'label', name, version, labels: [...labels] });
    },
    async move(before, wished) {
      for (const model of wished.models) {
        const known = before.models.find(isVersion(model.name, model.version));
        if (!known || !isDeepStrictEqual(known, model)) await load(model);
      }
      for (const traffic of wished.traffic) await route(traffic);
      if (sampleOf(before) !== sampleOf(wished)) await keepShare(sampleOf(wished));
      for (const { name, version } of leftVersions(before, wished)) await unload(name, version);
    },
    async catchUp(scorer, launched) {
      let told = launched;
      while (served.serving && served.serving !== told) {
        const now = served.serving;
        for (const traffic of now.traffic) {
          if (!told.traffic.includes(traffic)) await scorer.order({ type: 'route', traffic });
        }
        // Loads and samples have their turn after this, so that only labels can differ.
        for (const model of now.models) {
          const { name, version, labels = [] } = model;
          if (!told.models.includes(model)) await scorer.order({ type: 'label', name, version, labels });
        }
        told = now;
      }
    },
  };
}

/** The versions that are not wanted any more, in an order in which they can be forgotten: what traffic is led to comes last. */
export function leftVersions(before: Serving, wanted: Serving): readonly ScorerModelInput[] {
  const isLed = ({ name, version }: ScorerModelInput) =>
    before.traffic.some(
      ({ model, variants }) => model === name && variants.some((variant) => variant.version === version),
    );
  return before.models
    .filter(({ name, version }) => !wanted.models.some(isVersion(name, version)))
    .toSorted((one, other) => Number(isLed(one)) - Number(isLed(other)));
}

/** Whether an order was not followed because the scorer ended. */
export function hasEnded(error: unknown): boolean {
  return error instanceof SlipwayError && error.kind === 'endpointFailed';
}

function isVersion(name: string, version: number) {
  return (other: { readonly name: string; readonly version: number }): boolean =>
    other.name === name && other.version === version;
}
