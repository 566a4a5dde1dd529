import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import type { Engine } from '../../src/engine/engine.ts';
import { type StoreLayout, storeLayout } from '../../src/engine/layout.ts';
import type { JobControl } from '../../src/engine/workerProcess.ts';
import type { GarbageReport, GarbageSelection } from '../../src/protocol/maintenance.ts';
import { inTemporaryFolder } from './headless.ts';
import { openWholeEngine } from './servedStore.ts';

/** An engine whose store a test fills, deletes from and looks into. */
export interface MaintainedStore {
  readonly engine: Engine;
  readonly layout: StoreLayout;
  experiment(name: string): string;
  /** A run with a parameter, a metric of three points and a file of ten bytes; gives its id. */
  run(experimentId: string, name: string): string;
  /** A READY logged model of a run, with an MLmodel file; gives its id. */
  model(runId: string, name: string): string;
  /** Registers a version from any source. */
  version(name: string, source: string, runId?: string): number;
  /** Whether a folder or file below the artifact root is there. */
  hasArtifact(path: string): boolean;
  /** Where a run's or model's files lie, below the artifact root. */
  folderOf(thing: { readonly artifactUri: string }): string;
  /** All tables but the schema's version, with the number of their rows. */
  rowCounts(): Readonly<Record<string, number>>;
  /** What waits for removal. */
  notes(): readonly string[];
  collect(selection?: Partial<GarbageSelection>): Promise<GarbageReport>;
  /** Deletes all that is deleted for good, watched and perhaps cancelled. */
  collectControlled(control: JobControl): Promise<GarbageReport>;
  find(selection?: Partial<GarbageSelection>): Promise<GarbageReport>;
}

const everything: GarbageSelection = { runIds: null, experimentIds: null, olderThan: null };

/** For jobs that nobody watches. */
export const unwatched = { signal: new AbortController().signal, progress: () => undefined };

/** Has `work` fill and look into the store of a folder, and closes it whatever happens. */
export async function withMaintainedStore<Result>(
  workspace: string,
  work: (store: MaintainedStore) => Result | Promise<Result>,
): Promise<Result> {
  const store = await openMaintainedStore(workspace);
  try {
    return await work(store);
  } finally {
    await store.engine.close();
  }
}

/** A test on a store in a folder of its own. */
export function inMaintainedStore(work: (store: MaintainedStore) => Promise<void>): () => Promise<void> {
  return () => inTemporaryFolder((workspace) => withMaintainedStore(workspace, work));
}

/** The caller closes its engine. */
export async function openMaintainedStore(workspace: string): Promise<MaintainedStore> {
  const engine = await openWholeEngine(workspace);
  const layout = storeLayout(workspace);
  const { tracking, registry, maintenance } = engine;
  const write = (path: string, content: string) => {
    const file = join(layout.artifacts, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  };
  const folderOf = ({ artifactUri }: { readonly artifactUri: string }) =>
    artifactUri.replace('mlflow-artifacts:/', '');

  return {
    engine,
    layout,
    folderOf,
    experiment: (name) => tracking.createExperiment({ name, tags: [] }),
    run(experimentId, name) {
      const { info } = tracking.createRun({ experimentId, name, userId: 'ana', startTime: 1, tags: [] });
      const metrics = [0, 1, 2].map((step) => ({
        key: 'loss',
        value: 1 / (step + 1),
        timestamp: step,
        step,
      }));
      tracking.logBatch(info.runId, { metrics, parameters: [{ key: 'depth', value: '3' }], tags: [] });
      write(`${folderOf(info)}/note.txt`, 'ten bytes.');
      return info.runId;
    },
    model(runId, name) {
      const { model } = tracking.createLoggedModel({
        experimentId: tracking.run(runId).experimentId,
        name,
        modelType: '',
        sourceRunId: runId,
        tags: [],
        parameters: [],
      });
      write(`${folderOf(model)}/MLmodel`, 'flavors:\n  onnx:\n    data: model.onnx\n');
      tracking.logOutputs(runId, [{ modelId: model.modelId, step: 0 }]);
      tracking.finalizeLoggedModel(model.modelId, 'LOGGED_MODEL_READY');
      return model.modelId;
    },
    version(name, source, runId) {
      const exists = registry.models().some((model) => model.name === name);
      if (!exists) registry.createModel(name, '', []);
      const version = {
        name,
        source,
        runId: runId ?? null,
        modelId: null,
        runLink: '',
        description: '',
        tags: [],
      };
      return registry.createVersion(version).version;
    },
    hasArtifact: (path) => existsSync(join(layout.artifacts, path)),
    rowCounts() {
      const store = new BetterSqlite3(layout.database, { readonly: true });
      try {
        const tables = store
          .prepare<[], string>(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
          )
          .pluck()
          .all();
        const counts = tables.map((table) => {
          const count = store.prepare<[], number>(`SELECT COUNT(*) FROM "${table}"`).pluck().get() ?? 0;
          return [table, count] as const;
        });
        return Object.fromEntries(counts.filter(([, count]) => count > 0));
      } finally {
        store.close();
      }
    },
    notes: () => (existsSync(layout.removals) ? readdirSync(layout.removals) : []),
    collect: (selection) =>
      maintenance.garbage.collect({ ...everything, ...selection }, 'whenQuick', unwatched),
    collectControlled: (control) => maintenance.garbage.collect(everything, 'whenQuick', control),
    find: (selection) => maintenance.garbage.find({ ...everything, ...selection }, unwatched.signal),
  };
}
