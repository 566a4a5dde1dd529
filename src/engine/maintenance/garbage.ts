import { setTimeout as pause } from 'node:timers/promises';
import { type ErrorData, SlipwayError } from '../../protocol/errors.ts';
import type { GarbageReport, GarbageSelection, RemovedThing } from '../../protocol/maintenance.ts';
import { folderSize } from './folderSize.ts';
import { ancestorsOf, folderOfUri, pathOfUri, sharedFolders } from './locations.ts';
import { createNeedsFinder, type Needs } from './needs.ts';
import { type JobControl, type MaintenanceParts, stopWhenCancelled } from './parts.ts';
import { createRemovals } from './removals.ts';
import type { StoredExperiment, StoredModel, StoredRun } from './types.ts';

/** Deletes for good what is in stage deleted. */
export interface GarbageCollection {
  /** What `collect` would delete now. */
  find(selection: GarbageSelection, signal: AbortSignal): Promise<GarbageReport>;
  /**
   * Deletes the rows, then the files. What was deleted when it is cancelled, or dies, stays deleted; the next call
   * removes the files that are left.
   *
   * @throws SlipwayError `notFound` or `invalidParameter` when a chosen run or experiment is not in stage deleted.
   */
  collect(selection: GarbageSelection, compaction: Compaction, control: JobControl): Promise<GarbageReport>;
}

/** When the store's file is rewritten without its free pages: as long as that takes, nobody else can write. */
export type Compaction = 'whenQuick' | 'always';

/** MLflow's experiment for runs that name none. It can be emptied, not removed. */
const defaultExperiment = 0;

/** Others wait while one transaction deletes; these keep it short. */
const mostRunsAtOnce = 200;
const mostPointsAtOnce = 100_000;
/** Between two transactions, so that others come to write. */
const breathMilliseconds = 5;

/** Rewriting this many bytes takes about a second. */
const quickBytes = 64 * 1024 * 1024;
const worthwhileFreeShare = 0.2;

interface Selected {
  readonly experiments: readonly StoredExperiment[];
  readonly runs: readonly StoredRun[];
  readonly models: readonly StoredModel[];
}

/** What remains of a selection when all that is needed is kept. */
interface Plan extends Selected {
  readonly kept: readonly ErrorData[];
}

export function createGarbageCollection(parts: MaintenanceParts): GarbageCollection {
  const { store, artifacts, changes, database, layout } = parts;

  const select = ({ runIds, experimentIds, olderThan }: GarbageSelection): Selected => {
    const before = Date.now() - (olderThan ?? 0);
    const chosen = runIds !== null || experimentIds !== null;
    const experiments = store
      .deletedExperiments(before)
      .filter(({ experimentId }) => (chosen ? experimentIds?.includes(experimentId) : true));
    for (const id of experimentIds ?? []) {
      if (olderThan === null && !experiments.some(({ experimentId }) => experimentId === id))
        throw notDeleted('experiment', id);
    }
    const keys = experiments.map(({ key }) => key);
    const wanted = new Set(runIds);
    const old = store.oldDeletedRuns(before).filter(({ runId }) => (chosen ? wanted.has(runId) : true));
    if (olderThan === null) {
      const found = new Set(old.map(({ runId }) => runId));
      for (const id of wanted) if (!found.has(id)) throw notDeleted('run', id);
    }
    const runs = [...new Map([...old, ...store.deletedRunsOf(keys)].map((run) => [run.key, run])).values()];
    const ofThese = store.modelsOf(
      runs.map(({ key }) => key),
      keys,
    );
    const models = chosen ? ofThese : [...store.oldDeletedModels(before), ...ofThese];
    return {
      experiments: store.experimentsByKey(keys),
      runs,
      models: [...new Map(models.map((model) => [model.key, model])).values()],
    };
  };

  const plan = (selected: Selected, needs: Needs): Plan => {
    const runs = selected.runs.filter(({ key }) => !needs.runs.has(key));
    const going = new Set(runs.map(({ key }) => key));
    const experiments = new Set(selected.experiments.map(({ key }) => key));
    const deleted = new Set(
      store
        .modelStages(selected.models.map(({ key }) => key))
        .filter((model) => model.deleted === 1)
        .map(({ key }) => key),
    );
    // The model of a run that is kept is no garbage of its own, unless it was deleted itself.
    const models = selected.models.filter(
      ({ key, sourceRun, experiment }) =>
        !needs.models.has(key) &&
        (deleted.has(key) ||
          (sourceRun !== null && going.has(sourceRun)) ||
          (experiments.has(experiment) && sourceRun === null)),
    );
    const keptModels = [...needs.models].filter(([key]) => {
      const sourceRun = selected.models.find((model) => model.key === key)?.sourceRun ?? null;
      return deleted.has(key) || sourceRun === null || !needs.runs.has(sourceRun);
    });
    return {
      experiments: selected.experiments,
      runs,
      models,
      kept: [...needs.runs.values(), ...keptModels.map(([, why]) => why)],
    };
  };

  const foldersOf = (things: readonly { readonly artifactUri: string }[]) =>
    things.flatMap(({ artifactUri }) => pathOfUri(artifacts, artifactUri) ?? []);
  const elsewhere = (things: readonly { readonly name: string; readonly artifactUri: string }[]) =>
    things
      .filter(({ artifactUri }) => pathOfUri(artifacts, artifactUri) === null)
      .map(({ name, artifactUri }): ErrorData => {
        return { kind: 'artifactsElsewhere', values: { name, location: artifactUri } };
      });

  /** The folder of an experiment, where that is not the whole artifact store. */
  const experimentFolders = (experiments: readonly StoredExperiment[]) =>
    experiments.flatMap(({ location }) => pathOfUri(artifacts, location) || []);

  const tell = (things: readonly { readonly experiment: number }[]) => {
    for (const key of new Set(things.map(({ experiment }) => experiment))) changes.tracking(String(key));
  };

  return {
    async find(selection, signal) {
      const selected = select(selection);
      const needs = createNeedsFinder(store, artifacts, selected)();
      const { experiments, runs, models, kept } = plan(selected, needs);
      const runKeys = new Set(runs.map(({ key }) => key));
      const modelKeys = new Set(models.map(({ key }) => key));
      const empty = experiments.filter(({ key }) => {
        const all = store.experimentPopulation(key);
        return (
          key !== defaultExperiment &&
          all.runs.every((run) => runKeys.has(run)) &&
          all.models.every((model) => modelKeys.has(model))
        );
      });
      const keptExperiments = experiments
        .filter((experiment) => !empty.includes(experiment))
        .map(stillNeeded);
      const emptied = new Set(empty.map(({ key }) => key));
      const traces = store.tracesOfRuns(
        runs.filter(({ experiment }) => !emptied.has(experiment)).map(({ runId }) => runId),
      );
      const inExperiments = empty.map(({ key }) => store.traceCountOf(key));
      const whole = experimentFolders(empty);
      const shared = sharedFolders(
        store,
        whole,
        ({ experiment }) => experiment !== null && emptied.has(experiment),
      );
      let bytes = 0;
      const folders = new Set([
        ...foldersOf([...runs, ...models]),
        ...traces.flatMap(({ uri }) => pathOfUri(artifacts, uri) ?? []),
        ...whole.filter((path) => !shared.has(path)),
      ]);
      for (const path of folders) {
        // A folder inside another of them is counted with that.
        if (ancestorsOf(path).some((parent) => folders.has(parent))) continue;
        const folder = folderOfUri(artifacts, artifacts.locationOf(path));
        if (folder !== null) bytes += (await folderSize(folder, signal)).bytes;
      }
      return {
        experiments: empty.map(namedExperiment),
        runs: runs.map(namedRun),
        loggedModels: models.map(namedModel),
        traceCount: traces.length + sum(inExperiments),
        kept: [...kept, ...keptExperiments, ...elsewhere([...runs, ...models])],
        artifactBytes: bytes,
        storeBytes: 0,
        freeBytes: 0,
      };
    },

    async collect(selection, compaction, { signal, progress }) {
      const removals = createRemovals({ folder: layout.removals, store, artifacts });
      const selected = select(selection);
      const findNeeds = createNeedsFinder(store, artifacts, selected);
      const removed = { experiments: [] as RemovedThing[], runs: [] as StoredRun[], traces: 0 };
      const removedModels: StoredModel[] = [];
      let kept: readonly ErrorData[] = [];
      const removeModels = (models: readonly StoredModel[]) => {
        removals.note(foldersOf(models));
        store.removeModels(models.map(({ key }) => key));
        removedModels.push(...models);
        tell(models);
      };

      for (const batch of batchesOf(selected.runs)) {
        stopWhenCancelled(signal);
        database.transaction(() => {
          // Anew each time: meanwhile a run may have been restored, or a version registered.
          const current = plan(selected, findNeeds());
          kept = current.kept;
          const still = new Set(store.stillDeletedRuns(batch.map(({ key }) => key)));
          const wanted = new Set(batch.map(({ key }) => key));
          const going = current.runs.filter(({ key }) => wanted.has(key) && still.has(key));
          const traces = store.tracesOfRuns(going.map(({ runId }) => runId));
          removals.note([
            ...foldersOf(going),
            ...traces.flatMap(({ uri }) => pathOfUri(artifacts, uri) ?? []),
          ]);
          store.removeTraces(traces.map(({ key }) => key));
          // In one transaction: nothing tells later that the run that made a model is gone.
          const gone = new Set(going.map(({ key }) => key));
          removeModels(current.models.filter(({ sourceRun }) => sourceRun !== null && gone.has(sourceRun)));
          store.removeRuns(going.map(({ key }) => key));
          removed.traces += traces.length;
          removed.runs.push(...going);
          tell(going);
        });
        progress((0.6 * removed.runs.length) / Math.max(1, selected.runs.length), '');
        await pause(breathMilliseconds);
      }

      database.transaction(() => {
        const current = plan(selected, findNeeds());
        if (selected.runs.length === 0) kept = current.kept;
        const deletedExperiments = new Set(
          store.deletedExperiments(Number.MAX_SAFE_INTEGER).map(({ key }) => key),
        );
        const stages = new Map(
          store.modelStages(current.models.map(({ key }) => key)).map((model) => [model.key, model]),
        );
        const isGoing = ({ key, sourceRun, experiment }: StoredModel) =>
          stages.get(key)?.deleted === 1 ||
          (stages.has(key) && sourceRun === null && deletedExperiments.has(experiment));
        removeModels(current.models.filter(isGoing));
      });

      const keptExperiments: ErrorData[] = [];
      for (const experiment of selected.experiments) {
        stopWhenCancelled(signal);
        database.transaction(() => {
          if (experiment.key === defaultExperiment || !store.isEmptyAndDeleted(experiment.key)) {
            keptExperiments.push(stillNeeded(experiment));
            return;
          }
          removed.traces += store.traceCountOf(experiment.key);
          removals.note(experimentFolders([experiment]));
          store.removeExperiment(experiment.key);
          removed.experiments.push(namedExperiment(experiment));
          changes.tracking(String(experiment.key));
        });
      }

      const { bytes, failures } = await removals.finish(signal, (count, total) =>
        progress(0.6 + (0.35 * count) / total, ''),
      );
      const storeBytes = compact(parts, compaction);
      const { pageBytes, freePages } = store.pages();
      progress(1, '');
      return {
        experiments: removed.experiments,
        runs: removed.runs.map(namedRun),
        loggedModels: removedModels.map(namedModel),
        traceCount: removed.traces,
        kept: [...kept, ...keptExperiments, ...elsewhere([...removed.runs, ...removedModels]), ...failures],
        artifactBytes: bytes,
        storeBytes,
        freeBytes: freePages * pageBytes,
      };
    },
  };
}

/** Rewrites the store's file when much of it is free; gives the bytes by which it shrank. */
function compact({ store }: MaintenanceParts, compaction: Compaction): number {
  const before = store.pages();
  const used = (before.pages - before.freePages) * before.pageBytes;
  if (before.freePages === 0) return 0;
  if (compaction === 'whenQuick') {
    if (used > quickBytes || before.freePages < worthwhileFreeShare * before.pages) return 0;
  }
  store.vacuum();
  return (before.pages - store.pages().pages) * before.pageBytes;
}

function* batchesOf(runs: readonly StoredRun[]): Generator<readonly StoredRun[]> {
  let batch: StoredRun[] = [];
  let points = 0;
  for (const run of runs) {
    if (batch.length > 0 && (batch.length >= mostRunsAtOnce || points + run.points > mostPointsAtOnce)) {
      yield batch;
      batch = [];
      points = 0;
    }
    batch.push(run);
    points += run.points;
  }
  if (batch.length > 0) yield batch;
}

function namedRun({ runId, name }: StoredRun): RemovedThing {
  return { id: runId, name };
}

function namedModel({ modelId, name }: StoredModel): RemovedThing {
  return { id: modelId, name };
}

function namedExperiment({ key, name }: StoredExperiment): RemovedThing {
  return { id: String(key), name };
}

function stillNeeded({ key, name }: StoredExperiment): ErrorData {
  const kind = key === defaultExperiment ? 'defaultExperimentKept' : 'experimentStillNeeded';
  return { kind, values: { experiment: name } };
}

function notDeleted(what: 'experiment' | 'run', id: string): SlipwayError {
  return new SlipwayError('invalidParameter', {
    detail: `There is no deleted ${what} with the id ${id}. Only what was deleted before can be deleted for good.`,
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
