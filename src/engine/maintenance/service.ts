import type {
  BackupReport,
  CheckReport,
  DeletedThings,
  DiskUsage,
  StoreContent,
} from '../../protocol/maintenance.ts';
import type { TrackingService } from '../tracking/service.ts';
import { createWorkerProcesses } from '../workerProcess.ts';
import { type BackupRequest, backUp, type InspectFile } from './backup.ts';
import { checkWholeStore } from './check.ts';
import { createDiskUsage } from './diskUsage.ts';
import { createGarbageCollection, type GarbageCollection } from './garbage.ts';
import type { JobControl, MaintenanceParts } from './parts.ts';
import { createMaintenanceStore } from './store.ts';

export type { Compaction } from './garbage.ts';
export type { JobControl } from './parts.ts';

export interface MaintenanceOptions extends Omit<MaintenanceParts, 'store'> {
  readonly tracking: Pick<
    TrackingService,
    'deleteRun' | 'restoreRun' | 'deleteExperiment' | 'restoreExperiment'
  >;
  /** Entry file of the worker process. */
  readonly script: string;
}

/** The life cycle of what is in the store, and the health of the store itself. Failures are `SlipwayError`s. */
export interface MaintenanceService {
  /** All of them or none. */
  deleteRuns(runIds: readonly string[]): void;
  restoreRuns(runIds: readonly string[]): void;
  deleteExperiment(experimentId: string): void;
  restoreExperiment(experimentId: string): void;
  deleted(limit: number): DeletedThings;
  /** Active runs below a run, at any depth. */
  nestedRuns(runId: string): readonly string[];
  readonly garbage: GarbageCollection;
  diskUsage(): Promise<DiskUsage>;
  content(): StoreContent;
  backUp(request: BackupRequest, control: JobControl): Promise<BackupReport>;
  check(control: JobControl): Promise<CheckReport>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

export function createMaintenanceService(options: MaintenanceOptions): MaintenanceService {
  const { tracking, database, script } = options;
  const parts: MaintenanceParts = { ...options, store: createMaintenanceStore(database) };
  const { store } = parts;
  const workers = createWorkerProcesses(script);
  const inspect: InspectFile = (file, control) => workers.run({ type: 'checkStore', file }, control);
  const closing = new AbortController();
  const running = new Set<Promise<unknown>>();

  /** Has a job end before the store is closed under it. */
  const watched = <Result>(
    control: JobControl,
    job: (control: JobControl) => Promise<Result>,
  ): Promise<Result> => {
    const work = job({ ...control, signal: AbortSignal.any([control.signal, closing.signal]) });
    const settled: Promise<unknown> = work.then(
      () => running.delete(settled),
      () => running.delete(settled),
    );
    running.add(settled);
    return work;
  };
  const garbage = createGarbageCollection(parts);
  const measure = createDiskUsage(parts);

  return {
    deleteRuns: (runIds) => database.transaction(() => runIds.forEach(tracking.deleteRun)),
    restoreRuns: (runIds) => database.transaction(() => runIds.forEach(tracking.restoreRun)),
    deleteExperiment: tracking.deleteExperiment,
    restoreExperiment: tracking.restoreExperiment,
    deleted: (limit) => ({
      experiments: store.deletedExperiments(Number.MAX_SAFE_INTEGER).map(({ key: _, ...one }) => one),
      runs: store.deletedRuns(limit),
      runCount: store.deletedRunCount(),
    }),
    nestedRuns: (runId) => store.nestedRuns(runId),
    garbage: {
      find: (selection, signal) =>
        watched({ signal, progress: () => undefined }, (control) => garbage.find(selection, control.signal)),
      collect: (selection, compaction, control) =>
        watched(control, (watching) => garbage.collect(selection, compaction, watching)),
    },
    diskUsage: () => watched({ signal: closing.signal, progress: () => undefined }, () => measure()),
    content: () => store.content(),
    backUp: (request, control) => watched(control, (watching) => backUp(parts, inspect, request, watching)),
    check: (control) => watched(control, (watching) => checkWholeStore(parts, inspect, watching)),
    async close() {
      closing.abort();
      await workers.close();
      await Promise.all(running);
    },
  };
}
