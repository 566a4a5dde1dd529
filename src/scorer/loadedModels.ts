import type { IncomingHttpHeaders } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import type { ModelRun } from '../inference/batching.ts';
import { createPredictor, type Predictor } from '../inference/predictor.ts';
import { RequestProblem } from '../inference/problem.ts';
import { detail } from '../protocol/errorDetails.ts';
import { SlipwayError } from '../protocol/errors.ts';
import type { ScorerModel, TrafficSplit } from '../protocol/scorer.ts';
import { readLoggedExample } from './loggedExample.ts';
import {
  type ChosenVersion,
  type LoadedVersion,
  type ModelRepository,
  type VersionWish,
  versionNumber,
} from './modelRepository.ts';
import type { OpenModel } from './openModel.ts';
import { chooseVariant } from './trafficSplit.ts';

/** The models of a scorer, which change while it answers. */
export interface LoadedModels extends ModelRepository {
  /**
   * Loads and warms a version, in place of the same one.
   *
   * @param signal says that nobody wants it any more.
   * @throws SlipwayError `modelUnreadable` and what else hinders; what was loaded before stays.
   */
  load(model: ScorerModel, signal?: AbortSignal): Promise<LoadedVersion>;
  /**
   * Forgets a version once the runs under way are done.
   *
   * @throws SlipwayError `notFound`, or `invalidParameter` while traffic is led to it, unless another model than the main
   * one goes with it.
   */
  unload(name: string, version: number): Promise<void>;
  /** Takes effect for the next request. @throws SlipwayError `notFound` when a version is not loaded. */
  route(split: TrafficSplit): void;
  /** @throws SlipwayError `notFound`. */
  label(name: string, version: number, labels: readonly string[]): void;
  /** The traffic split of a model; null while it has none. */
  split(name: string): TrafficSplit | null;
  /** No request is led anywhere any more. */
  drain(): void;
  /** Gives all memory back. */
  close(): Promise<void>;
}

export interface LoadedModelsOptions {
  /** The model that addresses without a name ask. */
  readonly main: string;
  readonly open: OpenModel;
  readonly batchRows: number;
  /** Told of each run of a version. */
  readonly executed?: (version: Pick<LoadedVersion, 'name' | 'version'>, run: ModelRun) => void;
}

interface Entry {
  loaded: LoadedVersion;
  /** Waits for what runs, then gives the memory back. */
  readonly retire: () => Promise<void>;
}

interface ModelEntry {
  readonly versions: Map<number, Entry>;
  split: TrafficSplit | null;
  /** Highest first; made anew when a version comes or goes. */
  list: readonly LoadedVersion[];
}

export function createLoadedModels({ main, open, batchRows, executed }: LoadedModelsOptions): LoadedModels {
  const models = new Map<string, ModelEntry>();
  let ready = true;

  const refresh = (name: string, entry: ModelEntry) => {
    entry.list = [...entry.versions.values()]
      .map(({ loaded }) => loaded)
      .sort((left, right) => right.version - left.version);
    if (entry.list.length === 0) models.delete(name);
  };
  const find = (name: string, version: number): { model: ModelEntry; entry: Entry } => {
    const model = models.get(name);
    const entry = model?.versions.get(version);
    if (model && entry) return { model, entry };
    throw new SlipwayError('notFound', { detail: detail('versionNotLoaded', { model: name, version }) });
  };
  const stable = (name: string): LoadedVersion | null => {
    const model = models.get(name);
    const version = model?.split?.variants[0]?.version;
    const loaded = version === undefined ? undefined : model?.versions.get(version)?.loaded;
    return loaded ?? model?.list[0] ?? null;
  };
  const wished = (name: string, model: ModelEntry, { version, label }: VersionWish): LoadedVersion | null => {
    if (version !== undefined) {
      const number = versionNumber(version);
      const loaded = number === null ? undefined : model.versions.get(number)?.loaded;
      if (!loaded) throw noVersion(name, `version "${version}"`, model.list);
      return loaded;
    }
    if (label === undefined) return null;
    const loaded = model.list.find(({ labels }) => labels.includes(label));
    if (!loaded) throw noVersion(name, `label "${label}"`, model.list);
    return loaded;
  };

  return {
    isReady: () => ready,
    main,
    names: () => [...models.keys()].sort(),
    versions: (name) => models.get(name)?.list ?? [],
    stable,
    split: (name) => models.get(name)?.split ?? null,
    choose(name: string, wish: VersionWish, headers: IncomingHttpHeaders): ChosenVersion {
      const model = models.get(name);
      if (!model) throw noModel(name, [...models.keys()]);
      const asked = wished(name, model, wish);
      if (asked) return { loaded: asked, variant: 'version' };
      const { split } = model;
      if (split) {
        const variant = chooseVariant(split, wish, headers);
        const loaded = model.versions.get(variant.version)?.loaded;
        if (loaded) return { loaded, variant: variant.name };
      }
      const [highest] = model.list;
      if (!highest) throw noModel(name, [...models.keys()]);
      return { loaded: highest, variant: 'stable' };
    },
    async load(description, signal) {
      const { name, version, labels, digest, source } = description;
      const model = await open(description, signal);
      let running = 0;
      let idle: (() => void) | null = null;
      const ended = () => {
        running--;
        if (running === 0) idle?.();
      };
      let predictor: Predictor;
      try {
        signal?.throwIfAborted();
        const { example, columns } = description;
        predictor = await createPredictor(
          model,
          columns ?? null,
          example ? (form) => readLoggedExample(example, form) : null,
          batchRows,
          (run) => executed?.({ name, version }, run),
          signal,
        );
        signal?.throwIfAborted();
      } catch (error) {
        await model.close();
        throw error;
      }
      const entry: Entry = {
        loaded: {
          name,
          version,
          labels,
          runtime: source.type,
          digest: digest ?? null,
          facts: model.facts,
          pending: () => running,
          predictor: {
            ...predictor,
            predict(feeds) {
              running++;
              const outputs = predictor.predict(feeds);
              outputs.then(ended, ended);
              return outputs;
            },
          },
        },
        async retire() {
          // A request that was led here in this turn of the event loop has begun its run by the next.
          await setImmediate();
          while (running > 0) {
            await new Promise<void>((resolve) => {
              idle = resolve;
            });
          }
          await model.close();
        },
      };
      const known = models.get(name) ?? { versions: new Map<number, Entry>(), split: null, list: [] };
      const replaced = known.versions.get(version);
      known.versions.set(version, entry);
      models.set(name, known);
      refresh(name, known);
      await replaced?.retire();
      return entry.loaded;
    },
    async unload(name, version) {
      const { model, entry } = find(name, version);
      const { split } = model;
      const led =
        split?.variants.some((variant) => variant.version === version && variant.share > 0) ||
        split?.variants[0]?.version === version ||
        split?.shadow?.version === version;
      // A model that is forgotten takes its traffic with it. Addresses without a name ask the main one.
      const isWhole = name !== main && model.versions.size === 1;
      if (led && !isWhole) {
        throw new SlipwayError('invalidParameter', {
          detail: `Version ${version} of "${name}" is being asked; lead its traffic elsewhere first.`,
        });
      }
      model.versions.delete(version);
      refresh(name, model);
      await entry.retire();
    },
    route(split) {
      const asked = split.variants.filter(({ share }, index) => share > 0 || index === 0);
      for (const { version } of [...asked, ...(split.shadow ? [split.shadow] : [])])
        find(split.model, version);
      const model = models.get(split.model);
      if (model) model.split = split;
    },
    label(name, version, labels) {
      const { model, entry } = find(name, version);
      entry.loaded = { ...entry.loaded, labels };
      refresh(name, model);
    },
    drain() {
      ready = false;
    },
    async close() {
      const entries = [...models.values()].flatMap(({ versions }) => [...versions.values()]);
      models.clear();
      for (const { retire } of entries) await retire();
    },
  };
}

function noModel(name: string, names: readonly string[]): RequestProblem {
  const served = [...names]
    .sort()
    .map((known) => `"${known}"`)
    .join(', ');
  return new RequestProblem(404, `There is no model "${name}" here; this endpoint serves ${served}.`);
}

function noVersion(name: string, what: string, list: readonly LoadedVersion[]): RequestProblem {
  const versions = list.map(({ version }) => version).join(', ');
  const labels = list.flatMap((loaded) => loaded.labels).join(', ');
  return new RequestProblem(
    404,
    `There is no ${what} of "${name}" here; this endpoint serves ${list.length === 1 ? 'version' : 'versions'} ${versions}${labels ? ` (labels: ${labels})` : ''}.`,
  );
}
